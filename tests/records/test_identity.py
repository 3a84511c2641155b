"""What makes a table another one: function, arguments, source, data files; and what does not."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest

from sparsenn_book.records.closure import closure, imported
from sparsenn_book.records.identity import Identity, content_digest, describe, identity
from sparsenn_core.errors import InputError

STUDY = """
import pandas as pd
import sparsenn_book.studies.toy.physics
from sparsenn_book.sources.project import data_file

FILE = "recorded.csv"

def rows(steps, scale=1.0):
    return pd.DataFrame({"step": range(steps)})

def others(steps):
    from sparsenn_book.studies.toy import figures
    return rows(steps)
"""


class Toy:
    """A study of three modules in a folder of its own, loaded as it is on disk."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.write("sparsenn_book/studies/toy/study.py", STUDY)
        self.write("sparsenn_book/studies/toy/physics.py", "from sparsenn_book.studies.toy import deeper\n")
        self.write("sparsenn_book/studies/toy/deeper.py", "CONSTANT = 1\n")
        self.write("sparsenn_book/studies/toy/figures.py", "COLOUR = 'blue'\n")
        self.write("data/recorded.csv", "1\n")
        self.write("data/unnamed.csv", "1\n")

    def write(self, name: str, text: str) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def function(self, name: str = "rows") -> Callable[..., pd.DataFrame]:
        sys.modules["sparsenn_book.studies.toy.physics"] = ModuleType("physics")
        full = "sparsenn_book.studies.toy.study"
        spec = importlib.util.spec_from_file_location(full, self.root / "sparsenn_book/studies/toy/study.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return getattr(module, name)

    def identity(self, *arguments: object, name: str = "rows") -> Identity:
        return identity(self.function(name), arguments or (3,), self.root / "data", self.root)


@pytest.fixture
def toy(tmp_path: Path) -> Iterator[Toy]:
    before = dict(sys.modules)
    yield Toy(tmp_path)
    for name in set(sys.modules) - set(before):
        del sys.modules[name]


@dataclass(frozen=True)
class Settings:
    steps: int = 3
    rates: tuple[float, ...] = (0.1, 0.2)


@dataclass(frozen=True)
class OtherSettings:
    steps: int = 3
    rates: tuple[float, ...] = (0.1, 0.2)


def test_the_closure_follows_imports_and_leaves_out_what_draws(toy: Toy) -> None:
    toys = [name for name in closure(["sparsenn_book.studies.toy.study"], toy.root) if ".toy." in name]
    assert [name.rpartition(".")[2] for name in toys] == ["deeper", "physics", "study"]
    with_figures = closure(["sparsenn_book.studies.toy.study"], toy.root, computing=False)
    assert "sparsenn_book.studies.toy.figures" in with_figures


def test_every_way_to_import_counts() -> None:
    text = (
        "import sparsenn_core.errors\nfrom sparsenn_core import lasso\nfrom sparsenn_core.networks.mlp import MLP\n"
        "import numpy\ndef f():\n    from sparsenn_core.randomness import generator\n    import sparsenn_book.records\n"
    )
    assert imported(text) == [
        "sparsenn_core.errors", "sparsenn_core.lasso", "sparsenn_core.networks.mlp", "sparsenn_core.randomness",
        "sparsenn_book.records",
    ]  # fmt: skip


def test_a_name_taken_from_a_lazy_package_counts_with_all_its_rooms() -> None:
    """`from sparsenn_core import fit` finds `fit` at run time only; better too much source than too little."""
    (package,) = imported("from sparsenn_core import fit\n")
    assert {"sparsenn_core.training.fit", "sparsenn_core.lasso.solver"} <= set(closure([package]))


def test_what_a_face_hands_on_counts_by_the_module_that_defines_it(toy: Toy) -> None:
    """A room that grows makes nothing old but what uses the new part."""
    toy.write("sparsenn_book/studies/toy/room/__init__.py", "from sparsenn_book.studies.toy.room.old import f as g\n")
    toy.write("sparsenn_book/studies/toy/room/old.py", "from sparsenn_book.studies.toy import deeper\nf = 1\n")
    toy.write(
        "sparsenn_book/studies/toy/study.py",
        STUDY + "\ndef more():\n    from sparsenn_book.studies.toy.room import g\n",
    )
    before = toy.identity()
    toy.write("sparsenn_book/studies/toy/room/new.py", "h = 1\n")
    face = toy.root / "sparsenn_book/studies/toy/room/__init__.py"
    face.write_text(face.read_text() + "from sparsenn_book.studies.toy.room.new import h\n")
    assert toy.identity() == before
    toy.write("sparsenn_book/studies/toy/room/old.py", "from sparsenn_book.studies.toy import deeper\nf = 2\n")
    assert toy.identity().code != before.code


def test_a_face_stands_for_what_it_defines_itself_and_beside_a_module_of_the_same_name(toy: Toy) -> None:
    toy.write(
        "sparsenn_book/studies/toy/room/__init__.py", "from sparsenn_book.studies.toy.deeper import same\nown = 1\n"
    )
    toy.write("sparsenn_book/studies/toy/room/same.py", "")
    toy.write("sparsenn_book/studies/toy/__init__.py", "from sparsenn_book.studies.toy import room\n")
    room = "sparsenn_book.studies.toy.room"
    # which of the two is meant, order of import decides: both count
    assert imported(f"from {room} import same", toy.root) == [f"{room}.same", "sparsenn_book.studies.toy.deeper"]
    assert imported(f"from {room} import own", toy.root) == [room]
    assert imported("from sparsenn_book.studies.toy import room\nroom.same", toy.root) == [room]


@pytest.mark.parametrize(
    ("file", "text", "part"),
    [
        ("sparsenn_book/studies/toy/deeper.py", "CONSTANT = 2\n", "code"),
        ("sparsenn_book/studies/toy/physics.py", "import sparsenn_book.studies.toy.deeper\nx = 1\n", "code"),
        ("sparsenn_book/studies/toy/study.py", STUDY + "\nMORE = 1\n", "code"),
        ("data/recorded.csv", "2\n", "data"),
    ],
)
def test_what_a_table_depends_on_changes_its_identity(toy: Toy, file: str, text: str, part: str) -> None:
    before = toy.identity()
    toy.write(file, text)
    after = toy.identity()
    assert after.key != before.key
    assert [name for name in vars(before) if getattr(before, name) != getattr(after, name)] == [part]
    assert after.difference(vars(before)) != ""
    assert before.difference(vars(before)) == ""


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("sparsenn_book/studies/toy/figures.py", "COLOUR = 'red'\n"),
        ("sparsenn_book/studies/toy/claims.py", "SAID = 1\n"),
        ("sparsenn_book/studies/toy/deeper.py", '"""Words."""\n\n\nCONSTANT = 1  # why\n'),
        ("data/unnamed.csv", "2\n"),
    ],
)
def test_words_pictures_and_what_nobody_names_change_nothing(toy: Toy, file: str, text: str) -> None:
    before = toy.identity()
    toy.write(file, text)
    assert toy.identity() == before


