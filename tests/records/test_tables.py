"""Tables and their provenance on disk."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sparsenn_book.records import provenance
from sparsenn_book.records.files import read_json, write_json, written_whole
from sparsenn_book.records.tables import read_provenance, read_table, write_table
from sparsenn_core.errors import InputError

FRAME = pd.DataFrame({"run": [0, 1, 1], "name": ["loss", "loss", "sparsity"], "value": [0.1, math.nan, 1 / 3]})


def test_rows_and_provenance_survive_the_disk(tmp_path: Path) -> None:
    origin = provenance({"strength": 1e-5, "output_dir": "somewhere"}, seconds=1.25)
    path = tmp_path / "deep" / "rows.parquet"
    back = write_table(FRAME[FRAME["run"] >= 0], path, origin)
    pd.testing.assert_frame_equal(back, FRAME)
    pd.testing.assert_frame_equal(read_table(path), back)
    assert back.attrs["provenance"].items() >= origin.items()
    assert read_provenance(path) == back.attrs["provenance"]
    assert origin["parameters"] == {"strength": 1e-5}
    assert origin["seconds"] == 1.25
    # Provenance is readable without this package, too.
    assert json.loads(pq.read_schema(path).metadata[b"sparsenn.provenance"])["seconds"] == 1.25


def test_provenance_names_code_libraries_and_device() -> None:
    origin = provenance({}, 0.0, "cpu")
    assert set(origin["versions"]) >= {"python", "torch", "numpy", "pandas"}
    assert set(origin["code"]) == {"commit", "dirty"}
    assert origin["device"]
    assert origin["date"].endswith("+00:00")


def test_a_table_whose_values_changed_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    write_table(FRAME, path, {"table": "rows"})
    whole, metadata = pq.read_table(path), pq.read_schema(path).metadata
    other = FRAME.assign(value=FRAME["value"] + 1e-15)
    for frame in (other, FRAME.iloc[::-1], FRAME[["run", "value", "name"]], FRAME.iloc[:2]):
        replaced = pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata(metadata)
        pq.write_table(replaced, path)
        with pytest.raises(InputError, match="not those that were written"):
            read_table(path)
    pq.write_table(whole, path)
    assert read_table(path).equals(FRAME)


def test_half_a_file_is_refused_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    write_table(pd.DataFrame({"value": range(10_000)}), path, {})
    content = path.read_bytes()
    flipped = bytearray(content)
    flipped[200] ^= 0xFF
    for harmed in (content[: len(content) // 2], bytes(flipped)):
        path.write_bytes(harmed)
        with pytest.raises(InputError, match=r"rows\.parquet") as caught:
            read_table(path)
        assert "\n" not in str(caught.value)


def test_an_empty_table_and_a_column_twice_are_refused(tmp_path: Path) -> None:
    for frame in (FRAME.iloc[:0], pd.concat([FRAME, FRAME], axis=1)):
        with pytest.raises(InputError, match="not worth keeping"):
            write_table(frame, tmp_path / "rows.parquet", {})


def test_an_index_that_carries_data_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="reset_index"):
        write_table(FRAME.set_index("run"), tmp_path / "rows.parquet", {})
    assert not list(tmp_path.iterdir())


def test_a_failed_write_leaves_the_old_table(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    write_table(FRAME, path, {"good": True})
    before = path.read_bytes()
    with pytest.raises(ValueError, match="JSON"):
        write_table(FRAME, path, {"bad": math.nan})
    with pytest.raises(ZeroDivisionError), written_whole(path) as beside:
        beside.write_text(f"half {1 / 0}")
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_foreign_and_missing_files_are_one_line(tmp_path: Path) -> None:
    FRAME.to_parquet(tmp_path / "plain.parquet")
    (tmp_path / "text.parquet").write_text("no table")
    for name, message in (("plain", "no provenance"), ("text", "not a parquet file"), ("none", "no such file")):
        with pytest.raises(InputError, match=rf"{name}\.parquet: {message}") as caught:
            read_table(tmp_path / f"{name}.parquet")
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
