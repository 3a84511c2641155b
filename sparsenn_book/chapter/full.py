"""The full scale beside the run that is shown: committed tables, today's full settings, and how old the tables are."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

import pandas as pd

from sparsenn_book.chapter.pages import age_of
from sparsenn_book.records.claims import Claim
from sparsenn_book.records.identity import content_digest, identity
from sparsenn_book.records.tables import read_table
from sparsenn_book.sources.notebooks import Source
from sparsenn_book.sources.profiles import profiles, resolve
from sparsenn_book.sources.project import Project
from sparsenn_book.sources.settings import fill
from sparsenn_core.errors import InputError

S = TypeVar("S")
FULL = "full"


class _Tables(Mapping[str, pd.DataFrame]):
    """Committed tables by name, read when first asked for."""

    def __init__(self, project: Project, notebook: str) -> None:
        self.folder = project.results / FULL / notebook
        self._read: dict[str, pd.DataFrame] = {}

    def __getitem__(self, name: str) -> pd.DataFrame:
        if name not in self._read:
            path = self.folder / f"{name}.parquet"
            if not path.is_file():
                raise KeyError(name)
            self._read[name] = read_table(path)
        return self._read[name]

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(path.stem for path in self.folder.glob("*.parquet")))

    def __len__(self) -> int:
        return sum(1 for _ in self)


class FullScale:
    """What the full profile says, seen from a run of any profile.

    tables   committed tables by name; empty where none are
    """

    def __init__(self, project: Project, source: Source) -> None:
        self.project = project
        self.tables: Mapping[str, pd.DataFrame] = _Tables(project, source.name)
        there = FULL in profiles(project) and (project.params / FULL / f"{source.name}.yaml").is_file()
        self._parameters = resolve(project, source, FULL) if there else {}
        # settings are held, so that no other object can get their id
        self._settings: dict[int, tuple[Any, Mapping[str, Any]]] = {}
        self._names: dict[str, str] = {}
        self._expected: dict[str, tuple[Callable[..., Any], Sequence[Any], str]] = {}

    def settings(self, kind: type[S], **given: Any) -> S:
        """Settings as the full profile has them."""
        return fill(kind, self._parameters, given)

    @property
    def age(self) -> str:
        """Empty if all tables that this chapter has shown so far are there at full scale as today's code would make
        them; else in words what is missing or old, with the date.
        """
        gone = [name for name in self._expected if name not in self.tables]
        if gone:
            return f"not there: {', '.join(gone)}"
        ages = {name: self._age_of(name) for name in self._expected}
        return age_of({name: self.tables[name] for name, age in ages.items() if age}, ages)

    def claims(self, function: Callable[..., list[Claim]], settings: Sequence[Any]) -> list[Claim]:
        """The claims of the committed tables; none where tables are missing, or too old for today's claims to read."""
        if any(name not in self.tables for name in self._expected) or not self._expected:
            return []
        try:
            return function(self.tables, *[self._as_full(value) for value in settings])
        except (InputError, LookupError, AttributeError, TypeError, ValueError):
            if self.age:
                return []
            raise

    def remember(self, settings: Any, given: Mapping[str, Any]) -> None:
        """Note how settings of this run were made, so that those of the full profile can be made alike."""
        self._settings[id(settings)] = (settings, given)

    def name_table(self, name: str, frame: pd.DataFrame) -> None:
        """Note which table of this run has this content."""
        self._names[content_digest(frame)] = name

    def expect(self, parts: Mapping[str, str], function: Callable[..., Any], arguments: Sequence[Any]) -> None:
        """Note how tables of this run are made, so that the identity of the full profile's can be told."""
        for name, part in parts.items():
            self._expected[name] = (function, arguments, part)

    def _age_of(self, name: str) -> str:
        function, arguments, part = self._expected[name]
        try:
            alike = [self._as_full(value) for value in arguments]
            wanted = identity(function, alike, self.project.data, self.project.root, part)
        except KeyError:
            return "made from a table that is not there"
        return wanted.difference(self.tables[name].attrs["provenance"].get("identity", {}))

    def _as_full(self, value: Any) -> Any:
        if id(value) in self._settings:
            kind, given = type(value), self._settings[id(value)][1]
            return self.settings(kind, **given)
        if isinstance(value, pd.DataFrame):
            return self.tables[self._names[content_digest(value)]]
        return value
