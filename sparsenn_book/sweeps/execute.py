"""Execute one run, here, and say what became of it. All engines call this and nothing else."""

from __future__ import annotations

import errno
import os
import shutil
import socket
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from sparsenn_book.records.files import read_json, write_json
from sparsenn_book.records.provenance import code_version, versions
from sparsenn_book.runner import worker
from sparsenn_book.runner.freshness import RECORD, hashes
from sparsenn_book.runner.process import TRACEBACK, WORK, keep_traceback, reason, run_function, run_notebook, settle
from sparsenn_book.sources.notebooks import read
from sparsenn_book.sources.policy import AFRESH, STORED_ONLY
from sparsenn_book.sweeps.planning import source_digest
from sparsenn_book.sweeps.runs import Run, remove
from sparsenn_core.errors import InputError

DISK_FULL = (errno.ENOSPC, errno.EDQUOT)


@dataclass(frozen=True)
class Outcome:
    """What became of a run: plain data.

    done    it was computed and is there
    there   it was there already, or another process was first
    failed  it failed by itself; the attempt is kept with its traceback
    stop    nothing was computed, and others would fare alike: the source has changed, the disk is full
    lost    the engine lost it, and may try again
    """

    id: str
    status: Literal["done", "there", "failed", "stop", "lost"]
    message: str = ""
    seconds: float = 0.0


def execute(run: Run) -> Outcome:
    """Execute a run in a process of its own and publish it, unless it is there. Never raises for what a run, a disk or
    changed source may do. May be called for the same run from several machines at once: one of them publishes.
    """
    try:
        if run.state() == "done":
            return Outcome(run.id, "there")
        if not run.project.notebooks.is_dir():
            return _stop(run, f"{socket.gethostname()} sees no {run.root}; all machines need the same file system")
        if _changed(run):
            return _stop(run, "the source has changed since the sweep was planned; the next call plans it again")
        return _attempted(run)
    except (OSError, InputError) as error:
        # Whoever publishes first clears away what others are still at.
        return Outcome(run.id, "there") if run.state() == "done" else _stop(run, " ".join(str(error).split()))


def _attempted(run: Run) -> Outcome:
    attempt = run.new_attempt()
    try:
        start, clock = datetime.now(UTC), time.monotonic()
        status = _work(run, attempt)
        seconds = round(time.monotonic() - clock, 2)
        record = _record(run, start, seconds)
        if _changed(run):
            # Its source may have been imported half old, half new.
            return _stop(run, "the source has changed while a run was under way; the next call plans it again")
        return _publish(run, attempt, record) if status == 0 else _keep(run, attempt, record, status)
    finally:
        remove(attempt)


def _work(run: Run, attempt: Path) -> int:
    """Run the worker; its exit status."""
    told = {STORED_ONLY: "0", AFRESH: "0"}
    if run.function:
        return run_function(Path(run.root), attempt, run.function, run.parameters, told, _go_on)
    text = read(run.project, run.notebook).text
    return run_notebook(Path(run.root), attempt, text, run.parameters, told, _go_on)


def _go_on(told: str) -> None:
    """Go on: a run ends by itself, or with the process that started it."""


def _publish(run: Run, attempt: Path, record: dict[str, Any]) -> Outcome:
    usage = read_json(attempt / WORK / worker.USAGE)
    shutil.rmtree(attempt / WORK)
    if run.notebook:
        settle(Path(run.root), attempt, run.folder, f"notebooks/{run.notebook}.py")
    write_json(attempt / RECORD, record | usage | {"files": hashes(attempt, attempt.rglob("*"))})
    if not run.publish(attempt):
        return Outcome(run.id, "there")
    run.tidy()
    return Outcome(run.id, "done", "", record["seconds"])


def _keep(run: Run, attempt: Path, record: dict[str, Any], status: int) -> Outcome:
    found = keep_traceback(attempt, status)
    if run.state() == "done":
        return Outcome(run.id, "there")
    if status == worker.UNWRITTEN or any(os.strerror(number) in found["message"] for number in DISK_FULL):
        return _stop(run, f"{reason(found)} ({run.project.shown(attempt)})")
    shutil.rmtree(attempt / WORK)
    write_json(attempt / RECORD, record | {"failure": found})
    place = run.project.shown(run.keep_failure(attempt) / TRACEBACK)
    cell = "" if found["cell"] is None else f", cell {found['cell']}"
    return Outcome(run.id, "failed", f"run {run.id}: failed{cell}: {reason(found)}; see {place}", record["seconds"])


def _record(run: Run, start: datetime, seconds: float) -> dict[str, Any]:
    what = {"function": run.function} if run.function else {"notebook": run.notebook}
    return {
        "sweep": run.sweep,
        **what,
        "parameters": run.parameters,
        "key": run.key,
        "source": run.source,
        "host": socket.gethostname(),
        "start": start.isoformat(timespec="seconds"),
        "seconds": seconds,
        "code": code_version(Path(run.root)),
        "versions": versions(),
    }


def _changed(run: Run) -> bool:
    return source_digest(run.project, run.notebook, run.module) != run.source


def _stop(run: Run, why: str) -> Outcome:
    return Outcome(run.id, "stop", f"run {run.id}: {why}")
