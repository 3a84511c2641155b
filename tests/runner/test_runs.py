"""Runs of a toy notebook: made, skipped, made again when what they depend on changed, kept apart, kept when failed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from sparsenn_book.records.files import digest
from sparsenn_book.runner.freshness import key_parts
from sparsenn_book.sources.notebooks import read
from sparsenn_book.sources.profiles import resolve

INSTEAD = "pass  # a test may put something else here"


def rows(folder: Path) -> dict:
    return json.loads((folder / "rows.json").read_text())


def test_a_run_is_published_complete_and_then_skipped(toy) -> None:
    status, out, err = toy("run", "toy")
    assert (status, err) == (0, "")
    assert "01_toy (laptop): done in" in out
    folder = toy.project.results / "laptop" / "01_toy"
    assert sorted(path.name for path in folder.iterdir()) == ["executed.ipynb", "rows.json", "run.json"]
    found = rows(folder)
    assert (found["steps"], found["strength"], found["profile"]) == (3, 1e-5, "laptop")
    # This interpreter, in the root of the project, with the project's own core, on one thread.
    assert (found["python"], found["here"]) == (sys.executable, str(toy.project.root))
    assert (found["constant"], found["threads"]) == (1, "1")
    record = json.loads((folder / "run.json").read_text())
    assert record["parameters"] == {
        "strength": 1e-5, "strengths": [0.1, 1.0], "steps": 3, "device": "auto", "bias": False, "wait": 0.0,
        "profile": "laptop", "output_dir": "results/laptop/01_toy",
    }  # fmt: skip
    assert sorted(record["files"]) == ["executed.ipynb", "rows.json"]
    assert record["key"] == digest(record["parts"])
    # Nothing in the result names the place where it was made or this machine's folders.
    text = (folder / "executed.ipynb").read_text() + (folder / "run.json").read_text()
    assert ".attempts" not in text
    assert str(toy.project.root) not in text
    before = toy.files()
    status, out, _ = toy("run", "notebooks/01_toy.py")
    assert (status, "fresh, skipped" in out) == (0, True)
    assert toy.files() == before
    assert "laptop  fresh" in toy("list")[1]


def test_list_tells_title_price_state_and_why(toy) -> None:
    toy.plant()
    status, out, err = toy("list")
    assert (status, err) == (0, "")
    assert out.splitlines()[0] == "01_toy  A toy"
    changed = "changed: schema, notebook, parameters, code, pinned libraries, data, needed chapters, full tables"
    assert [" ".join(line.split()) for line in out.splitlines()[1:]] == ["smoke missing", f"laptop stale ({changed})"]


def test_prices_come_from_the_records_of_runs(toy) -> None:
    toy("run", "toy", "--profile", "smoke")
    assert toy("prices")[:2] == (0, "params/prices.json\n")
    price = json.loads((toy.project.params / "prices.json").read_text())["01_toy"]["smoke"]
    assert price["seconds"] > 0
    assert price["memory"] > 10
    line = next(line for line in toy("list")[1].splitlines() if "smoke" in line)
    assert line.split()[:2] == ["smoke", "fresh"]
    assert line.endswith(" GB")
    toy("prices")
    assert json.loads((toy.project.params / "prices.json").read_text())["01_toy"]["smoke"] == price


def test_every_dependency_changes_the_key_and_nothing_else_does(toy) -> None:
    """The key by itself, without running; each change comes on top of those before."""

    def key() -> str:
        source = read(toy.project, "01_toy")
        return digest(key_parts(toy.project, source, resolve(toy.project, source, "laptop")))

    keys = [key()]
    for name, text in (
        ("notebooks/01_toy.py", (toy.project.notebooks / "01_toy.py").read_text() + "\n# more\n"),
        ("params/laptop/01_toy.yaml", "steps: 5\n"),
        ("sparsenn_core/physics.py", "CONSTANT = 3\n"),
        ("requirements.txt", "numpy\n"),
        ("constraints.txt", "six\n"),
        ("notebooks/data/recorded.csv", "1\n"),
        ("results/full/01_toy/rows.parquet", "2\n"),
    ):
        toy.write(name, text)
        keys.append(key())
    assert len(set(keys)) == len(keys)
    for name, text in (
        # The same values, told otherwise.
        ("params/laptop/01_toy.yaml", "# a comment\nstrength: 0.5\nsteps: 5\nstrengths: [0.1, 1]\n"),
        ("sparsenn_core/physics.py", '"""New words."""\n\nCONSTANT = 3  # said\n'),
        ("sparsenn_core/room/new.py", "nobody = 'imports it'\n"),
        ("notebooks/data/other.csv", "named nowhere\n"),
        ("sparsenn_core/__main__.py", ""),
        ("sparsenn_core/__pycache__/physics.pyc", "x"),
        ("params/smoke/01_toy.yaml", "steps: 7\n"),
        ("README.md", ""),
    ):
        toy.write(name, text)
        assert key() == keys[-1]


def test_a_changed_core_runs_again_and_replaces(toy) -> None:
    folder = toy.project.results / "smoke" / "01_toy"
    toy("run", "toy", "--profile", "smoke")
    toy.write("sparsenn_core/physics.py", "CONSTANT = 2\n")
    assert "done in" in toy("run", "toy", "--profile", "smoke")[1]
    assert rows(folder)["constant"] == 2
    toy.write("sparsenn_core/physics.py", "CONSTANT = 4\n")
    toy.write("params/smoke/01_toy.yaml", "steps: 4\n")
    assert "smoke   stale (changed: parameters, code)" in toy("list")[1]
    toy.write("sparsenn_core/physics.py", "CONSTANT = 2\n")
    toy.write("params/smoke/01_toy.yaml", "steps: 1\n")
    assert "smoke   fresh" in toy("list")[1]
    first = rows(folder)["from"]
    assert "done in" in toy("run", "toy", "--profile", "smoke", "--force")[1]
    assert rows(folder)["from"] > first
    (folder / ".DS_Store").write_text("foreign")
    assert "smoke   fresh" in toy("list")[1]
    (folder / "rows.json").unlink()
    assert "stale (rows.json is gone)" in toy("list")[1]


def test_a_file_that_the_user_put_into_a_result_stays_there(toy) -> None:
    folder = toy.project.results / "smoke" / "01_toy"
    toy("run", "toy", "--profile", "smoke")
    toy.write("results/smoke/01_toy/own/notes.txt", "mine")
    assert "done in" in toy("run", "toy", "--profile", "smoke", "--force")[1]
    assert (folder / "own" / "notes.txt").read_text() == "mine"
    assert "smoke   fresh" in toy("list")[1]


@pytest.mark.parametrize("name", ["rows.json", "executed.ipynb"])
def test_a_result_counts_by_its_content(toy, name: str) -> None:
    toy("run", "toy", "--profile", "smoke")
    path = toy.project.results / "smoke" / "01_toy" / name
    whole = path.read_bytes()
    for harmed in (whole[: len(whole) // 2], b"{}", b""):
        path.write_bytes(harmed)
        assert f"smoke   stale ({name} is not the file that was made)" in toy("list")[1]
    path.write_bytes(whole)
    assert "smoke   fresh" in toy("list")[1]


@pytest.mark.parametrize(
    "changes",
    [{"files": {"executed.ipynb": 1, "/etc/hostname": "x"}}, {"files": {"executed.ipynb": [], "a\0b": None}},
     {"files": 3}, {"key": [], "parts": 2.5}, {"parts": {"code": {}}}, {"key": None, "old": {}}],
)  # fmt: skip
def test_a_record_of_odd_types_is_a_stale_result(toy, changes: dict) -> None:
    toy.plant()
    source = read(toy.project, "01_toy")
    parts = key_parts(toy.project, source, resolve(toy.project, source, "laptop"))
    toy.write(
        "results/laptop/01_toy/run.json", json.dumps({"key": digest(parts), "parts": parts, "files": {}} | changes)
    )
    status, out, err = toy("list")
    assert (status, err) == (0, "")
    assert "laptop  stale" in out


def test_ones_own_parameters_go_to_a_folder_of_their_own(toy) -> None:
    toy("run", "toy")
    before = toy.files()
    status, out, _ = toy("run", "toy", "-p", "strength", "1e-3", "-p", "strengths", "[1e-5, 2]", "-p", "device", "cpu")
    assert status == 0
    made = toy.files()
    assert before.items() <= made.items()
    (folder,) = (toy.project.results / "custom").glob("01_toy-*")
    assert folder.name in out
    record = json.loads((folder / "run.json").read_text())
    assert record["parameters"]["strength"] == 1e-3
    assert record["parameters"]["strengths"] == [1e-5, 2.0]
    assert record["parameters"]["output_dir"] == f"results/custom/{folder.name}"
    assert record["profile"] == "custom"
    # The same values in other words and another order are the same run.
    again = toy("run", "01_toy", "-p", "device", "cpu", "-p", "strengths", "[1.0e-05, 2.0]", "-p", "strength", "0.001")
    assert "fresh, skipped" in again[1]


def test_a_failing_cell_is_named_and_kept_and_the_old_result_stays(toy) -> None:
    before = toy.plant()
    toy.write("params/laptop/01_toy.yaml", "steps: 13\n")
    status, _, err = toy("run", "toy")
    assert status == 1
    assert err.startswith(
        "error: 01_toy (laptop): failed, cell 5: AssertionError: thirteen is bad; see results/laptop/"
    )
    assert err.count("\n") == 1
    assert toy.files() == before
    (kept,) = (toy.project.results / "laptop" / ".failed" / "01_toy").iterdir()
    assert "thirteen" in (kept / "traceback.txt").read_text()
    assert "\x1b" not in (kept / "traceback.txt").read_text()
    assert any(cell.get("outputs") for cell in json.loads((kept / "executed.ipynb").read_text())["cells"])
    assert json.loads((kept / "run.json").read_text())["failure"]["cell"] == 5
    assert not list((toy.project.results / "laptop" / ".attempts").iterdir())
    assert "laptop  failed" in toy("list")[1]
    # Once the parameters are mended it is no longer today's.
    toy.write("params/laptop/01_toy.yaml", "steps: 12\n")
    assert "laptop  stale" in toy("list")[1]


def test_a_kernel_that_dies_is_a_failure_of_its_cell(toy) -> None:
    path = toy.project.notebooks / "01_toy.py"
    path.write_text(path.read_text().replace(INSTEAD, "os._exit(3)"))
    status, _, err = toy("run", "toy")
    assert status == 1
    assert "failed, cell 4: DeadKernelError" in err


def test_a_core_edited_during_a_run_leaves_a_stale_result(toy) -> None:
    path = toy.project.notebooks / "01_toy.py"
    edit = 'pathlib.Path("sparsenn_core/physics.py").write_text("CONSTANT = 9")'
    # On the way: the kernel that a notebook was last saved with need not exist here.
    path.write_text(path.read_text().replace(INSTEAD, edit).replace("name: python3", "name: elsewhere"))
    assert toy("run", "toy")[0] == 0
    assert rows(toy.project.results / "laptop" / "01_toy")["python"] == sys.executable
    assert "laptop  stale" in toy("list")[1]
    toy.write("sparsenn_core/physics.py", "CONSTANT = 1\n")
    assert "laptop  stale (changed while it ran)" in toy("list")[1]


def test_plain_papermill_reads_the_same_files(toy) -> None:
    import jupytext
    import nbformat

    text = (toy.project.notebooks / "01_toy.py").read_text()
    nbformat.write(jupytext.reads(text, fmt="py:percent"), toy.project.root / "toy.ipynb")
    (toy.project.root / "results" / "own" / "01_toy").mkdir(parents=True)
    command = [sys.executable, "-m", "papermill", "toy.ipynb", "out.ipynb", "-f", "params/smoke/01_toy.yaml"]
    environment = os.environ | {"PYTHONPATH": str(toy.project.root)}
    subprocess.run(command, cwd=toy.project.root, env=environment, check=True, capture_output=True)
    found = rows(toy.project.root / "results" / "own" / "01_toy")
    assert (found["steps"], found["profile"]) == (1, "smoke")
