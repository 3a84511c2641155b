"""One direction of flow: nothing imports upwards, nothing in a circle, and the core brings none of the book's tools."""

from __future__ import annotations

import ast
import importlib
import inspect
import itertools
import subprocess
import sys
from collections.abc import Callable, Iterator
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import pytest
from import_graph import import_graph, imported_names, module_names

ROOT = Path(__file__).resolve().parent.parent
CORE, BOOK = module_names(ROOT, "sparsenn_core"), module_names(ROOT, "sparsenn_book")
FLOORS = [
    {"randomness", "errors"},
    {"networks", "penalties", "datasets"},
    {"training", "recovery", "lasso", "linearized"},
    {"bounds", "compression", "masks"},
]
NOT_IN_CORE = (
    "sparsenn_book",
    "plotly",
    "papermill",
    "click",
    "jupytext",
    "nbformat",
    "yaml",
    "matplotlib",
    "notebooks",
)
ROOMS = sorted({name.split(".")[1] for name in CORE if "." in name})


def floor(room: str) -> int:
    """The floor of a room of the core, the ground floor first."""
    return next(number for number, rooms in enumerate(FLOORS) if room in rooms)


def test_every_room_of_the_core_has_a_floor() -> None:
    assert set(ROOMS) <= set.union(*FLOORS)


@pytest.mark.parametrize("name", list(CORE))
def test_the_core_imports_nothing_of_the_book(name: str) -> None:
    taken = {module.split(".")[0] for module, _ in imported_names(CORE[name])}
    assert not taken & set(NOT_IN_CORE)


@pytest.mark.parametrize("name", [name for name in CORE if "." in name])
def test_rooms_of_the_core_import_downwards_and_through_their_faces(name: str) -> None:
    room = name.split(".")[1]
    for module, names in imported_names(CORE[name]):
        parts = module.split(".")
        if parts[0] != "sparsenn_core":
            continue
        for other in parts[1:2] or names:
            assert floor(other) <= floor(room), f"{name} imports upwards: {module}"
        inside = len(parts) > 2 and parts[1] != room
        assert not inside, f"{name} imports {module}, past the face of {parts[1] if inside else room}"


@pytest.mark.parametrize("name", list(BOOK))
def test_the_book_imports_no_notebook_and_studies_no_runner(name: str) -> None:
    room = name.split(".")[1] if "." in name else ""
    for module, names in imported_names(BOOK[name]):
        assert module.split(".")[0] != "notebooks"
        if room in ("studies", "records"):
            whole = [module, *(f"{module}.{one}" for one in names)]
            assert not any(f"{one}.".startswith("sparsenn_book.runner.") for one in whole), f"{name} imports the runner"


@pytest.mark.parametrize("modules", [CORE, BOOK], ids=["core", "book"])
def test_no_import_goes_in_a_circle(modules: dict[str, Path]) -> None:
    TopologicalSorter(import_graph(modules)).prepare()  # raises CycleError, which lists the circle


def test_importing_the_core_loads_nothing_of_the_book() -> None:
    code = (
        "import importlib, sys\n"
        f"for name in {list(CORE)!r}: importlib.import_module(name)\n"
        f"print(*sorted(set({NOT_IN_CORE!r}) & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", code],
        env={"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout.strip(), done.returncode) == ("", 0), done.stderr


def public(room: str) -> list[tuple[str, Any]]:
    """The names that a room hands on, and what they are."""
    module = importlib.import_module(f"sparsenn_core.{room}")
    names = getattr(module, "__all__", None) or [
        name for name, value in vars(module).items() if getattr(value, "__module__", "") == module.__name__
    ]
    return [(name, getattr(module, name)) for name in names if not name.startswith("_")]


def annotated(function: Callable[..., Any]) -> bool:
    """Whether every argument and the result have a type."""
    signature = inspect.signature(function)
    own = [p for place, p in enumerate(signature.parameters.values()) if place or p.name not in ("self", "cls")]
    typed = all(p.annotation is not p.empty for p in own)
    return typed and signature.return_annotation is not signature.empty


def methods(cls: type) -> Iterator[tuple[str, Callable[..., Any]]]:
    """The public functions and properties that a class defines."""
    for name, value in vars(cls).items():
        if not name.startswith("_") or name in ("__init__", "__call__", "__getitem__"):
            plain = value.fget if isinstance(value, property) else getattr(value, "__func__", value)
            plain = getattr(value, "func", plain)  # a cached property
            if inspect.isfunction(plain) and plain.__module__ == cls.__module__:
                yield name, plain


def documented_constant(room: str, name: str) -> bool:
    """Whether the assignment of `name` in the room has a string below it."""
    for module, path in CORE.items():
        if module.split(".")[1:2] == [room]:
            body = ast.parse(path.read_text()).body
            for statement, below in itertools.pairwise(body):
                targets = getattr(statement, "targets", [getattr(statement, "target", None)])
                if any(isinstance(t, ast.Name) and t.id == name for t in targets):
                    return isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant)
    return False


def complaints(room: str, name: str, value: Any) -> Iterator[str]:
    """What a public name lacks: a docstring, or types."""
    if not (inspect.isclass(value) or inspect.isfunction(value)):
        if not documented_constant(room, name):
            yield f"{name}: a string below it should say what it is"
        return
    # a dataclass without a docstring is given one that repeats its fields
    if not value.__doc__ or value.__doc__.startswith(f"{name}("):
        yield f"{name}: no docstring"
    if inspect.isfunction(value):
        if not annotated(value):
            yield f"{name}: types are missing"
        return
    for method, function in methods(value):
        if not annotated(function):
            yield f"{name}.{method}: types are missing"
        documented = inspect.getdoc(getattr(value, method)) or isinstance(vars(value)[method], property)
        if not documented and method != "__init__":
            yield f"{name}.{method}: no docstring"


@pytest.mark.parametrize("room", ROOMS)
def test_public_names_are_documented_and_typed(room: str) -> None:
    assert not [complaint for name, value in public(room) for complaint in complaints(room, name, value)]
