"""Tasks: one notebook with all its parameters, where its result goes, and whether that is there already."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sparsenn_book.runner import freshness
from sparsenn_book.runner.result_folder import ResultFolder
from sparsenn_book.sources.notebooks import Source, find, names, read
from sparsenn_book.sources.profiles import CUSTOM, check_complete, resolve
from sparsenn_book.sources.project import Project


@dataclass(frozen=True)
class Task:
    """A notebook to execute at a profile with all `parameters` (but `output_dir`, which is where `result` lies)."""

    project: Project
    source: Source
    profile: str
    parameters: dict[str, Any]
    result: ResultFolder
    parts: dict[str, str]

    @property
    def title(self) -> str:
        """How messages name the task."""
        return f"{self.result.name} ({self.profile})"

    def state(self) -> tuple[freshness.State, str]:
        """State of the result that is on disk, and the reason."""
        return freshness.state(self.result.folder, self.result.failures, self.parts)


def plan(project: Project, name: str, profile: str, own: Sequence[tuple[str, str]] = ()) -> Task:
    """The task of one notebook. With parameters of one's own it gets a folder of its own, named by their hash."""
    return _task(project, find(project, name), profile, own)


def plan_book(project: Project, profile: str) -> list[Task]:
    """The tasks of all notebooks at a profile. `InputError` if any of them could not start."""
    check_complete(project, profile)
    return [_task(project, read(project, name), profile) for name in names(project)]


def _task(project: Project, source: Source, profile: str, own: Sequence[tuple[str, str]] = ()) -> Task:
    parameters = resolve(project, source, profile, own)
    parts = freshness.key_parts(project, source, parameters)
    if own:
        result = ResultFolder(project.results / CUSTOM, f"{source.name}-{parts['parameters'][:8]}")
    else:
        result = ResultFolder(project.results / profile, source.name)
    return Task(project, source, profile, parameters, result, parts)
