"""Publishing a run: whole or not there, whatever lies in its place, whoever else is at it."""

from __future__ import annotations

import dataclasses
import errno
import json
import os
import shutil
from pathlib import Path

import pandas as pd
import pytest
from sweep_toy import LEVELS, SweepToy

from sparsenn_book.records.identity import Identity
from sparsenn_book.records.tables import write_table
from sparsenn_book.runner import worker
from sparsenn_book.sources.notebooks import read
from sparsenn_book.sweeps import execute as execution
from sparsenn_book.sweeps.execute import execute
from sparsenn_book.sweeps.planning import plan
from sparsenn_book.sweeps.price import price
from sparsenn_book.sweeps.runs import Run
from sparsenn_book.sweeps.sweep_file import find

TWO = "notebook: toy\ntable: rows\ngrid:\n  seed: [1, 2]\n"


def runs_of(toy: SweepToy, name: str) -> list[Run]:
    """The runs of a sweep."""
    return plan(toy.project, find(toy.project, name))


@pytest.fixture
def published(toy: SweepToy) -> tuple[SweepToy, Run]:
    """The project with a run of two, made by hand and published as one that was executed."""
    toy.write("params/sweeps/two.yaml", TWO)
    run = runs_of(toy, "two")[0]
    assert run.publish(attempt(run))
    assert run.state() == "done"
    return toy, run


def attempt(run: Run, key: str = "", text: str = "12345678") -> Path:
    """A finished attempt at a run."""
    made = run.new_attempt()
    (made / "values.txt").write_text(text)
    files = execution.hashes(made, made.rglob("*"))
    (made / "run.json").write_text(json.dumps({"key": key or run.key, "files": files}))
    return made


def test_the_second_to_publish_finds_the_first_and_goes(published: tuple[SweepToy, Run]) -> None:
    toy, run = published
    second = attempt(run)
    before = sorted((path, path.stat().st_ino) for path in run.folder.rglob("*"))
    assert not run.publish(second)
    assert sorted((path, path.stat().st_ino) for path in run.folder.rglob("*")) == before
    assert toy.attempts("two") == []
    assert execute(run).status == "there"


@pytest.mark.parametrize("status", [0, 1])
def test_who_comes_second_finds_his_folder_gone_and_the_run_there(
    toy: SweepToy, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    toy.write("params/sweeps/two.yaml", TWO)
    run = runs_of(toy, "two")[0]

    def overtaken(run: Run, own: Path) -> int:
        assert run.publish(attempt(run))
        run.tidy()
        assert not own.exists()
        return status

    monkeypatch.setattr(execution, "_work", overtaken)
    assert execute(run).status == "there"
    assert run.state() == "done"
    assert toy.attempts("two") == []


def harm(run: Run, how: str) -> None:
    """Do something to a published run that it should not survive as one."""
    values, record = run.folder / "values.txt", run.folder / "run.json"
    if how in ("a foreign file", "a foreign link", "an empty folder", "a foreign folder"):
        shutil.rmtree(run.folder)
    if how == "truncated":
        values.write_bytes(values.read_bytes()[:4])
    elif how == "record truncated":
        record.write_bytes(record.read_bytes()[:20])
    elif how == "record of another run":
        record.write_text(record.read_text().replace(run.key, run.key[:16] + "0" * 48))
    elif how == "file gone":
        values.unlink()
    elif how == "files of odd type":
        record.write_text(json.dumps({"key": run.key, "files": ["values.txt"]}))
    elif how == "files elsewhere":
        record.write_text(json.dumps({"key": run.key, "files": {"../../../../etc/passwd": "0"}}))
    elif how == "a foreign file":
        run.folder.write_text("mine")
    elif how == "a foreign link":
        (run.space / "away").mkdir()
        run.folder.symlink_to(run.space / "away")
    elif how == "an empty folder":
        run.folder.mkdir()
    elif how == "a foreign folder":
        run.folder.mkdir()
        (run.folder / "notes.txt").write_text("mine")


HARMS = ("truncated", "record truncated", "record of another run", "file gone", "files of odd type", "files elsewhere",
         "a foreign file", "a foreign link", "an empty folder", "a foreign folder")  # fmt: skip


@pytest.mark.parametrize("how", HARMS)
def test_what_is_not_the_run_is_moved_aside_whole_and_the_run_published(
    published: tuple[SweepToy, Run], how: str
) -> None:
    _, run = published
    harm(run, how)
    assert run.state() == "damaged"
    before = run.folder.read_text() if run.folder.is_file() else sorted(path.name for path in run.folder.iterdir())
    assert run.publish(attempt(run))
    assert run.state() == "done"
    aside = list((run.space / ".aside").glob("*/*"))
    if how == "an empty folder":
        assert aside == []  # the file system puts a folder into the place of an empty one
    else:
        (moved,) = aside
        assert (moved.read_text() if moved.is_file() else sorted(path.name for path in moved.iterdir())) == before


def test_a_worker_that_cannot_tell_how_it_ended_says_so_and_no_run_failed(
    toy: SweepToy, monkeypatch: pytest.MonkeyPatch
) -> None:
    toy.write("params/sweeps/two.yaml", TWO)
    run = runs_of(toy, "two")[0]

    def unable(run: Run, own: Path) -> int:
        (own / ".work").mkdir()
        (own / ".work" / "log.txt").touch()
        return worker.UNWRITTEN

    monkeypatch.setattr(execution, "_work", unable)
    outcome = execute(run)
    assert outcome.status == "stop"
    assert "how it ended could not be written; the disk is full? (results/sweeps/two/.attempts/" in outcome.message
    assert run.state() == "waiting"
    assert toy.attempts("two") == []
    # And the worker says so by its exit status.
    monkeypatch.setattr(worker, "write_json", full_disk)
    assert worker._told(toy.project.root / "usage.json", {}, 0) == worker.UNWRITTEN


def full_disk(path: Path, value: object) -> None:
    """What writing to a full disk does."""
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))


