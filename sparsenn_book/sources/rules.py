"""What a parameter's comment asks beside a range: of a list its length and entries, of a number another parameter.

Such rules stand between the range and the help, each with a semicolon:
`3 or more` entries; `distinct` entries; `has WORD` among the entries; `as many as NAME`, a list of equal length, and
`ends of NAME`, one that begins and ends like it; and the upper end of a range may be the name of another parameter, for
two lists entry by entry.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from sparsenn_core.errors import InputError

_FEWEST = re.compile(r"(\d+) or more")
_HAS = re.compile(r"has ([\w-]+)")
_ENDS_OF = re.compile(r"ends of ([a-z]\w*)")
_AS_MANY = re.compile(r"as many as ([a-z]\w*)")
_NAMING = {"as_many": _AS_MANY, "needed": _HAS, "ends_of": _ENDS_OF}


@dataclass(frozen=True)
class Rules:
    """`fewest` entries of a list, whether they are `distinct`, an entry that is `needed`, a list with `as_many` and one
    with the same ends, a parameter that is `at_most` as large; empty names ask nothing.
    """

    fewest: int = 1
    distinct: bool = False
    as_many: str = ""
    at_most: str = ""
    needed: str = ""
    ends_of: str = ""

    @property
    def of_lists(self) -> bool:
        """Whether a rule asks for a list."""
        return self.fewest > 1 or self.distinct or bool(self.as_many or self.needed or self.ends_of)


class Declared(Protocol):
    """A declared parameter, as far as rules go."""

    @property
    def kind(self) -> str:
        """Its type, as written."""
        ...

    @property
    def rules(self) -> Rules:
        """Its rules."""
        ...


def split(text: str, at_most: str = "") -> tuple[Rules, str]:
    """The rules at the beginning of a comment, its range taken off, and the help that follows."""
    fewest, distinct, named = 1, False, dict.fromkeys(_NAMING, "")
    while text:
        first, _, rest = (part.strip() for part in text.partition(";"))
        found = {rule: match[1] for rule, form in _NAMING.items() if (match := form.fullmatch(first))}
        if match := _FEWEST.fullmatch(first):
            fewest = int(match[1])
        elif first == "distinct":
            distinct = True
        elif found:
            named |= found
        else:
            break
        text = rest
    return Rules(fewest, distinct, at_most=at_most, **named), text


def check_entries(rules: Rules, entries: list[Any], where: str) -> None:
    """`InputError` that starts with `where` unless a list has the entries that its rules ask for."""
    if not entries:
        raise InputError(f"{where}: the list is empty, so there is nothing to run")
    if len(entries) < rules.fewest:
        raise InputError(f"{where}: {len(entries)} given, {rules.fewest} or more are needed")
    if rules.needed and rules.needed not in map(str, entries):
        raise InputError(f"{where}: {rules.needed} is not among the entries, and is needed")
    seen: list[Any] = []
    for number, entry in enumerate(entries, 1):
        if rules.distinct and entry in seen:
            raise InputError(f"{where}, entry {number}: {entry!r} is given twice")
        seen.append(entry)


def check_jointly(declared: Mapping[str, Declared], values: Mapping[str, Any], where: str) -> None:
    """`InputError` that starts with `where` unless all values, each checked by itself, go together."""
    for name, parameter in declared.items():
        other = parameter.rules.as_many
        if other and len(values[name]) != len(values[other]):
            counts = f"{name} has {len(values[name])} entries and {other} {len(values[other])}"
            raise InputError(f"{where}: {counts}; they belong together, entry by entry")
        like = parameter.rules.ends_of
        if like and any(values[name][end] != values[like][end] for end in (0, -1)):
            raise InputError(f"{where}: {name}: does not begin and end like {like}, with {_ends(values[like])}")
        bound = parameter.rules.at_most
        pairs = zip(_listed(values[name]), _listed(values[bound]), strict=True) if bound else ()
        for value, most in pairs:
            if value > most:
                raise InputError(f"{where}: {name}: {value!r} is larger than {bound}, which is {most!r}")


def check_names(declared: Mapping[str, Declared], where: str) -> None:
    """`InputError` unless rules name other parameters that can be compared, and rules for lists belong to lists."""
    for name, parameter in declared.items():
        rules = parameter.rules
        named = [other for other in (rules.as_many, rules.ends_of, rules.at_most) if other]
        if any(other not in declared or other == name for other in named):
            raise InputError(f"{where}: {name}: its comment names {named[0]!r}, which is no other parameter")
        lists = {declared[one].kind.startswith("list[") for one in (name, *named)}
        if rules.of_lists and lists != {True}:
            raise InputError(f"{where}: {name}: its comment has rules for lists")
        if rules.at_most and lists != {False} and rules.as_many != rules.at_most:
            raise InputError(f"{where}: {name}: only lists that are `as many as` others are compared with them")


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _ends(value: list[Any]) -> str:
    return f"{value[0]!r} and {value[-1]!r}"
