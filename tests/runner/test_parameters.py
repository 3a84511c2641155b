"""The parameters cell: what may stand in it and what its domains admit."""

from __future__ import annotations

import math

import pytest

from sparsenn_book.sources.parameters import parse_parameters
from sparsenn_book.sources.rules import check_jointly
from sparsenn_core.errors import InputError

CELL = """\
strength: float = 1e-5  # [0, inf) strength of the L1 term
fraction: float = 0.5  # (0, 1]
shift: float = -1  # [-2, 2); a shift
device: str = "auto"  # one of auto, cpu, cuda; where to compute
width: int = 2  # one of 1, 2, 4
bias: bool = True  # whether there is a bias
# a comment of its own
grid: list[float] = [
    1e-5,
    1e-4,
]  # (0, inf) strengths
seeds: list[int] = [0, 1]
names: list[str] = ["l1"]  # one of l1, l2
label: str = "#1"
"""


def parsed(cell: str):
    return parse_parameters(cell, "toy.py")


def test_a_cell_is_read_without_being_executed() -> None:
    found = parsed(CELL)
    assert list(found) == [
        "strength",
        "fraction",
        "shift",
        "device",
        "width",
        "bias",
        "grid",
        "seeds",
        "names",
        "label",
    ]
    assert found["strength"].default == 1e-5
    assert (found["strength"].help, found["shift"].help) == ("strength of the L1 term", "a shift")
    assert (found["device"].choices, found["device"].help) == (("auto", "cpu", "cuda"), "where to compute")
    assert found["width"].choices == (1, 2, 4)
    assert (found["bias"].default, found["bias"].help) == (True, "whether there is a bias")
    assert (found["grid"].default, str(found["grid"].range)) == ([1e-5, 1e-4], "(0, inf)")
    assert found["names"].choices == ("l1", "l2")
    assert (found["label"].default, found["label"].help) == ("#1", "")


