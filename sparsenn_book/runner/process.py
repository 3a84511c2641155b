"""The process of one run: a worker in an attempt's folder, followed until it ends, and what went wrong in it.

A chapter's notebook and every run of a sweep are executed so, on this machine and on any other: a process of its own
has today's source, its own memory, and takes nobody along when it dies.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any

from sparsenn_book.records.closure import INSTALLED
from sparsenn_book.records.files import naming, read_json, write_json
from sparsenn_book.runner import freshness, worker

WORK = ".work"
LOG = "log.txt"
TRACEBACK = "traceback.txt"
GRACE = 10.0  # seconds for a worker and its kernel to go, which takes less than one

# One thread a kernel: two notebooks share two cores, and a sum does not depend on how many cores there are.
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")

Follow = Callable[[str], None]
"""Called twenty times a second with what the worker told last; may raise to end it."""


def run_notebook(
    root: Path, attempt: Path, text: str, parameters: Mapping[str, Any], told: Mapping[str, str], follow: Follow
) -> int:
    """Execute a notebook's source into `attempt/executed.ipynb`, its results beside; the worker's exit status.

    `told` are environment variables for the chapter.
    """
    output_dir = attempt.relative_to(root).as_posix()
    output = f"{output_dir}/{freshness.EXECUTED}"
    values = dict(parameters) | {"output_dir": output_dir}
    (attempt / WORK).mkdir()
    # The worker gets the very text that was hashed, even if the file is edited meanwhile.
    _write(attempt / WORK / "source.py", text)
    return _run(
        root, attempt, {"source": "source.py", "parameters": values, "output": output}, [INSTALLED], told, follow
    )


def run_function(
    root: Path, attempt: Path, function: str, parameters: Mapping[str, Any], told: Mapping[str, str], follow: Follow
) -> int:
    """Compute the tables of a function, named in full, into `attempt`; the worker's exit status."""
    (attempt / WORK).mkdir()
    output = attempt.relative_to(root).as_posix()
    job = {"function": function, "parameters": dict(parameters), "output": output}
    return _run(root, attempt, job, [root, INSTALLED], told, follow)


def settle(root: Path, attempt: Path, folder: Path, source: str) -> None:
    """Let the executed notebook of `attempt` name the place where it will lie, not the one where it was made."""
    path = attempt / freshness.EXECUTED
    made, settled = (place.relative_to(root).as_posix() for place in (attempt, folder))
    _write(path, path.read_text(encoding="utf-8").replace(made, settled))
    notebook = read_json(path)
    notebook["metadata"]["papermill"]["input_path"] = source
    write_json(path, notebook)


def keep_traceback(attempt: Path, status: int) -> dict[str, Any]:
    """Write what the worker says went wrong to `traceback.txt`, and return it; cells are counted from 1."""
    found = _failure(attempt / WORK, status)
    log = (attempt / WORK / LOG).read_text(encoding="utf-8", errors="replace")
    _write(attempt / TRACEBACK, plain("\n".join(found["traceback"]) or log))
    return found


def reason(failure: Mapping[str, Any]) -> str:
    """A failure in one line of at most 300 characters."""
    return " ".join(plain(f"{failure['error']}: {failure['message']}").split())[:300]


def plain(text: str) -> str:
    """Text without terminal colours."""
    return re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", text)


def _write(path: Path, text: str) -> None:
    with naming(path):
        path.write_text(text, encoding="utf-8")


def _run(
    root: Path, attempt: Path, job: dict[str, Any], first: list[Path], told: Mapping[str, str], follow: Follow
) -> int:
    write_json(attempt / WORK / worker.JOB, job)
    paths = [*map(str, first), os.environ.get("PYTHONPATH", "")]
    environment = os.environ | ONE_THREAD | dict(told) | {"PYTHONPATH": os.pathsep.join(path for path in paths if path)}
    work = (attempt / WORK).relative_to(root).as_posix()
    with (attempt / WORK / LOG).open("wb") as log:
        # Detached from the terminal, so that Ctrl-C reaches the runner alone and the runner stops its workers in order.
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "sparsenn_book.runner.worker", work],
            cwd=root,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            start_new_session=True,
        )
    return _followed(process, follow)


def _followed(process: subprocess.Popen[str], follow: Follow) -> int:
    """Pass on the worker's progress until it ends, and end it when `follow` raises."""
    assert process.stdout is not None
    assert process.stdin is not None
    told = ["starting"]
    lines = threading.Thread(target=_listen, args=(process.stdout, told), daemon=True)
    lines.start()
    try:
        while process.poll() is None:
            follow(told[-1])
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


def _listen(stdout: IO[str], told: list[str]) -> None:
    with stdout:
        for line in stdout:
            if line.startswith("cell "):
                told.append(line.strip())


def _failure(work: Path, status: int) -> dict[str, Any]:
    try:
        found = read_json(work / worker.ERROR)
    except (OSError, ValueError):
        if status == worker.UNWRITTEN:
            message = "how it ended could not be written; the disk is full?"
            return {"cell": None, "error": "OSError", "message": message, "traceback": []}
        name = signal.Signals(-status).name if status < 0 else f"exit status {status}"
        message = f"the process that ran it ended with {name}" + (" (out of memory?)" if name == "SIGKILL" else "")
        return {"cell": None, "error": "Killed" if status < 0 else "Error", "message": message, "traceback": []}
    return dict(found)
