"""The two things that a sweep is of: a notebook, or one table function, whose settings it fills as a chapter does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from sparsenn_book.records.files import digest
from sparsenn_book.records.identity import describe
from sparsenn_book.runner.table_functions import DEVICE, REQUIRED
from sparsenn_book.runner.table_functions import find as find_function
from sparsenn_book.sources import notebooks
from sparsenn_book.sources.notebooks import Source
from sparsenn_book.sources.parameters import Parameter
from sparsenn_book.sources.profiles import allowed, at_profile
from sparsenn_book.sources.project import Project
from sparsenn_book.sources.rules import check_jointly
from sparsenn_book.sweeps.sweep_file import SweepFile
from sparsenn_core.errors import InputError, unknown


class Kind(Protocol):
    """What planning asks of either."""

    notebook: str
    function: str
    module: str
    base: dict[str, Any]

    def parameter(self, name: str, where: str) -> Parameter:
        """The parameter that a sweep may set by this name. `InputError` that starts with `where`."""
        ...

    def check(self, values: Mapping[str, Any], where: str) -> None:
        """`InputError` that starts with `where` unless the values of one run, each checked, go together."""
        ...

    def described(self, values: Mapping[str, Any]) -> Any:
        """What makes a run with these values another one than a run with others, as JSON."""
        ...


def kind_of(project: Project, file: SweepFile) -> Kind:
    """What a sweep is of. `InputError` that starts with its file if there is no such notebook, profile or function."""
    try:
        source = notebooks.find(project, file.notebook) if file.notebook else None
        if file.function:
            return OfFunction(project, file, source)
        assert source is not None
        return OfNotebook(project, file, source)
    except InputError as error:
        raise InputError(f"{file.where}: {error}") from None


class OfNotebook:
    """Runs of a whole notebook at a profile."""

    def __init__(self, project: Project, file: SweepFile, source: Source) -> None:
        if source.needs:
            raise InputError(
                f"{source.name} reads the tables of {', '.join(source.needs)}, which a sweep does not make"
            )
        self.notebook, self.function, self.module = source.name, "", ""
        self.base = at_profile(project, source, file.profile)
        self._source = source

    def parameter(self, name: str, where: str) -> Parameter:
        """A parameter that the notebook declares."""
        return allowed(self._source, name, where)

    def check(self, values: Mapping[str, Any], where: str) -> None:
        """By the rules in the notebook's parameters cell."""
        check_jointly(self._source.parameters, values, where)

    def described(self, values: Mapping[str, Any]) -> Any:
        """All parameters but the device."""
        return {"notebook": self.notebook, "parameters": {n: v for n, v in values.items() if n != DEVICE}}


class OfFunction:
    """Runs of one table function; parameters that a notebook declares are as it declares them, at its profile."""

    def __init__(self, project: Project, file: SweepFile, source: Source | None) -> None:
        self._found = find_function(file.function)
        self.notebook, self.function, self.module = "", self._found.name, self._found.module
        own = self._found.parameters
        self._declared = source.parameters if source else {}
        self._profile = at_profile(project, source, file.profile) if source else {}
        defaults = {name: parameter.default for name, parameter in own.items() if parameter.default is not REQUIRED}
        known = defaults | {name: value for name, value in self._profile.items() if name in own}
        self.base = {name: list(value) if isinstance(value, tuple) else value for name, value in known.items()}
        self._settable = {name: self._declared.get(name, parameter) for name, parameter in own.items()}
        self._settable[DEVICE] = Parameter(DEVICE, "str", "auto", choices=("auto", "cpu", "cuda"))

    def parameter(self, name: str, where: str) -> Parameter:
        """A plain argument, or a field of its settings."""
        if name not in self._settable:
            raise unknown(f"parameter of {self.function}", name, self._settable, where=where)
        return self._settable[name]

    def check(self, values: Mapping[str, Any], where: str) -> None:
        """By the rules of the notebook, where one is named; and the settings are made, as they may refuse values."""
        gone = [name for name in self._found.parameters if name not in values]
        if gone:
            raise InputError(f"{where}: {', '.join(gone)}: has no default, and no value is given")
        check_jointly(self._declared, self._profile | dict(values), where)
        try:
            self._found.filled(values)
        except InputError as error:
            raise InputError(f"{where}: {error}") from None

    def described(self, values: Mapping[str, Any]) -> Any:
        """The arguments, as those of a table are."""
        return {"function": self.function, "arguments": digest(describe(self._found.filled(values), self.function))}
