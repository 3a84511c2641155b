"""Execute one task: in a process of its own, in a folder of its own, published when it is done."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, Literal

from sparsenn_book.records.claims import FILE as CLAIMS
from sparsenn_book.records.closure import INSTALLED
from sparsenn_book.records.files import digest, read_json, write_json
from sparsenn_book.records.provenance import code_version, versions
from sparsenn_book.runner import freshness, worker
from sparsenn_book.runner.prices import price_of
from sparsenn_book.runner.result_folder import Interrupted
from sparsenn_book.runner.tasks import Task
from sparsenn_book.sources.policy import AFRESH, STORED_ONLY
from sparsenn_book.sources.profiles import CUSTOM
from sparsenn_core.errors import InputError

WORK = ".work"
LOG = "log.txt"
GRACE = 10.0  # seconds for a worker and its kernel to go, which takes less than one

# One thread a kernel: two notebooks share two cores, and a sum does not depend on how many cores there are.
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")


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
    work = attempt / WORK
    work.mkdir()
    # The worker gets the very text that was hashed, even if the file is edited meanwhile.
    (work / "source.py").write_text(task.source.text, encoding="utf-8")
    output_dir = attempt.relative_to(task.project.root).as_posix()
    parameters = task.parameters | {"output_dir": output_dir}
    output = f"{output_dir}/{freshness.EXECUTED}"
    write_json(work / worker.JOB, {"source": "source.py", "parameters": parameters, "output": output})
    paths = [str(INSTALLED), os.environ.get("PYTHONPATH", "")]
    told = {STORED_ONLY: str(int(task.stored_only)), AFRESH: str(int(force))}
    environment = os.environ | ONE_THREAD | told | {"PYTHONPATH": os.pathsep.join(path for path in paths if path)}
    command = [sys.executable, "-P", "-m", "sparsenn_book.runner.worker", f"{output_dir}/{WORK}"]
    with (work / LOG).open("wb") as log:
        # Detached from the terminal, so that Ctrl-C reaches the runner alone and the runner stops its workers in order.
        process = subprocess.Popen(
            command,
            cwd=task.project.root,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            start_new_session=True,
        )
    return _follow(task, process, watch)


def _follow(task: Task, process: subprocess.Popen[str], watch: Watch) -> int:
    """Pass on the worker's progress until it ends, and end it when the watch says stop."""
    assert process.stdout is not None
    assert process.stdin is not None
    told = ["starting"]
    lines = threading.Thread(target=_listen, args=(process.stdout, told), daemon=True)
    lines.start()
    try:
        while process.poll() is None:
            if watch.stopped():
                raise Interrupted
            watch.progress(task.result.name, told[-1])
            time.sleep(0.05)
        return process.returncode
    finally:
        process.stdin.close()
        try:
            process.wait(timeout=GRACE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        # The kernel has the other end of the pipe too: with its end of file both have gone. Only the reader closes it,
        # as to close a file in which another thread waits is to wait as well.
        lines.join(timeout=GRACE)
        watch.progress(task.result.name, "")


def _listen(stdout: IO[str], told: list[str]) -> None:
    with stdout:
        for line in stdout:
            if line.startswith("cell "):
                told.append(line.strip())


def _publish(task: Task, attempt: Path, start: datetime, seconds: float) -> Execution:
    usage = read_json(attempt / WORK / worker.USAGE)
    shutil.rmtree(attempt / WORK)
    _settle(task, attempt)
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


def _settle(task: Task, attempt: Path) -> None:
    """Let the executed notebook name the place where its result will lie, not the one where it was made."""
    path = attempt / freshness.EXECUTED
    made, settled = (folder.relative_to(task.project.root).as_posix() for folder in (attempt, task.result.folder))
    path.write_text(path.read_text(encoding="utf-8").replace(made, settled), encoding="utf-8")
    notebook = read_json(path)
    notebook["metadata"]["papermill"]["input_path"] = task.project.shown(task.source.path)
    write_json(path, notebook)


def _keep(task: Task, attempt: Path, start: datetime, seconds: float, status: int) -> Execution:
    """Keep a failed attempt with its traceback, and put the failure into one line."""
    found = _failure(attempt / WORK, status)
    log = (attempt / WORK / LOG).read_text(encoding="utf-8", errors="replace")
    (attempt / "traceback.txt").write_text(_plain("\n".join(found["traceback"]) or log), encoding="utf-8")
    shutil.rmtree(attempt / WORK)
    key = digest(task.parts)
    write_json(attempt / freshness.RECORD, _record(task, attempt, start, seconds) | {"key": key, "failure": found})
    folder = task.result.keep_failure(attempt, datetime.now(UTC).strftime("%Y-%m-%dT%H%M%S.%f"))
    place = task.project.shown(folder / "traceback.txt")
    cell = "" if found["cell"] is None else f", cell {found['cell']}"
    reason = " ".join(_plain(f"{found['error']}: {found['message']}").split())
    return Execution(task, "failed", folder, f"{task.title}: failed{cell}: {reason[:300]}; see {place}")


def _failure(work: Path, status: int) -> dict[str, Any]:
    """What the worker says went wrong; cells are counted from 1, as in the source."""
    try:
        found = read_json(work / worker.ERROR)
    except (OSError, ValueError):
        name = signal.Signals(-status).name if status < 0 else f"exit status {status}"
        message = f"the process that ran it ended with {name}" + (" (out of memory?)" if name == "SIGKILL" else "")
        return {"cell": None, "error": "Killed" if status < 0 else "Error", "message": message, "traceback": []}
    return dict(found)


def _plain(text: str) -> str:
    """Text without terminal colours."""
    return re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", text)
