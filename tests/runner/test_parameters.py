"""The parameters cell: what may stand in it and what its domains admit."""

from __future__ import annotations

import math

import pytest

from sparsenn_book.sources.parameters import parse_parameters
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
