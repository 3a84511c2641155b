"""Tasks: one notebook with all its parameters, where its result goes, and whether that is there already."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sparsenn_book.records.files import digest
from sparsenn_book.runner import freshness
from sparsenn_book.runner.result_folder import ResultFolder
from sparsenn_book.sources.notebooks import Source, find, names, read
from sparsenn_book.sources.profiles import CUSTOM, check_complete, resolve
from sparsenn_book.sources.project import Project
from sparsenn_core.errors import InputError, unknown


@dataclass(frozen=True)
class Task:
    """A notebook to execute at a profile with all `parameters` (but `output_dir`, which is where `result` lies).

    `needs` names the notebooks whose tables it reads; `stored_only`: it shows the tables that are kept, whatever their
    age, and computes none. `own` are the parameters of one's own, as names and texts.
    """

    project: Project
    source: Source
    profile: str
    parameters: dict[str, Any]
    result: ResultFolder
    parts: dict[str, str]
    stored_only: bool = False
    own: tuple[tuple[str, str], ...] = ()

    @property
    def title(self) -> str:
        """How messages name the task."""
        return f"{self.result.name} ({self.profile})"

    @property
    def needs(self) -> list[str]:
        """Names of the notebooks that come before it."""
        return self.source.needs

    def again(self) -> Task:
        """The task as it is planned from the files as they are now. `InputError` or `OSError` if it could not start."""
        source = read(self.project, self.source.name)
        _check_needs(self.project, [source])
        return _task(self.project, source, self.profile, self.own, stored_only=self.stored_only)

    def parts_now(self) -> dict[str, str]:
        """Its parts once more, from the files as they are now, but of the text that it was planned with."""
        return _parts(self.project, self.source, self.profile, self.parameters)

    def state(self) -> tuple[freshness.State, str]:
        """State of the result that is on disk, and the reason. One that shows old tables is stale where new ones may be
        computed.
        """
        found, reason = freshness.state(self.result.folder, self.result.failures, self.parts)
        old = (freshness.read_record(self.result.folder) or {}).get("old")
        return ("stale", f"tables {old}") if found == "fresh" and old and not self.stored_only else (found, reason)


def plan(project: Project, name: str, profile: str, own: Sequence[tuple[str, str]] = ()) -> Task:
    """The task of one notebook. With parameters of one's own it gets a folder of its own, named by their hash."""
    source = find(project, name)
    _check_needs(project, [source])
    return _task(project, source, profile, own)


def plan_book(project: Project, profile: str, *, stored_only: bool = False) -> list[Task]:
    """The tasks of all notebooks at a profile, each after those that it needs. `InputError` if any could not start."""
    check_complete(project, profile)
    sources = [read(project, name) for name in names(project)]
    _check_needs(project, sources)
    return [_task(project, source, profile, stored_only=stored_only) for source in _ordered(sources)]


def _task(
    project: Project, source: Source, profile: str, own: Sequence[tuple[str, str]] = (), *, stored_only: bool = False
) -> Task:
    parameters = resolve(project, source, profile, own)
    parts = _parts(project, source, profile, parameters)
    if own:
        result = ResultFolder(project.results / CUSTOM, f"{source.name}-{parts['parameters'][:8]}")
    else:
        result = ResultFolder(project.results / profile, source.name)
    return Task(project, source, profile, parameters, result, parts, stored_only, tuple(own))


def _parts(project: Project, source: Source, profile: str, parameters: dict[str, Any]) -> dict[str, str]:
    needed = {name: digest(_task(project, read(project, name), profile).parts) for name in source.needs}
    return freshness.key_parts(project, source, parameters, needed)


def _check_needs(project: Project, sources: Sequence[Source]) -> None:
    """`InputError` for a need that is no notebook, or that leads back to where it came from."""
    known = names(project)
    waiting: list[tuple[Source, tuple[str, ...]]] = [(source, (source.name,)) for source in sources]
    while waiting:
        source, way = waiting.pop()
        for name in source.needs:
            if name not in known:
                raise unknown("notebook", name, known, where=f"{project.shown(source.path)}: needs")
            if name in way:
                raise InputError(f"{project.shown(source.path)}: needs runs in a circle: {' -> '.join((*way, name))}")
            waiting.append((read(project, name), (*way, name)))


def _ordered(sources: Sequence[Source]) -> list[Source]:
    """In the order of their names, but each after those that it needs."""
    left, done = list(sources), list[Source]()
    while left:
        ready = next(s for s in left if all(name in {d.name for d in done} for name in s.needs))
        left.remove(ready)
        done.append(ready)
    return done
