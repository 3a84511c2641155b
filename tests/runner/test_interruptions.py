"""Ctrl-C and kill -9: earlier results stay whole, no process is left behind, the next call goes on."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from waiting import DEADLINE, wait_for

from sparsenn_book.records.closure import INSTALLED
from sparsenn_book.runner.result_folder import ResultFolder

pytestmark = pytest.mark.acceptance

# How many processes there are when one begins, a second of imports before it does anything; or all are up.
WORKER, KERNEL, SLEEPING = 2, 3, 0


def begin(toy, *arguments: str, stage: int = SLEEPING) -> tuple[subprocess.Popen[str], dict[str, bytes]]:
    """An older result, and a long run to replace it, which has come to the cell that sleeps or to a stage before."""
    before = toy.plant()
    toy.write("params/laptop/01_toy.yaml", "wait: 1000\n")
    process = toy.start(*arguments)
    come = (lambda: len(toy.processes()) >= stage) if stage else toy.kernels
    wait_for(lambda: come() or process.poll() is not None)
    return process, before


def test_ctrl_c_leaves_the_old_result_and_no_kernel(toy) -> None:
    process, before = begin(toy, "book")
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=DEADLINE)
    assert process.returncode == 130
    assert err == "error: interrupted; finished results are kept, the next call goes on from there\n"
    assert toy.processes() == []
    assert toy.files() == before
    assert not list((toy.project.results / "laptop" / ".attempts").iterdir())
    assert not (toy.project.results / "laptop" / ".failed").exists()


@pytest.mark.parametrize("stage", [WORKER, KERNEL])
def test_ctrl_c_while_worker_or_kernel_starts(toy, stage: int) -> None:
    process, before = begin(toy, "run", "toy", stage=stage)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=DEADLINE)
    assert (process.returncode, err.count("\n")) == (130, 1)
    assert toy.processes() == []
    assert toy.files() == before
    assert not list((toy.project.results / "laptop" / ".attempts").iterdir())


@pytest.mark.parametrize("stage", [WORKER, KERNEL, SLEEPING])
def test_kill_9_of_the_runner_ends_worker_and_kernel(toy, stage: int) -> None:
    process, _ = begin(toy, "run", "toy", stage=stage)
    process.kill()
    process.communicate(timeout=DEADLINE)
    wait_for(lambda: toy.processes() == [])
    assert toy.processes() == []  # and none has come since


def test_kill_9_of_the_runner_leaves_the_old_result_and_the_next_call_goes_on(toy) -> None:
    process, before = begin(toy, "run", "toy")
    process.kill()
    process.communicate()
    assert toy.files() == before
    # The worker goes by itself as its standard input has closed, and takes its kernel along.
    wait_for(lambda: toy.processes() == [])
    assert list((toy.project.results / "laptop" / ".attempts").iterdir())
    assert "laptop  stale" in toy("list")[1]
    assert not list((toy.project.results / "laptop" / ".attempts").iterdir())
    toy.write("params/laptop/01_toy.yaml", "wait: 0.1\n")
    assert "done in" in toy("run", "toy")[1]


@pytest.mark.parametrize("stage", [KERNEL, SLEEPING])
def test_kill_9_of_the_worker_is_a_failure_that_says_so(toy, stage: int) -> None:
    process, before = begin(toy, "run", "toy", stage=stage)
    (worker,) = _children(process.pid)
    os.kill(int(worker), signal.SIGKILL)
    _, err = process.communicate(timeout=DEADLINE)
    assert process.returncode == 1
    assert "Killed: the process that ran it ended with SIGKILL (out of memory?)" in err
    assert toy.files() == before
    assert toy.processes() == []


def _children(parent: int) -> list[str]:
    """Children of any thread of a process: a worker is started by a thread."""
    paths = Path(f"/proc/{parent}/task").glob("*/children")
    return [child for path in paths for child in path.read_text().split()]


def test_a_second_call_waits_for_the_first_and_does_not_repeat_it(toy) -> None:
    toy.write("params/laptop/01_toy.yaml", "wait: 1000\n")
    first = toy.start("run", "toy")
    wait_for(toy.kernels)
    second = toy.start("run", "toy")
    assert second.stdout is not None
    assert "another process is at it, waiting" in second.stdout.readline()
    toy.write("build/go", "")
    first.communicate(timeout=DEADLINE)
    out, _ = second.communicate(timeout=DEADLINE)
    assert (first.returncode, second.returncode) == (0, 0)
    assert "fresh, skipped" in out


PUBLISHER = """
import sys
from pathlib import Path
from sparsenn_book.runner.result_folder import ResultFolder

