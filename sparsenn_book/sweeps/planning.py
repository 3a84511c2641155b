"""From a sweep file to its runs: every parameter resolved and checked, every run named by what it computes."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sparsenn_book.records.closure import closure, code_digest, imported, strings
from sparsenn_book.records.files import digest
from sparsenn_book.records.identity import NUMERICAL
from sparsenn_book.records.provenance import versions
from sparsenn_book.runner.freshness import hashes
from sparsenn_book.sources.parameters import shown
from sparsenn_book.sources.project import Project
from sparsenn_book.sweeps.kinds import Kind, kind_of
from sparsenn_book.sweeps.runs import ID_DIGITS, Run
from sparsenn_book.sweeps.sweep_file import SweepFile
from sparsenn_core.errors import InputError, unknown

_PLACE = re.compile(r"\{(\w*)\}")


def plan(project: Project, file: SweepFile) -> list[Run]:
    """The runs of a sweep, in the order of its file. `InputError` for anything that could not run, and for two runs
    that would be one. Imports the module of a function; else reads files alone.
    """
    kind = kind_of(project, file)
    file = _checked(file, kind)
    source = source_digest(project, kind.notebook, kind.module)
    runs: dict[str, Run] = {}
    for place, given in enumerate(file.designs(), 1):
        varied = {name: given[name] for name in file.varied}
        where = f"{file.where}: run {place}{_told(varied)}"
        values = kind.base | given
        kind.check(values, where)
        key = digest({"source": source, **kind.described(values)})
        if key[:ID_DIGITS] in runs:
            raise InputError(f"{where}: computes the same as another run of this sweep")
        table = _table(file.table, values, where) or kind.function.rpartition(".")[2]
        runs[key[:ID_DIGITS]] = Run(
            root=str(project.root),
            sweep=file.name,
            notebook=kind.notebook,
            function=kind.function,
            module=kind.module,
            parameters=values,
            table=table,
            key=key,
            source=source,
            varied=varied,
        )
    return list(runs.values())


def source_digest(project: Project, notebook: str, module: str) -> str:
    """What numbers depend on beside parameters: the statements of a notebook, or of a function's `module`, and of all
    source these compute with; the data files that these name; the versions of the numerical libraries.
    """
    path = project.notebooks / f"{notebook}.py"
    modules = [module] if module else _imported(project, path)
    files = closure(modules, project.root) | ({} if module else {notebook: path})
    named = strings(files.values())
    data = [one for one in project.data.iterdir() if one.name in named] if project.data.is_dir() else []
    # Without what names a build: 2.11.0+cu126 is 2.11.0.
    libraries = {name: version.partition("+")[0] for name, version in versions().items() if name in NUMERICAL}
    return digest({"code": code_digest(files.items()), "data": hashes(project.data, data), "libraries": libraries})


def _imported(project: Project, path: Path) -> list[str]:
    try:
        return imported(path.read_text(encoding="utf-8"), project.root)
    except SyntaxError as error:
        raise InputError(f"{project.shown(path)}, line {error.lineno}: {error.msg}") from None


def _checked(file: SweepFile, kind: Kind) -> SweepFile:
    """The file with every value as its parameter has it."""
    fixed = {
        name: kind.parameter(name, f"{file.where}: fixed").check(value, f"{file.where}: fixed")
        for name, value in file.fixed.items()
    }
    lists = {
        section: {name: _entries(kind, name, values, f"{file.where}: {section}") for name, values in given.items()}
        for section, given in (("grid", file.grid), ("zip", file.zipped))
    }
    return dataclasses.replace(file, fixed=fixed, grid=lists["grid"], zipped=lists["zip"])


def _entries(kind: Kind, name: str, values: list[Any], where: str) -> list[Any]:
    parameter = kind.parameter(name, where)
    return [parameter.check(value, f"{where}, entry {place}") for place, value in enumerate(values, 1)]


def _table(pattern: str, values: Mapping[str, Any], where: str) -> str:
    """The name of a run's table: `{name}` stands for a parameter's value."""

    def value(match: re.Match[str]) -> str:
        if match[1] not in values:
            raise unknown("parameter", match[1], values, where=f"{where}: table")
        return str(values[match[1]])

    name = _PLACE.sub(value, pattern)
    if name and not name.isidentifier():
        raise InputError(f"{where}: table: {shown(name)} is no name of a table")
    return name


def _told(varied: Mapping[str, Any]) -> str:
    told = ", ".join(f"{name} {shown(value)}" for name, value in varied.items())
    return f" ({told})" if told else ""
