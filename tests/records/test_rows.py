"""Tables and their provenance on disk."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

from sparsenn_book.records import provenance, read_rows, write_rows
from sparsenn_book.records.files import read_json, write_json, written_whole
from sparsenn_book.records.provenance import source_hash
from sparsenn_core.errors import InputError

FRAME = pd.DataFrame({"run": [0, 1, 1], "name": ["loss", "loss", "sparsity"], "value": [0.1, math.nan, 1 / 3]})


def test_rows_and_provenance_survive_the_disk(tmp_path: Path) -> None:
    origin = provenance({"strength": 1e-5, "output_dir": "somewhere"}, seconds=1.25)
    path = write_rows(FRAME[FRAME["run"] >= 0], tmp_path / "deep" / "rows.parquet", origin)
    back = read_rows(path)
    pd.testing.assert_frame_equal(back, FRAME)
    assert back.attrs["provenance"] == origin
    assert origin["parameters"] == {"strength": 1e-5}
    assert origin["seconds"] == 1.25
    # Provenance is readable without this package, too.
    assert json.loads(pq.read_schema(path).metadata[b"sparsenn.provenance"]) == origin


def test_provenance_names_code_libraries_and_device() -> None:
    origin = provenance({}, 0.0, "cpu")
    assert set(origin["versions"]) >= {"python", "torch", "numpy", "pandas"}
    assert len(origin["code"]["source"]) == 64
    assert set(origin["code"]) == {"source", "commit", "dirty"}
    assert origin["device"]
    assert origin["date"].endswith("+00:00")


def test_source_hash_sees_science_and_only_science(tmp_path: Path) -> None:
    for name in ("a.py", "room/b.py", "runner/c.py", "__main__.py", "room/__pycache__/b.pyc"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    before = source_hash(tmp_path)
    for name in ("runner/c.py", "__main__.py", "room/__pycache__/b.pyc"):
        (tmp_path / name).write_text("changed")
        assert source_hash(tmp_path) == before
    (tmp_path / "room" / "b.py").rename(tmp_path / "room" / "d.py")
    renamed = source_hash(tmp_path)
    (tmp_path / "room" / "d.py").write_text("changed")
    assert len({before, renamed, source_hash(tmp_path)}) == 3


def test_an_index_that_carries_data_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="reset_index"):
        write_rows(FRAME.set_index("run"), tmp_path / "rows.parquet", {})
    assert not list(tmp_path.iterdir())


def test_a_failed_write_leaves_the_old_table(tmp_path: Path) -> None:
    path = write_rows(FRAME, tmp_path / "rows.parquet", {"good": True})
    before = path.read_bytes()
    with pytest.raises(ValueError, match="JSON"):
        write_rows(FRAME, path, {"bad": math.nan})
    with pytest.raises(ZeroDivisionError), written_whole(path) as beside:
        beside.write_text(f"half {1 / 0}")
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_foreign_and_missing_files_are_one_line(tmp_path: Path) -> None:
    FRAME.to_parquet(tmp_path / "plain.parquet")
    (tmp_path / "text.parquet").write_text("no table")
    for name, message in (("plain", "no provenance"), ("text", "not a parquet file"), ("none", "no such file")):
        with pytest.raises(InputError, match=rf"{name}\.parquet: {message}") as caught:
            read_rows(tmp_path / f"{name}.parquet")
        assert "\n" not in str(caught.value)


def test_json_is_strict(tmp_path: Path) -> None:
    path = tmp_path / "value.json"
    write_json(path, {"ä": 1})
    assert read_json(path) == {"ä": 1}
    with pytest.raises(ValueError, match="JSON"):
        write_json(path, math.inf)
    assert read_json(path) == {"ä": 1}
    path.write_text("NaN")
    with pytest.raises(ValueError, match="NaN is not JSON"):
        read_json(path)


def test_importing_records_is_light() -> None:
    code = (
        "import sys, sparsenn_book.records; "
        "print([name for name in ('torch', 'pandas', 'pyarrow', 'scipy') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