result = ResultFolder(Path(sys.argv[1]), "result")
for turn in range(100000):
    with result.locked(lambda: False, lambda: None):
        attempt = result.new_attempt()
        for part in "ab":
            (attempt / part).write_text(f"{turn}")
        result.publish(attempt)
    print(turn, flush=True)
"""


def test_kill_9_at_any_moment_of_publishing_leaves_one_whole_result(tmp_path: Path) -> None:
    result = ResultFolder(tmp_path, "result")
    moments = random.Random(0)
    last = -1
    for _ in range(12):
        command = [sys.executable, "-P", "-c", PUBLISHER, str(tmp_path)]
        environment = os.environ | {"PYTHONPATH": str(INSTALLED)}
        process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(moments.uniform(0, 0.05))
        process.kill()
        last = int(("0\n" + process.communicate()[0]).split()[-1])
        result.tidy()
        parts = {(result.folder / part).read_text() for part in "ab"}
        assert len(parts) == 1
        assert int(parts.pop()) >= last
        assert sorted(path.name for path in result.folder.iterdir()) == ["a", "b"]
        assert [
            path for path in tmp_path.rglob("*") if path.is_dir() and path.parent.name in (".attempts", ".old")
        ] == []


@pytest.mark.parametrize("survivor", ["old", "new"])
def test_both_moments_between_the_renames_are_put_right(tmp_path: Path, survivor: str) -> None:
    result = ResultFolder(tmp_path, "result")
    (result.space / ".locks").mkdir()
    (result.space / ".locks" / "result").touch()
    aside = result.space / ".old" / "result"
    aside.mkdir(parents=True)
    (aside / "value").write_text("old")
    if survivor == "new":
        result.folder.mkdir()
        (result.folder / "value").write_text("new")
    result.tidy()
    assert (result.folder / "value").read_text() == survivor
    assert not aside.exists()


def test_a_failed_rename_puts_the_old_result_back_at_the_next_call(tmp_path: Path, monkeypatch) -> None:
    result = ResultFolder(tmp_path, "result")
    for text in ("old", "new"):
        attempt = result.new_attempt()
        (attempt / "value").write_text(text)
        if text == "new":
            shutil.rmtree(attempt)
            attempt.with_name("gone").mkdir()
            with pytest.raises(FileNotFoundError):
                result.publish(attempt)
        else:
            result.publish(attempt)
    with result.locked(lambda: False, lambda: None):
        assert (result.folder / "value").read_text() == "old"


@pytest.mark.parametrize("leads_somewhere", [True, False])
def test_a_linked_result_is_replaced_and_what_it_leads_to_stays(tmp_path: Path, leads_somewhere: bool) -> None:
    result = ResultFolder(tmp_path / "space", "result")
    away = tmp_path / "away"
    if leads_somewhere:
        away.mkdir()
        (away / "value").write_text("old")
    result.space.mkdir()
    result.folder.symlink_to(away)
    for text in ("new", "newer"):
        with result.locked(lambda: False, lambda: None):
            attempt = result.new_attempt()
            (attempt / "value").write_text(text)
            result.publish(attempt)
        assert (result.folder / "value").read_text() == text
    assert not leads_somewhere or (away / "value").read_text() == "old"


def test_results_that_cannot_be_written_can_be_looked_at(tmp_path: Path) -> None:
    result = ResultFolder(tmp_path, "result")
    (tmp_path / ".locks" / "result").mkdir(parents=True)  # opened for writing, a folder is as good as a read-only disk
    left = result.new_attempt()
    result.tidy()
    assert left.is_dir()  # who cannot lock does not clear away what may be another's
