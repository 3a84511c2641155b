"""The parameters of a notebook: declared in one annotated cell, checked before anything runs.

A declaration is `name: type = default  # domain; rules; help`. The domain is a range such as `[0, 1)` or `(0, inf)`,
or `one of auto, cpu, cuda`; for a list it holds for each entry. Rules (`rules`) ask for more: entries of a list, other
parameters. The cell is parsed, never executed.
"""

from __future__ import annotations

import ast
import io
import math
import re
import tokenize
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from sparsenn_book.sources.parsing import parsed
from sparsenn_book.sources.rules import Rules, check_entries, check_jointly, check_names, split
from sparsenn_core.errors import InputError, nearest

SCALARS: dict[str, type] = {"int": int, "float": float, "str": str, "bool": bool}
KINDS = (*SCALARS, "list[int]", "list[float]", "list[str]")

INTEGERS = 2**63
"""Integers from -INTEGERS to INTEGERS - 1 fit where they go, into tables and generators of random numbers."""
FLOAT_BITS = 1023  # every integer of so many bits is a finite float
LONGEST = 60  # characters of a value in a message, so that a message stays a line

_RANGE = re.compile(r"([\[(])\s*([^\s,]+)\s*,\s*([^\s,\])]+)\s*([\])])\s*(.*)", re.DOTALL)
_CHOICES = re.compile(r"one of\s+([^;]+)(?:;\s*(.*))?", re.DOTALL)


@dataclass(frozen=True)
class Range:
    """The numbers between two ends; an end belongs to the range unless it is open."""

    low: float
    high: float
    low_open: bool
    high_open: bool

    def __contains__(self, value: float) -> bool:
        above = value > self.low if self.low_open else value >= self.low
        return above and (value < self.high if self.high_open else value <= self.high)

    def __str__(self) -> str:
        return f"{'(' if self.low_open else '['}{self.low:g}, {self.high:g}{')' if self.high_open else ']'}"


@dataclass(frozen=True)
class Parameter:
    """One declared parameter. `kind` is one of `KINDS`; `range` and `choices` are None where anything of that kind
    goes; `rules` is what is asked beside; `help` is the rest of the comment.
    """

    name: str
    kind: str
    default: Any
    range: Range | None = None
    choices: tuple[Any, ...] | None = None
    rules: Rules = field(default_factory=Rules)
    help: str = ""

    def check(self, value: Any, where: str) -> Any:
        """`value` as this parameter has it (an int becomes a float where a float is meant), or an `InputError` that
        starts with `where`.
        """
        if not self.kind.startswith("list["):
            return self._check_one(value, self.kind, f"{where}: {self.name}")
        if not isinstance(value, list | tuple):
            raise InputError(f"{where}: {self.name}: {shown(value)} is {_kind_of(value)}, not a {self.kind}")
        inner, where = self.kind[len("list[") : -1], f"{where}: {self.name}"
        entries = [self._check_one(entry, inner, f"{where}, entry {n}") for n, entry in enumerate(value, 1)]
        check_entries(self.rules, entries, where)
        return entries

    def _check_one(self, value: Any, kind: str, where: str) -> Any:
        value = _as_kind(value, kind, where)
        if self.range is not None and value not in self.range:
            raise InputError(f"{where}: {shown(value)} is outside {self.range}")
        if self.choices is not None and value not in self.choices:
            names = [str(choice) for choice in self.choices]
            hint = nearest(str(value), names)
            suggestion = f"; {hint}" if hint.startswith("did") else ""
            raise InputError(f"{where}: {shown(value)} is not one of {', '.join(names)}{suggestion}")
        return value


def parse_parameters(cell: str, where: str, first_line: int = 1) -> dict[str, Parameter]:
    """The parameters that the source of a parameters cell declares, in order.

    `where` is the file and `first_line` the cell's first line in it, both for messages. `InputError` for anything but
    annotated assignments of literals, for an unknown type or broken domain, and for a default outside its own domain.
    """
    try:
        statements = parsed(cell).body
    except SyntaxError as error:
        raise InputError(f"{where}, line {first_line + (error.lineno or 1) - 1}: {error.msg}") from None
    comments = _comments(cell)
    found: dict[str, Parameter] = {}
    for statement in statements:
        place = f"{where}, line {first_line + statement.lineno - 1}"
        parameter = _declared(statement, comments, place)
        if parameter.name in found:
            raise InputError(f"{place}: parameter {parameter.name!r} is declared twice")
        found[parameter.name] = parameter
    check_names(found, where)
    check_jointly(found, defaults(found.values()), where)
    return found


