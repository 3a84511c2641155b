"""Table functions of the project, found by name: what they ask for, as parameters, and how they are called."""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from sparsenn_book.records.closure import PACKAGES
from sparsenn_book.sources.parameters import Parameter
from sparsenn_book.sources.settings import fill, frozen
from sparsenn_core.errors import InputError, unknown

DEVICE = "device"  # filled in where a function runs; it says where, not what
KINDS: dict[Any, str] = {
    bool: "bool", int: "int", float: "float", str: "str",
    tuple[int, ...]: "list[int]", tuple[float, ...]: "list[float]", tuple[str, ...]: "list[str]",
}  # fmt: skip
"""Types of arguments and settings that a file can set, and the kinds of parameters that they are."""
REQUIRED = object()
"""The default of a parameter that has none."""


@dataclass(frozen=True)
class TableFunction:
    """A function from settings and plain values to a table, or to several by name.

    `arguments` are those it takes but `device`: for each the settings class, or None for a plain value. `parameters`
    are those and the settings' fields, flat, as a file sets them.
    """

    name: str
    function: Callable[..., Any]
    arguments: dict[str, type | None]
    parameters: dict[str, Parameter]
    several: bool

    @property
    def module(self) -> str:
        """The module that defines it."""
        return str(self.function.__module__)

    def filled(self, values: Mapping[str, Any]) -> list[Any]:
        """Its arguments, of a value for each parameter. `InputError` if settings refuse the values."""
        try:
            return [
                frozen(values[name]) if settings is None else fill(settings, values, {})
                for name, settings in self.arguments.items()
            ]
        except InputError:
            raise
        except Exception as error:  # whatever a settings class raises is its way to refuse
            raise InputError(f"{self.name}: its settings refuse these values: {error}") from None


def find(name: str) -> TableFunction:
    """The table function of that full name, e.g. `sparsenn_book.studies.rebound.scaling.levels`.

    Imports its module, with all that this computes with. `InputError` if there is none or it is of another kind.
    """
    path, _, last = name.rpartition(".")
    if path.split(".")[0] not in PACKAGES or not all(part.isidentifier() for part in name.split(".")):
        raise InputError(f"function: {name!r} is no function of {' or '.join(PACKAGES)}, named in full")
    try:
        module = importlib.import_module(path)
    except Exception as error:  # whatever importing a module raises
        raise InputError(f"function: {name!r}: {type(error).__name__}: {error}") from None
    function = getattr(module, last, None)
    if last.startswith("_") or not inspect.isfunction(function) or "." in function.__qualname__:
        raise unknown("function", last, _public(module), where=path)
    # By the module that defines it: the face of a room hands on what others define.
    return _described(f"{function.__module__}.{function.__name__}", function)


def _described(name: str, function: Callable[..., Any]) -> TableFunction:
    hints = typing.get_type_hints(function)
    made = hints.get("return")
    several = typing.get_origin(made) in (dict, Mapping) and typing.get_args(made) == (str, pd.DataFrame)
    if made is not pd.DataFrame and not several:
        raise InputError(f"{name}: makes no table: it returns {inspect.formatannotation(made)}")
    arguments: dict[str, type | None] = {}
    parameters: dict[str, Parameter] = {}
    for argument in inspect.signature(function).parameters.values():
        if argument.name == DEVICE:
            continue
        kind = hints.get(argument.name)
        if dataclasses.is_dataclass(kind) and isinstance(kind, type):
            arguments[argument.name] = kind
            parameters |= _fields(kind)
        elif kind in KINDS and argument.kind is argument.POSITIONAL_OR_KEYWORD:
            default = REQUIRED if argument.default is argument.empty else argument.default
            arguments[argument.name] = None
            parameters[argument.name] = Parameter(argument.name, KINDS[kind], default)
        else:
            what = inspect.formatannotation(kind)
            raise InputError(f"{name}: {argument.name} is a {what}; settings and plain values can be set, no more")
    return TableFunction(name, function, arguments, parameters, several)


def _fields(settings: type) -> dict[str, Parameter]:
    """The fields of a settings class that a file can set. `InputError` for one that it would have to and cannot."""
    found, hints = {}, typing.get_type_hints(settings)
    for field in dataclasses.fields(settings):
        made = field.default_factory
        default = field.default if made is dataclasses.MISSING else made()
        needed = default is dataclasses.MISSING
        if hints[field.name] in KINDS:
            found[field.name] = Parameter(field.name, KINDS[hints[field.name]], REQUIRED if needed else default)
        elif needed:
            what = inspect.formatannotation(hints[field.name])
            raise InputError(f"{settings.__name__}.{field.name} is a {what}, which no file can set")
    return found


def _public(module: types.ModuleType) -> list[str]:
    return [name for name, value in vars(module).items() if inspect.isfunction(value) and not name.startswith("_")]
