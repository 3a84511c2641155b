"""Which fit is it? Every part of a fit as a digest, equal in another process, so that checkpoints know their own."""

from __future__ import annotations

import dataclasses
import hashlib
import platform
import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from sparsenn_core.errors import InputError
from sparsenn_core.training.anatomy import Anatomy, NoAnatomy, of_data
from sparsenn_core.training.code_anatomy import of_code
from sparsenn_core.training.data import Data
from sparsenn_core.training.ensemble import Ensemble

Identity: TypeAlias = Mapping[str, str]
"""The digest of each part of a fit by its name; where functions count by their code, also the version of `PYTHON`."""

PYTHON = "Python"
FIELD = "'s "
"""Between a part and a field of it."""
SHOWN = "= "
"""Before a value that is written as it is."""
DATA = {"of_run": "sets of runs"}
MANY = (
    "starting weights",
    "buffers",
    "inputs",
    "targets",
    "sets of runs",
    "observers",
    "trained parameters",
    "validation data",
    "hooks between steps",
)


@dataclass(frozen=True)
class Named:
    """A function that is recognised by `name` alone; made by `named`."""

    name: str
    function: Callable[..., Any]

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        return self.function(*arguments, **keywords)


def named(name: str, function: Callable[..., Any]) -> Named:
    """`function`, recognised in checkpoints by `name` instead of by its code and the values that it uses.

    For functions that hold what cannot be recognised, such as an open file, or what changes from one run of a program
    to the next. The name answers for the rest: give another one where the function computes something else.
    """
    if not isinstance(name, str) or not name:
        raise InputError(f"a function is named by a text that is not empty, not {name!r}")
    if not callable(function):
        raise InputError(f"named({name!r}, ...) takes a function, not {function!r}")
    return Named(name, function)


def identity_of(ensemble: Ensemble, data: Data, settings: Mapping[str, Any]) -> Identity:
    """The identity of a fit of `ensemble` to `data` under `settings`, values of any kind by the names of the parts.

    The parts are "network", "starting weights", "buffers", the fields of `data` and the settings. A value is recognised
    by what it holds: numbers, texts and containers by value, tensors by type, shape and bytes wherever they lie,
    objects by class and attributes, functions as `code_anatomy` says. `InputError` for what cannot be recognised, such
    as an open file. The fields of a dataclass, such as an optimizer, are parts too, so that a refusal can name them.
    Cost: one pass over all tensors, and about a tenth of a second for the code.
    """
    parts = {"network": ensemble.template, "starting weights": ensemble.params, "buffers": ensemble.buffers}
    parts |= {DATA.get(f.name, f.name): getattr(data, f.name) for f in dataclasses.fields(data)}
    found: dict[str, str] = {}
    for name, value in {**parts, **settings}.items():
        recognition = Recognition(name)
        found[name] = recognition.digest(value).hex()
        if recognition.of_code:
            found[PYTHON] = python()
        found |= {f"{name}{FIELD}{field}": _shown(part) for field, part in _fields(value)}
    return found


def _fields(value: Any) -> list[tuple[str, Any]]:
    if not dataclasses.is_dataclass(value) or isinstance(value, type | Data | Named):
        return []
    return [(field.name, getattr(value, field.name)) for field in dataclasses.fields(value)]


def _shown(value: Any) -> str:
    """A number or nothing as it is written, anything else as a digest."""
    if value is None or type(value) in (bool, int, float):
        return f"{SHOWN}{value!r}"
    return Recognition("").digest(value).hex()


def python() -> str:
    """The version on which bytecode depends."""
    return ".".join(platform.python_version_tuple()[:2])


def difference(saved: Identity, own: Identity) -> str:
    """In words, what the fit `saved` has that `own` has not: "another loss, other targets"; empty if they are one."""
    if PYTHON in saved and PYTHON in own and saved[PYTHON] != own[PYTHON]:
        return f"another Python ({saved[PYTHON]}, this is {own[PYTHON]}), whose bytecode cannot be compared"
    names = [name for name in {**own, **saved} if saved.get(name) != own.get(name) and name != PYTHON]
    by_field = {name.partition(FIELD)[0] for name in names if FIELD in name and name in saved and name in own}
    names = [name for name in names if (name not in by_field if FIELD not in name else name in saved and name in own)]
    return ", ".join(f"{'other' if name in MANY else 'another'} {name}{_values(saved, own, name)}" for name in names)


def _values(saved: Identity, own: Identity, name: str) -> str:
    values = [identity.get(name, "") for identity in (saved, own)]
    if not all(value.startswith(SHOWN) for value in values):
        return ""
    saved_value, own_value = (value.removeprefix(SHOWN) for value in values)
    return f" ({saved_value}, this is {own_value})"


class Recognition:
    """A walk through a value and all it holds; `of_code` says afterwards whether it met bytecode."""

    def __init__(self, name: str) -> None:
        self.path = [name]
        self.of_code = False
        # values are kept with their digests, because the id of one that is gone may be given to another
        self.known: dict[int, tuple[Any, bytes]] = {}
        self.open: dict[int, int] = {}

    def digest(self, value: Any) -> bytes:
        """sha256 of the anatomy of `value` and of its parts, to the last; a circle ends where it closes."""
        key = id(value)
        if key in self.known:
            return self.known[key][1]
        if key in self.open:
            return _hash(f"again {self.open[key]} {type(value).__qualname__} {getattr(value, '__qualname__', '')}")
        self.open[key] = len(self.open)
        anatomy = self._anatomy(value)
        parts = [self._part(name, part) for name, part in anatomy.parts]
        del self.open[key]
        found = _hash(anatomy.text, anatomy.data, *(parts if anatomy.ordered else sorted(parts)))
        self.known[key] = value, found
        return found

    def _part(self, name: str, part: Any) -> bytes:
        self.path.append(name)
        try:
            return self.digest(part)
        except RecursionError:
            raise self._refusal("it is nested too deep") from None
        finally:
            self.path.pop()

    def _anatomy(self, value: Any) -> Anatomy:
        if isinstance(value, Named):
            return Anatomy(f"named {value.name}")
        self.of_code |= isinstance(value, types.CodeType)
        try:
            return of_code(value) or of_data(value)
        except NoAnatomy as error:
            raise self._refusal(str(error)) from error

    def _refusal(self, reason: str) -> InputError:
        where = ", ".join(self.path if len(self.path) <= 8 else [*self.path[:4], "...", *self.path[-2:]])
        return InputError(
            f"{where}: a checkpoint cannot recognise it ({reason}); give the function that uses it a name: "
            "sparsenn_core.training.named('its name', function)"
        )


def _hash(text: str, *parts: Any) -> bytes:
    """sha256 of a text and some bytes, each with its length."""
    found = hashlib.sha256()
    for part in (text.encode("utf-8", "surrogatepass"), *parts):
        view = memoryview(part)
        found.update(view.nbytes.to_bytes(8, "big"))
        found.update(view)
    return found.digest()
