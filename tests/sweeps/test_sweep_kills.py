"""Kill -9 of a worker, of the driver and of the scheduler in the middle of twelve runs: nothing is lost, nothing is
twice, and in the end the table is that of runs that nobody disturbed.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path

import pytest
from sweep_toy import DEADLINE, TWELVE, SweepToy, Undisturbed, wait_for

from sparsenn_book.sweeps import engines
from sparsenn_book.sweeps.runs import Run

pytestmark = pytest.mark.acceptance
pytest.importorskip("distributed", reason="Dask is not installed")


def check_whole(toy: SweepToy, undisturbed: Undisturbed) -> None:
    """Every run is there exactly once, nothing is left over, and the table is as it should be."""
    assert len(toy.runs()) == 12
    assert toy.attempts() == []
    assert not (toy.space() / ".failed").exists()
    assert not (toy.space() / ".aside").exists()
    assert toy.collected() == undisturbed.collected


def parent(pid: int) -> int:
    """The process that started another."""
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def test_kill_9_of_a_worker_and_of_what_a_worker_computes(toy: SweepToy, undisturbed: Undisturbed) -> None:
    driver = toy.start("sweep", "twelve", "--on", "local:2")
    toy.midway()
    os.kill(parent(toy.processes()[0]), signal.SIGKILL)
    # Its run ends with it, and is begun again, by the other worker or by one in its place.
    wait_for(lambda: toy.begun() == 8)
    toy.go()
    out, err = driver.communicate(timeout=DEADLINE)
    assert driver.returncode == 0, out + err
    assert "12 of 12 done" in out
    check_whole(toy, undisturbed)


def test_kill_9_of_the_driver(toy: SweepToy, undisturbed: Undisturbed) -> None:
    driver = toy.start("sweep", "twelve", "--on", "local:2")
    toy.midway()
    driver.kill()
    driver.communicate(timeout=DEADLINE)
    wait_for(lambda: toy.processes() == [])
    assert len(toy.runs()) == 5
    assert len(toy.attempts()) == 2
    status, out, _ = toy("twelve", "--status")
    assert status == 0
    assert "twelve: 12 runs of sparsenn_core.toy_study.rows: 5 done, 7 to do" in out
    assert "2 attempts under way, or left over from a crash: results/sweeps/twelve/.attempts" in out
    assert "price: 7 runs of about" in out
    toy.go()
    assert toy("twelve")[0] == 0
    assert toy.begun() == 5 + 2 + 7
    check_whole(toy, undisturbed)


def test_ctrl_c_ends_all_and_leaves_nothing_half_done(toy: SweepToy) -> None:
    toy.write("params/sweeps/twelve.yaml", TWELVE.replace("free: 5", "free: 0"))
    driver = toy.start("sweep", "twelve", "--on", "local:2")
    wait_for(lambda: toy.begun() == 2)
    driver.send_signal(signal.SIGINT)
    _, err = driver.communicate(timeout=DEADLINE)
    assert driver.returncode == 130
    assert err == "error: interrupted; finished results are kept, the next call goes on from there\n"
    wait_for(lambda: toy.processes() == [])
    assert toy.runs() == []


def scheduler_with_workers(toy: SweepToy) -> tuple[subprocess.Popen[str], str]:
    """A scheduler and two workers of one thread, started by hand, and its address."""
    file = toy.project.root / "scheduler.json"
    options = ["--host", "127.0.0.1", "--port", "0", "--dashboard-address", "127.0.0.1:0"]
    scheduler = toy.start(*options, "--scheduler-file", str(file), module="distributed.cli.dask_scheduler")
    wait_for(file.exists)
    for _ in range(2):
        options = ["--scheduler-file", str(file), "--nthreads", "1", "--local-directory", str(toy.project.root)]
        toy.start(*options, "--host", "127.0.0.1", "--no-dashboard", module="distributed.cli.dask_worker")
    return scheduler, json.loads(file.read_text())["address"]


def test_kill_9_of_a_scheduler_that_others_started(toy: SweepToy, undisturbed: Undisturbed) -> None:
    scheduler, address = scheduler_with_workers(toy)
    driver = toy.start("sweep", "twelve", "--on", address)
    toy.midway()
    scheduler.kill()
    _, err = driver.communicate(timeout=DEADLINE)
    assert driver.returncode == 1
    assert err.startswith("error: the scheduler is gone")
    assert err.count("\n") == 1
    toy.go()
    wait_for(lambda: toy.processes() == [])
    assert toy("twelve")[0] == 0
    check_whole(toy, undisturbed)


def test_no_scheduler_at_an_address_is_said_in_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "PATIENCE", 1)
    run = Run("/nowhere", "s", "n", "", "", {}, "t", "0" * 64, "")
    engine = engines.Engine("tcp://127.0.0.1:9", 0, {})
    with pytest.raises(OSError, match=r"^no scheduler answers at tcp://127.0.0.1:9$"):
        list(engines.outcomes([run], engine, lambda line: None))


@pytest.mark.parametrize(("given", "devices"), [("2,5", ["2", "5"]), ("", []), ("GPU-1a", ["GPU-1a"])])
def test_workers_share_out_the_devices_that_may_be_used(
    monkeypatch: pytest.MonkeyPatch, given: str, devices: list[str]
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", given)
    assert engines._devices() == devices