def test_source_that_changes_meanwhile_stops_the_sweep(toy: SweepToy) -> None:
    toy.write("params/sweeps/two.yaml", TWO)
    run = runs_of(toy, "two")[0]
    source = read(toy.project, "01_toy").text
    # A caption is no computation.
    toy.write("notebooks/01_toy.py", source.replace("# # A toy", "# # A good toy"))
    assert runs_of(toy, "two")[0].key == run.key
    toy.write("notebooks/01_toy.py", source.replace("seed * strength", "seed + strength"))
    assert runs_of(toy, "two")[0].key != run.key
    outcome = execute(run)
    assert outcome.status == "stop"
    assert "the source has changed since the sweep was planned" in outcome.message
    assert toy.runs("two") == toy.attempts("two") == []


def test_a_run_finds_the_tables_of_another_by_their_keys(published: tuple[SweepToy, Run]) -> None:
    from sparsenn_book.chapter.shelf import Shelf

    toy, first = published
    second = runs_of(toy, "two")[1]
    wanted = Identity("f", "a", "c", "d", "l")
    made = second.new_attempt()
    write_table(pd.DataFrame({"value": [1, 2]}), made / "values.parquet", {"key": wanted.key})
    (made / "run.json").write_text(json.dumps({"key": second.key, "files": execution.hashes(made, made.rglob("*"))}))
    assert second.publish(made)
    work = first.new_attempt()
    parameters = {"output_dir": work.relative_to(toy.project.root).as_posix(), "profile": "laptop"}
    shelf = Shelf(toy.project, "01_toy", parameters)
    assert shelf.find("values", dataclasses.replace(wanted, arguments="b")) is None
    found = shelf.find("values", wanted)
    assert found is not None
    assert found["value"].tolist() == [1, 2]
    assert [path.name for path in work.iterdir()] == ["values.parquet"]
    # A table that was harmed is passed over, as anywhere.
    (second.folder / "values.parquet").write_bytes(b"PAR1")
    (work / "values.parquet").unlink()
    assert shelf.find("values", wanted) is None


def test_the_price_of_a_call_is_the_mean_of_calls_whose_tables_share_its_time(toy: SweepToy) -> None:
    function = "sparsenn_book.studies.rebound.scaling.levels"
    assert f"function: {function}\n" in LEVELS
    toy.write("params/sweeps/levels.yaml", LEVELS)
    for number, (arguments, part, seconds) in enumerate([("a", "one", 2), ("a", "two", 2), ("b", "one", 8)]):
        made = {"function": f"{function}:{part}", "arguments": arguments}
        known = {"identity": made, "parameters": {"seed": 0}, "seconds": seconds}
        folder = toy.project.results / "laptop" / "toy"
        folder.mkdir(parents=True, exist_ok=True)
        write_table(pd.DataFrame({"x": [1.0]}), folder / f"{number}.parquet", known)
    assert " of about 6 s (as results/laptop/toy" in price(runs_of(toy, "levels"), 1)