def _declared(statement: ast.stmt, comments: dict[int, str], place: str) -> Parameter:
    if not (isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name) and statement.value):
        raise InputError(f"{place}: only `name: type = value` may stand in the parameters cell")
    name, kind = statement.target.id, ast.unparse(statement.annotation)
    if kind not in KINDS:
        raise InputError(f"{place}: {name}: type {kind!r} is not one of {', '.join(KINDS)}")
    try:
        default = ast.literal_eval(statement.value)
    except ValueError:
        raise InputError(f"{place}: {name}: the default must be written out, not computed") from None
    last = statement.end_lineno or statement.lineno
    comment = comments.get(last) or comments.get(statement.lineno, "")
    bounds, choices, at_most, text = _domain(comment, kind, f"{place}: {name}")
    parameter = Parameter(name, kind, None, bounds, choices, *split(text, at_most))
    return replace(parameter, default=parameter.check(default, place))


def _comments(cell: str) -> dict[int, str]:
    tokens = tokenize.generate_tokens(io.StringIO(cell).readline)
    return {token.start[0]: token.string.lstrip("# ").rstrip() for token in tokens if token.type == tokenize.COMMENT}


def _domain(comment: str, kind: str, where: str) -> tuple[Range | None, tuple[Any, ...] | None, str, str]:
    """Range, choices, the parameter that is the range's upper end, and the rest of a comment."""
    inner = kind.removeprefix("list[").removesuffix("]")
    if comment.startswith(("[", "(")):
        return _parse_range(comment, inner, where)
    if comment.startswith("one of "):
        match = _CHOICES.fullmatch(comment)
        words = [word.strip() for word in match[1].split(",")] if match else []
        if not match or inner == "bool" or any(not word or " " in word for word in words):
            raise InputError(f"{where}: {comment!r} is not a choice; write e.g. `one of auto, cpu, cuda; help`")
        try:
            return None, tuple(SCALARS[inner](word) for word in words), "", match[2] or ""
        except ValueError:
            raise InputError(f"{where}: the choices {', '.join(words)} are not all of type {inner}") from None
    return None, None, "", comment


def _parse_range(comment: str, inner: str, where: str) -> tuple[Range, None, str, str]:
    match = _RANGE.fullmatch(comment)
    try:
        if not match or inner not in ("int", "float"):
            raise ValueError
        at_most = match[3] if match[3].isidentifier() and as_number(match[3]) is None else ""
        high = math.inf if at_most else float(match[3])
        bounds = Range(float(match[2]), high, match[1] == "(", match[4] == ")")
        if not bounds.low <= bounds.high:
            raise ValueError
    except ValueError:
        raise InputError(f"{where}: {comment!r} does not start with a range of numbers, e.g. `[0, inf)`") from None
    return bounds, None, at_most, match[5].lstrip("; ")


def _as_kind(value: Any, kind: str, where: str) -> Any:
    """`value` as an int, float, str or bool; only an int may become something else, namely a float."""
    if kind == "float" and type(value) is int:
        value = float(value) if value.bit_length() <= FLOAT_BITS else math.inf
    if type(value) is not SCALARS[kind]:
        raise InputError(
            f"{where}: {shown(value)} is {_kind_of(value)}, not {_with_article(kind)}{_yaml_trap(value, kind)}"
        )
    if isinstance(value, float) and not math.isfinite(value):
        raise InputError(f"{where}: {shown(value)} is not a finite number")
    if isinstance(value, int) and not -INTEGERS <= value < INTEGERS:
        raise InputError(f"{where}: {shown(value)} is beyond the integers of 64 bits")
    if isinstance(value, str) and not _is_unicode(value):
        raise InputError(f"{where}: {shown(value)} is no Unicode text")
    return value


def shown(value: Any) -> str:
    """A value as a message names it: in full only where it is short."""
    try:
        text = repr(value)
    except ValueError:  # Python writes out no integer of more than 4,300 digits
        return f"a value with thousands of digits, {_with_article(type(value).__name__)},"
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."


def _is_unicode(text: str) -> bool:
    """Whether a text can be written to a file: half of a surrogate pair, or a byte of another encoding, cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _yaml_trap(value: Any, kind: str) -> str:
    """A hint where YAML 1.1 reads something else than most people do."""
    if kind == "float" and isinstance(value, str) and as_number(value) is not None:
        spelled = repr(float(value))
        return f"; YAML takes this for text, write {spelled if '.' in spelled else spelled.replace('e', '.0e')}"
    if kind == "str" and value is not None and not isinstance(value, list | dict):
        return "; if the word is meant, put it in quotes"
    return ""


def as_number(text: str) -> float | None:
    """The number that `text` spells, None if it spells none."""
    try:
        return float(text)
    except ValueError:
        return None


def _kind_of(value: Any) -> str:
    return "empty" if value is None else _with_article(type(value).__name__)


def _with_article(kind: str) -> str:
    return f"an {kind}" if kind[0] in "aeiou" else f"a {kind}"


def defaults(parameters: Iterable[Parameter]) -> dict[str, Any]:
    """Every parameter at its default."""
    return {parameter.name: parameter.default for parameter in parameters}
