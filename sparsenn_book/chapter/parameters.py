"""The parameters of a run: checked as the notebook declares them, and handed on to settings by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sparsenn_book.sources.notebooks import FILLED_IN, NEEDS, Source
from sparsenn_book.sources.profiles import CUSTOM, profiles, resolve
from sparsenn_book.sources.project import Project
from sparsenn_book.sources.rules import check_jointly
from sparsenn_core.errors import InputError

WHERE = (*FILLED_IN, NEEDS, "device")
"""Parameters that say where something runs or lies, not what."""


def checked(source: Source, namespace: Mapping[str, Any], project: Project) -> dict[str, Any]:
    """The values in `namespace` of the parameters that the notebook declares, each checked. `InputError` names it."""
    where = project.shown(source.path)
    gone = [name for name in source.parameters if name not in namespace]
    if gone:
        raise InputError(f"{where}: {', '.join(gone)} is declared in the parameters cell and has no value here")
    values = {name: parameter.check(namespace[name], where) for name, parameter in source.parameters.items()}
    check_jointly(source.parameters, values, where)
    return values


def profile_of(source: Source, parameters: Mapping[str, Any], project: Project) -> str:
    """The profile that the values are those of: the one they name, or `custom` if any of them differs from it."""
    named = str(parameters["profile"])
    if named not in profiles(project):
        return CUSTOM
    declared = resolve(project, source, named)
    same = all(parameters[name] == value for name, value in declared.items() if name not in WHERE)
    return named if same else CUSTOM