def test_another_function_and_other_arguments_are_another_table(toy: Toy) -> None:
    frame = pd.DataFrame({"a": [1.0, 2.0], "b": ["x", "y"]})
    keys = [
        toy.identity(*arguments, name=name).key
        for name, arguments in [
            ("rows", (3,)), ("rows", (4,)), ("rows", (3.0,)), ("rows", ("3",)), ("rows", (True,)), ("rows", (3, None)),
            ("others", (3,)), ("rows", (Settings(),)), ("rows", (Settings(4),)), ("rows", (OtherSettings(),)),
            ("rows", (frame,)), ("rows", (frame[::-1],)), ("rows", (frame.assign(a=[1.0, 2.0 + 1e-15]),)),
            ("rows", ({"a": 1},)), ("rows", ([1, 2],)), ("rows", (float("inf"),)),
        ]
    ]  # fmt: skip
    assert len(set(keys)) == len(keys)
    assert toy.identity([1, 2]).key == toy.identity((1, 2)).key
    assert toy.identity(frame).key == toy.identity(frame.copy()).key


def test_a_cells_own_function_and_what_is_no_plain_data_are_refused(toy: Toy) -> None:
    for function in (lambda: None, Toy.write):
        with pytest.raises(InputError, match="a named function of a module"):
            identity(function, (), toy.root / "data", toy.root)
    with pytest.raises(InputError, match=r"rows, argument 2: a ndarray is no plain data"):
        toy.identity(1, np.ones(2))
    with pytest.raises(InputError, match="x, Settings, rates, entry 2: a object is no plain data"):
        describe(Settings(rates=(0.1, object())), "x, Settings")  # type: ignore[arg-type]


def test_the_content_of_a_table_is_its_columns_types_and_values_in_order() -> None:
    frame = pd.DataFrame({"a": [1, 2], "b": [0.5, np.nan]})
    others = [
        frame[["b", "a"]],
        frame.rename(columns={"a": "c"}),
        frame.astype({"a": float}),
        frame.iloc[::-1],
        frame.assign(b=[0.5, 0.0]),
    ]
    assert len({content_digest(each) for each in [frame, *others]}) == 6
    assert content_digest(frame.set_axis([7, 8])) == content_digest(frame)
