"""Results of sweeps: complete or not there, whatever else lies in the folder, whoever else is at it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from sweep_toy import DEADLINE, SweepToy, Undisturbed

from sparsenn_book.records.tables import read_provenance, read_table

pytestmark = pytest.mark.acceptance

NOTEBOOKS = "notebook: toy\ntable: rows\nfixed: {strength: 13}\ngrid:\n  seed: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]\n"


def test_seven_of_twelve_notebooks_fail_and_the_five_are_gathered(toy: SweepToy) -> None:
    pytest.importorskip("distributed", reason="Dask is not installed")
    toy.write("params/sweeps/notebooks.yaml", NOTEBOOKS)
    status, out, err = toy("notebooks", "--on", "local:2")
    assert status == 1
    assert err == "error: notebooks: not all runs are there: 7 failed\n"
    assert out.count("failed, cell 4: AssertionError: thirteen is bad; see results/sweeps/notebooks/.failed/") == 7
    assert "10 rows from 5 of 12 runs" in out
    assert toy.attempts("notebooks") == []
    kept = list((toy.space("notebooks") / ".failed").glob("*/*"))
    assert len(kept) == 7
    for attempt in kept:
        assert {path.name for path in attempt.iterdir()} == {"executed.ipynb", "run.json", "traceback.txt"}
        assert "thirteen is bad" in (attempt / "traceback.txt").read_text()
    frame = pd.read_parquet(toy.space("notebooks") / "collected.parquet")
    assert list(frame.columns) == ["run_id", "set_seed", "row", "value"]
    assert frame["set_seed"].tolist() == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]
    assert frame["value"].tolist() == [0, 0, 1, 13, 2, 26, 3, 39, 4, 52]
    # The next call leaves failures alone; repaired, it is other source and so other runs.
    status, out, err = toy("notebooks")
    assert (status, err) == (1, "error: notebooks: not all runs are there: 7 failed\n")
    assert "7 failed (--retry-failed runs them again)" in out
    assert "started" not in out


def test_a_failed_run_is_tried_again_when_asked(toy: SweepToy) -> None:
    toy.write("params/sweeps/one.yaml", "notebook: toy\ntable: rows\nfixed: {seed: 5, strength: 13}\n")
    path = toy.project.notebooks / "01_toy.py"
    # It fails on this machine as long as a file is there: no change of source.
    path.write_text(path.read_text().replace("seed % 12 < 5", '__import__("os").path.exists("mended")'))
    assert toy("one")[0] == 1
    toy.write("mended", "")
    assert toy("one")[0] == 1
    assert toy.runs("one") == []
    assert toy("one", "--retry-failed")[0] == 0
    (folder,) = toy.runs("one")
    notebook = json.loads((folder / "executed.ipynb").read_text())
    assert notebook["metadata"]["papermill"]["input_path"] == "notebooks/01_toy.py"
    assert f"results/sweeps/one/{folder.name}" in json.dumps(notebook["cells"])
    assert ".attempts" not in json.dumps(notebook)
    record = json.loads((folder / "run.json").read_text())
    assert set(record["files"]) == {"executed.ipynb", "rows.parquet"}
    assert record["key"].startswith(folder.name)
    assert record["memory"] > 0


def test_a_damaged_run_is_run_again_and_files_of_others_stay(toy: SweepToy, undisturbed: Undisturbed) -> None:
    toy.go()
    shutil.copytree(undisturbed.results, toy.project.results)
    table = toy.runs()[3] / "rows.parquet"
    table.write_bytes(table.read_bytes()[:100])
    note = toy.space() / "notes.txt"
    note.write_text("mine")
    status, out, _ = toy("twelve", "--status")
    assert "11 done, 0 to do, 1 damaged" in out
    assert f"damaged: results/sweeps/twelve/{table.parent.name} (rows.parquet is gone or not the file" in out
    assert table.stat().st_size == 100
    (toy.space() / "collected.parquet").write_bytes(b"PAR1")
    status, out, err = toy("twelve")
    assert (status, err) == (0, "")
    assert toy.begun() == 1
    assert toy.collected() == undisturbed.collected
    assert note.read_text() == "mine"


def test_two_drivers_at_once(toy: SweepToy, undisturbed: Undisturbed) -> None:
    first, second = (toy.start("sweep", "twelve") for _ in range(2))
    toy.go()
    for driver in (first, second):
        out, err = driver.communicate(timeout=DEADLINE)
        assert (driver.returncode, err) == (0, ""), out
    assert len(toy.runs()) == 12
    assert toy.attempts() == []
    assert not (toy.space() / ".aside").exists()
    assert toy.collected() == undisturbed.collected


@pytest.fixture
def small_disk(toy: SweepToy) -> Iterator[Path]:
    """A file system of a megabyte for the results."""
    toy.project.results.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(toy.project.results)]
    if os.getuid() or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("no file system of a given size can be mounted here")
    yield toy.project.results
    toy.end()
    subprocess.run(["umount", str(toy.project.results)], check=True)


def test_a_full_disk_stops_the_sweep_in_a_line_and_the_next_call_goes_on(
    toy: SweepToy, small_disk: Path, undisturbed: Undisturbed
) -> None:
    toy.go()
    full = small_disk / "full"
    (small_disk / "sweeps").mkdir()
    with full.open("wb") as filler:
        # Room for the first runs, of some 20 kB each, and not for all.
        filler.write(b"0" * (shutil.disk_usage(small_disk).free - 120_000))
    status, _, err = toy("twelve")
    assert status == 1
    complaints = err.splitlines()
    assert complaints[0].startswith("error: run ")
    assert "No space left on device" in complaints[0] or "the disk is full?" in complaints[0]
    assert "results/sweeps/twelve/" in complaints[0]
    assert all(len(line) <= 300 for line in complaints)
    assert 0 < len(toy.runs()) < 12
    assert "damaged" not in toy("twelve", "--status")[1]
    assert not (toy.space() / ".failed").exists()
    full.unlink()
    assert toy("twelve")[0] == 0
    assert toy.collected() == undisturbed.collected


def test_tables_of_a_function_know_where_they_come_from(toy: SweepToy) -> None:
    toy.go()
    toy.write(
        "params/sweeps/pair.yaml",
        "function: sparsenn_core.toy_study.pair\ntable: one_{seed}\nzip: {seed: [3, 4], widths: [[1], [5, 6]]}\n",
    )
    assert toy("pair")[0] == 0
    frame = read_table(toy.space("pair") / "collected.parquet")
    assert frame["set_widths"].tolist() == ["[1]", "[5, 6]", "[5, 6]"]
    assert frame["value"].tolist() == [3, 20, 24]
    first = next(path for path in toy.runs("pair") if (path / "one_3.parquet").exists())
    origin = read_provenance(first / "one_3.parquet")
    assert origin["identity"]["function"] == "sparsenn_core.toy_study.pair:one_3"
    assert origin["parameters"]["seed"] == 3
