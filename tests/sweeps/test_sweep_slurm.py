"""A real Slurm, of one node: jobs come, are cancelled one and all, come again, and nothing is lost."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from slurm_here import Slurm, missing
from sweep_toy import DEADLINE, SweepToy, Undisturbed, wait_for

pytestmark = [pytest.mark.acceptance, pytest.mark.skipif(bool(missing()), reason=missing())]
pytest.importorskip("dask_jobqueue", reason="dask-jobqueue is not installed")

OPTIONS = """\
jobs: 2
queue: debug
memory: 600MB
walltime: "00:10:00"
interface: lo
host: 127.0.0.1
"""


@pytest.fixture
def slurm(monkeypatch: pytest.MonkeyPatch) -> Iterator[Slurm]:
    folder = Path(tempfile.mkdtemp(prefix="slurm."))
    made = Slurm(folder)
    try:
        made.start()
        monkeypatch.setenv("SLURM_CONF", str(made.configuration))
        yield made
    finally:
        made.stop()
        shutil.rmtree(folder, ignore_errors=True)


def test_jobs_that_are_cancelled_are_replaced(toy: SweepToy, slurm: Slurm, undisturbed: Undisturbed) -> None:
    toy.write("params/slurm.yaml", OPTIONS)
    driver = toy.start("sweep", "twelve", "--on", "slurm")
    toy.midway()
    jobs = slurm.jobs()
    assert len(jobs) == 2
    slurm.ask("scancel", jobs[0])
    wait_for(lambda: toy.begun() == 8)
    slurm.ask("scancel", "--user=root")
    wait_for(lambda: toy.begun() == 10)
    assert len(toy.runs()) == 5
    toy.go()
    out, err = driver.communicate(timeout=DEADLINE)
    assert driver.returncode == 0, out + err
    assert err == ""
    assert "12 of 12 done" in out
    assert len(toy.runs()) == 12
    assert toy.collected() == undisturbed.collected
    wait_for(lambda: slurm.jobs() == [])
