"""Execute one task: in a process of its own, in a folder of its own, published when it is done."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from sparsenn_book.records.claims import FILE as CLAIMS
from sparsenn_book.records.files import digest, read_json, write_json
from sparsenn_book.records.provenance import code_version, versions
from sparsenn_book.runner import freshness, worker
from sparsenn_book.runner.prices import price_of
from sparsenn_book.runner.process import TRACEBACK, WORK, keep_traceback, reason, run_notebook, settle
from sparsenn_book.runner.result_folder import Interrupted
from sparsenn_book.runner.tasks import Task
from sparsenn_book.sources.policy import AFRESH, STORED_ONLY
from sparsenn_book.sources.profiles import CUSTOM
from sparsenn_core.errors import InputError


@dataclass(frozen=True)
class Execution:
    """What became of a task. `message` is one line; `folder` the result, or the kept failure."""

    task: Task
    status: Literal["fresh", "done", "failed"]
    folder: Path
    message: str


class Watch:
    """What a run tells, and how it is told to stop. One watch may serve several runs in threads."""

    def __init__(self, say: Callable[[str], None], progress: Callable[[str, str], None]) -> None:
        """`say` prints a line that stays; `progress(task, text)` shows how far a task is."""
        self.say = say
        self.progress = progress
        self._stop = threading.Event()

    def stop(self) -> None:
        """Tell all runs to stop. Their workers end when their standard input closes, and their kernels with them."""
        self._stop.set()

    def stopped(self) -> bool:
        """Whether runs should stop."""
        return self._stop.is_set()


def execute(task: Task, watch: Watch, *, force: bool = False) -> Execution:
    """Execute a task, as the files are when it starts, unless its result is fresh. `Interrupted` if the watch says
    stop; nothing is changed then.
    """
    with task.result.locked(watch.stopped, lambda: watch.say(f"{task.title}: another process is at it, waiting")):
        try:
            # It may have been planned hours ago, and another process may have made a newer result since.
            planned, task = task, task.again()
        except (InputError, OSError) as error:
            return Execution(task, "failed", task.result.folder, f"{task.title}: changed before it ran: {error}")
        if task.result != planned.result:
            message = f"{task.title}: changed before it ran, and so did the place of its result; run it again"
            return Execution(planned, "failed", planned.result.folder, message)
        if task.state()[0] == "fresh" and not force:
            return Execution(task, "fresh", task.result.folder, f"{task.title}: fresh, skipped (--force runs it again)")
        attempt = task.result.new_attempt()
        start = datetime.now(UTC)
        clock = time.monotonic()
        try:
            status = _work(task, attempt, watch, force=force)
        except BaseException:
            task.result.discard(attempt)
            raise
        seconds = round(time.monotonic() - clock, 2)
        if status == 0:
            return _publish(task, attempt, start, seconds)
        return _keep(task, attempt, start, seconds, status)


def _work(task: Task, attempt: Path, watch: Watch, *, force: bool) -> int:
    """Run the worker in `attempt` and return its exit status."""

    def follow(told: str) -> None:
        if watch.stopped():
            raise Interrupted
        watch.progress(task.result.name, told)

    told = {STORED_ONLY: str(int(task.stored_only)), AFRESH: str(int(force))}
    try:
        return run_notebook(task.project.root, attempt, task.source.text, task.parameters, told, follow)
    finally:
        watch.progress(task.result.name, "")


def _publish(task: Task, attempt: Path, start: datetime, seconds: float) -> Execution:
    usage = read_json(attempt / WORK / worker.USAGE)
    shutil.rmtree(attempt / WORK)
    settle(task.project.root, attempt, task.result.folder, task.project.shown(task.source.path))
    changed, fresh_again = _since(task)
    if fresh_again:
        task.result.discard(attempt)
        message = f"{task.title}: {changed}; the result that was there is fresh again and stays"
        return Execution(task, "fresh", task.result.folder, message)
    today = task.parts_now()
    # A core edited while its notebook ran may have been imported half old, half new: such a result is never fresh.
    key = digest(task.parts) if today == task.parts else None
    price = price_of(attempt, start, seconds) | usage
    record = _record(task, attempt, start, seconds) | {"key": key, "price": price, "old": _old(attempt)}
    write_json(attempt / freshness.RECORD, record)
    _carry_over(task.result.folder, attempt)
    task.result.publish(attempt)
    place = task.project.shown(task.result.folder)
    message = f"{task.title}: done in {seconds:.0f} s, {place}{changed and f'; {changed}'}"
    return Execution(task, "done", task.result.folder, message)


def _carry_over(old: Path, attempt: Path) -> None:
    """Copy what the user put into an older result to the one that takes its place."""
    made = (freshness.read_record(old) or {}).get("files")
    if not isinstance(made, dict):
        return
    for path in old.rglob("*"):
        name = path.relative_to(old)
        if path.is_file() and name.as_posix() not in {*made, freshness.RECORD} and not (attempt / name).exists():
            (attempt / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, attempt / name)


def _since(task: Task) -> tuple[str, bool]:
    """What has changed since a task began, in words, and whether the older result in its place is fresh by that."""
    try:
        now = task.again()
    except (InputError, OSError) as error:
        return f"changed while it ran: {error}", False
    if now.parts == task.parts:
        return "", False
    fresh = now.result == task.result and now.state()[0] == "fresh"
    return f"changed while it ran: {freshness.differences(task.parts, now.parts)}", fresh


def _record(task: Task, attempt: Path, start: datetime, seconds: float) -> dict[str, Any]:
    output_dir = task.result.folder.relative_to(task.project.root).as_posix()
    return {
        "notebook": task.source.name,
        "profile": task.profile if task.result.space.name != CUSTOM else CUSTOM,
        "parameters": task.parameters | {"output_dir": output_dir},
        "parts": task.parts,
        "start": start.isoformat(timespec="seconds"),
        "seconds": seconds,
        "code": code_version(task.project.root),
        "versions": versions(),
        "files": freshness.hashes(attempt, attempt.rglob("*")),
    }


def _old(attempt: Path) -> str:
    """How old the tables are that the chapter showed, in words; empty if they are today's."""
    path = attempt / CLAIMS
    return next((row["age"] for row in read_json(path) if row.get("age")), "") if path.is_file() else ""


def _keep(task: Task, attempt: Path, start: datetime, seconds: float, status: int) -> Execution:
    """Keep a failed attempt with its traceback, and put the failure into one line."""
    found = keep_traceback(attempt, status)
    shutil.rmtree(attempt / WORK)
    key = digest(task.parts)
    write_json(attempt / freshness.RECORD, _record(task, attempt, start, seconds) | {"key": key, "failure": found})
    folder = task.result.keep_failure(attempt, datetime.now(UTC).strftime("%Y-%m-%dT%H%M%S.%f"))
    place = task.project.shown(folder / TRACEBACK)
    cell = "" if found["cell"] is None else f", cell {found['cell']}"
    return Execution(task, "failed", folder, f"{task.title}: failed{cell}: {reason(found)}; see {place}")