@pytest.mark.parametrize(
    ("name", "value", "kept"),
    [
        ("strength", 0, 0.0),
        ("strength", 3, 3.0),
        ("fraction", 1.0, 1.0),
        ("shift", -2.0, -2.0),
        ("device", "cuda", "cuda"),
        ("width", 4, 4),
        ("bias", False, False),
        ("grid", [1, 2.5], [1.0, 2.5]),
        ("seeds", [7], [7]),
    ],
)
def test_what_is_possible_is_kept_with_its_type(name: str, value: object, kept: object) -> None:
    found = parsed(CELL)[name].check(value, "here")
    assert found == kept
    assert type(found) is type(kept)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("strength", -1e-9, r"strength: -1e-09 is outside \[0, inf\)"),
        ("strength", math.inf, "not a finite number"),
        ("strength", math.nan, "nan is not a finite number"),
        ("strength", True, "True is a bool, not a float"),
        ("strength", "1e-5", r"text, write 1\.0e-05"),
        ("strength", "much", "'much' is a str, not a float$"),
        ("strength", None, "None is empty, not a float"),
        ("strength", [1.0], "is a list, not a float"),
        ("fraction", 0, r"0\.0 is outside \(0, 1\]"),
        ("shift", 2, r"2\.0 is outside \[-2, 2\)"),
        ("device", "cpuu", "did you mean 'cpu'"),
        ("device", "somewhere", "is not one of auto, cpu, cuda$"),
        ("device", True, "put it in quotes"),
        ("width", 3, "3 is not one of 1, 2, 4"),
        ("width", 2.0, r"2\.0 is a float, not an int"),
        ("width", True, "True is a bool, not an int"),
        ("bias", 1, "1 is an int, not a bool"),
        ("bias", "yes", "'yes' is a str, not a bool"),
        ("grid", [], "grid: the list is empty"),
        ("grid", 1.0, r"1\.0 is a float, not a list\[float\]"),
        ("grid", [1.0, 0.0], r"grid, entry 2: 0\.0 is outside"),
        ("grid", [1.0, math.nan], "entry 2: nan"),
        ("seeds", [1, False], "entry 2: False is a bool"),
        ("seeds", [[1]], "entry 1: .* is a list"),
        ("names", ["l1", "l3"], "entry 2: 'l3' is not one of"),
    ],
)
def test_what_is_impossible_is_refused_by_name(name: str, value: object, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        parsed(CELL)[name].check(value, "here")
    assert str(caught.value).startswith(f"here: {name}")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ("a = 1", "line 1: only `name: type = value`"),
        ("a: int", "line 1: only"),
        ("import os", "line 1: only"),
        ("a: int = 1\nb: complex = 2", "line 2: b: type 'complex' is not one of int"),
        ("a: float = 2 * 3", "must be written out"),
        ("a: int = 1\na: int = 2", "line 2: parameter 'a' is declared twice"),
        ("a: int = 1.5", r"a: 1\.5 is a float"),
        ("a: float = -1.0  # [0, 1]", "outside"),
        ("a: list[int] = []", "empty"),
        ("a: float = 0.5  # [0 1]", "does not start with a range"),
        ("a: float = 0.5  # [1, 0]", "does not start with a range"),
        ("a: float = 0.5  # [nan, 1]", "does not start with a range"),
        ("a: str = 'x'  # [0, 1]", "does not start with a range"),
        ("a: str = 'x'  # one of x y", "is not a choice"),
        ("a: str = 'x'  # one of x,", "is not a choice"),
        ("a: int = 1  # one of 1, two", "not all of type int"),
        ("a: bool = True  # one of True, False", "is not a choice"),
        ("a: str = 'z'  # one of x, y", "not one of x, y"),
        ("a: int = (", "line 1"),
    ],
)
def test_a_broken_declaration_is_refused_with_its_line(cell: str, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        parsed(cell)
    assert str(caught.value).startswith("toy.py, line ")


RULED = """\
layers: list[int] = [2, 5, 5, 1]  # [1, 100]; 4 or more; units
rates: list[float] = [0.1, 0.2]  # (0, 1]; distinct; as many as layers; no help but this
most: int = 10
some: int = 3  # [1, most]; of these
sizes: list[int] = [5, 6]  # [1, 100]; distinct
chosen: list[int] = [5, 3]  # [1, sizes]; as many as sizes
names: list[str] = ["a"]  # one of a, b; distinct; has a; of these
like: list[int] = [2, 7, 1]  # [1, 100]; ends of layers; with help
"""


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("layers", [2, 5, 1], "layers: 3 given, 4 or more are needed"),
        ("rates", [0.1, 0.2, 0.1], "rates, entry 3: 0.1 is given twice"),
        ("rates", [1, 1.0], "rates, entry 2: 1.0 is given twice"),
        ("names", ["a", "a"], "names, entry 2: 'a' is given twice"),
        ("names", ["b"], "names: a is not among the entries, and is needed"),
        ("like", [2, 7, 2], "like: does not begin and end like layers, with 2 and 1"),
        ("like", [1], "like: does not begin and end like layers"),
        ("layers", [3, 5, 5, 1], "like: does not begin and end like layers, with 3 and 1"),
        ("some", 11, "some: 11 is larger than most, which is 10"),
        ("most", 2, "some: 3 is larger than most, which is 2"),
        ("chosen", [5], "chosen has 1 entries and sizes 2; they belong together, entry by entry"),
        ("sizes", [5, 6, 7], "chosen has 2 entries and sizes 3"),
        ("chosen", [6, 6], "chosen: 6 is larger than sizes, which is 5"),
        ("chosen", [6, 5], "chosen: 6 is larger than sizes, which is 5"),
    ],
)
def test_rules_are_checked_alone_and_jointly(name: str, value: object, message: str) -> None:
    found = parsed(RULED.replace("as many as layers; ", ""))
    assert found["rates"].help == "no help but this"
    assert (found["names"].help, found["like"].help) == ("of these", "with help")
    assert found["layers"].check([2, 5, 5, 1], "here") == [2, 5, 5, 1]
    values = {known: parameter.default for known, parameter in found.items()}
    check_jointly(found, values, "here")
    with pytest.raises(InputError, match=message) as caught:
        check_jointly(found, values | {name: found[name].check(value, "here")}, "here")
    assert str(caught.value).startswith("here: ")


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        (RULED, "rates has 2 entries and layers 4"),
        ("a: int = 1  # [0, b]", "names 'b', which is no other parameter"),
        ("a: int = 1  # [0, a]", "names 'a', which is no other parameter"),
        ("a: int = 1  # [0, 2]; distinct", "rules for lists"),
        ("a: int = 1\nb: list[int] = [1]  # as many as a", "rules for lists"),
        ("a: list[int] = [1]  # ends of b", "names 'b', which is no other parameter"),
        ("a: int = 1\nb: list[int] = [1]  # ends of a", "rules for lists"),
        ("a: str = 'b'  # one of b, c; has b", "rules for lists"),
        ("a: list[str] = ['c']  # one of b, c; has b", "b is not among the entries"),
        ("a: list[int] = [2]\nb: list[int] = [1]  # [0, a]", "only lists that are `as many as`"),
        ("a: list[int] = [2]\nb: int = 1  # [0, a]", "only lists that are `as many as`"),
        ("a: int = 1\nb: int = 2  # [0, a]", "b: 2 is larger than a, which is 1"),
        ("a: list[int] = [1, 1]  # distinct", "given twice"),
    ],
)
def test_a_broken_rule_is_refused(cell: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        parsed(cell)
