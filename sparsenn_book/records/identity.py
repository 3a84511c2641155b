"""What a table is: the function that makes it, its arguments, its source, its data files, the numerical libraries.

Two tables of one identity are the same table, so none is computed twice; a table of another identity than today's was
made by older code, and `difference` says what changed since.
"""

from __future__ import annotations

import dataclasses
import hashlib
import importlib.metadata
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from sparsenn_book.records.closure import INSTALLED, closure, code_digest, strings
from sparsenn_book.records.files import digest
from sparsenn_core.errors import InputError

NUMERICAL = ("torch", "numpy", "scipy", "pandas", "cvxpy", "scikit-learn")
WORDS = {
    "function": "another function made it",
    "arguments": "made with other settings or from other tables",
    "code": "made by older code",
    "data": "made from other data files",
    "libraries": "made with other versions of the libraries",
}


@dataclass(frozen=True)
class Identity:
    """The parts of an identity, each as text or digest; `key` is the digest of all."""

    function: str
    arguments: str
    code: str
    data: str
    libraries: str

    @property
    def key(self) -> str:
        """sha256 of all parts."""
        return digest(dataclasses.asdict(self))

    def difference(self, stored: Mapping[str, Any]) -> str:
        """Empty if `stored` (an identity as a mapping) is this one, else in words what differs first."""
        for part, words in WORDS.items():
            if stored.get(part) != getattr(self, part):
                return words
        return ""


def identity(
    function: Callable[..., Any], arguments: Sequence[Any], data: Path, root: Path = INSTALLED, part: str = ""
) -> Identity:
    """The identity of what `function(*arguments)` returns, or of the `part` of it by that name.

    `data` is the folder of the data files, which count where the source names them in full; `root` that of the
    packages. Arguments are plain data, dataclasses of plain data, and tables. `InputError` for anything else, and for
    a function that is not found by its name in a module of the project.
    """
    module, name = function.__module__, getattr(function, "__qualname__", "")
    if module == "__main__" or not name.isidentifier():
        raise InputError(f"{module}.{name}: a table is made by a named function of a module, not by a cell's own code")
    files = closure([module], root)
    named = strings(files.values())
    there = sorted(path for path in data.iterdir() if path.name in named) if data.is_dir() else []
    described = [describe(value, f"{name}, argument {n}") for n, value in enumerate(arguments, start=1)]
    return Identity(
        function=f"{module}.{name}" + (f":{part}" if part else ""),
        arguments=digest(described),
        code=code_digest(files.items()),
        data=digest({path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in there}),
        libraries=", ".join(f"{name} {_public_version(name)}" for name in NUMERICAL),
    )


def describe(value: Any, where: str) -> Any:
    """A value as JSON that tells equal values from unequal ones; a table by the digest of its content."""
    if isinstance(value, pd.DataFrame):
        return {"table": content_digest(value)}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {f.name: describe(getattr(value, f.name), f"{where}, {f.name}") for f in dataclasses.fields(value)}
        return {"class": type(value).__qualname__, "fields": fields}
    if isinstance(value, Mapping):
        return {"mapping": {str(key): describe(entry, f"{where}, {key}") for key, entry in value.items()}}
    if isinstance(value, list | tuple | range):
        return [describe(entry, f"{where}, entry {n}") for n, entry in enumerate(value, start=1)]
    if isinstance(value, float) and not math.isfinite(value):
        return {"float": repr(value)}
    if value is None or type(value) in (bool, int, float, str):
        return value
    raise InputError(
        f"{where}: a {type(value).__name__} is no plain data; pass numbers, text, lists, settings or tables"
    )


def content_digest(frame: pd.DataFrame) -> str:
    """sha256 of a table's columns, types and values, in order; the index does not count."""
    found = hashlib.sha256()
    for name in frame.columns:
        column = frame[name]
        found.update(f"{name}\0{column.dtype}\0".encode())
        found.update(np.ascontiguousarray(pd.util.hash_pandas_object(column, index=False).to_numpy()).tobytes())
    return found.hexdigest()


def _public_version(library: str) -> str:
    """The version without what names a build (2.11.0+cu126 is 2.11.0)."""
    try:
        return importlib.metadata.version(library).partition("+")[0]
    except importlib.metadata.PackageNotFoundError:
        return "none"
