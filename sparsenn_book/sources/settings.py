"""Settings, dataclasses of plain data, filled with parameters of equal names."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, TypeVar

from sparsenn_core.errors import InputError

S = TypeVar("S")


def fill(kind: type[S], parameters: Mapping[str, Any], given: Mapping[str, Any]) -> S:
    """An instance of the dataclass `kind`: `given` fields as they are, the others from parameters of equal names,
    lists as tuples, the rest by their defaults. `InputError` for a field that has neither, and a given one unknown.
    """
    fields = {field.name: field for field in dataclasses.fields(kind)}  # type: ignore[arg-type]
    unknown = sorted(set(given) - set(fields))
    if unknown:
        raise InputError(f"{kind.__name__} has no field {', '.join(unknown)}; its fields: {', '.join(fields)}")
    values = {name: frozen(parameters[name]) for name in fields if name in parameters} | dict(given)
    required = [
        name
        for name, field in fields.items()
        if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
    ]
    gone = [name for name in required if name not in values]
    if gone:
        raise InputError(f"{kind.__name__}: no parameter is named {', '.join(gone)}, and it has no default")
    return kind(**values)


def frozen(value: Any) -> Any:
    """A value as settings hold it: a list as a tuple."""
    return tuple(value) if isinstance(value, list) else value
