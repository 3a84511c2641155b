"""What tasks need of this machine and this checkout, looked at before any of them starts: a device, and whole data."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from collections.abc import Iterator, Sequence

from sparsenn_book.runner.freshness import data_names
from sparsenn_book.runner.tasks import Task
from sparsenn_book.sources.project import Project
from sparsenn_core.errors import InputError

SUMS = "SHA256SUMS"
"""File beside the data files with the sha256 of each, as `sha256sum` writes and checks them."""
HAS_CUDA = "import sys, torch; sys.exit(not torch.cuda.is_available())"


def check_possible(tasks: Sequence[Task]) -> None:
    """`InputError` for a task that names a device that is not there or a data file that is gone or harmed, or that
    needs a chapter which neither is among the tasks nor has tables. Seconds: 3 where `cuda` is asked for, as PyTorch
    must be asked, and in a process of its own; else hundredths.
    """
    planned = {task.source.name for task in tasks}
    for task in tasks:
        for complaint in _data(task):
            raise InputError(f"{complaint}; `git checkout notebooks/data` brings it back")
        for name in sorted(set(task.needs) - planned):
            _check_tables(task, name)
    on_cuda = [task for task in tasks if task.parameters.get("device") == "cuda"]
    if on_cuda and subprocess.run([sys.executable, "-P", "-c", HAS_CUDA], check=False, capture_output=True).returncode:
        message = "device: cuda is asked for and not available here; auto or cpu would run"
        raise InputError(f"{on_cuda[0].title}: {message}")


def recorded_sums(project: Project) -> dict[str, str]:
    """The sha256 of each data file that is committed, by its name; empty where there is no list of them."""
    path = project.data / SUMS
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    return {name: content for content, name in (line.split(maxsplit=1) for line in lines if line)}


def _check_tables(task: Task, name: str) -> None:
    """`InputError` where a chapter that the task needs has no tables at the task's profile."""
    folder = task.project.results / task.profile / name
    if not any(folder.glob("*.parquet")):
        there = f"{task.project.shown(folder)} has no tables"
        how = f"`sparsenn run {name} --profile {task.profile}` makes them"
        raise InputError(f"{task.title}: it reads those of {name}, and {there}; {how}")


def _data(task: Task) -> Iterator[str]:
    sums = recorded_sums(task.project)
    for name in sorted(data_names(task.project, task.source) & set(sums)):
        path = task.project.data / name
        if not path.is_file():
            yield f"{task.project.shown(path)}: no such file"
        elif hashlib.sha256(path.read_bytes()).hexdigest() != sums[name]:
            yield f"{task.project.shown(path)}: not the file whose sha256 stands in {SUMS}"
