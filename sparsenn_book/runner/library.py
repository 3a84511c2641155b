"""Pages on `sparsenn_core`, one a room: all public names, each with its docstring, which Sphinx fetches.

Names come from each room's `__all__`, so that a new one is on its page by itself. The source is read, not imported.
"""

from __future__ import annotations

import ast
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sparsenn_book.records.closure import INSTALLED
from sparsenn_book.runner.docstrings import as_rst, first_sentence, inline
from sparsenn_book.sources.parsing import parsed

PACKAGE = "sparsenn_core"
FIRST = ("training", "penalties", "networks", "lasso", "recovery", "linearized", "bounds", "masks", "compression")
"""The order of the rooms; others follow by name, and single modules together on the last page."""
GROUND = "ground"
TITLES = {
    "bounds": "Generalization bounds",
    "lasso": "Multi-task lasso",
    "linearized": "Linearized training",
    GROUND: "Data, random numbers and errors",
}
KINDS = {
    "function": "Functions",
    "class": "Classes",
    "exception": "Exceptions and warnings",
    "data": "Types and constants",
}
SPECIAL = "__call__, __getitem__"
"""Methods of classes that are shown although their names start with underscores; where they have a docstring."""


@dataclass(frozen=True)
class Public:
    """A public name of a module: its kind (a key of KINDS), its docstring, and of data the value as written."""

    module: str
    name: str
    kind: str
    docstring: str
    value: str = ""


def library(root: Path = INSTALLED) -> dict[str, str]:
    """The pages as MyST, by name, in the order of the book; `root` is the folder that holds the package."""
    package = root / PACKAGE
    rooms = [path.parent.name for path in package.glob("*/__init__.py")]
    ordered = sorted(rooms, key=lambda room: (FIRST.index(room) if room in FIRST else len(FIRST), room))
    single = sorted(path.stem for path in package.glob("*.py") if not path.stem.startswith("_"))
    pages = {room: (room,) for room in ordered} | {GROUND: tuple(single)}
    return {page: _page(page, modules, package) for page, modules in pages.items()}


def public(path: Path, module: str) -> list[Public]:
    """The public names of a module, in the order of `__all__`; without one, all that it defines without underscore."""
    tree = parsed(path.read_text(encoding="utf-8"))
    named = next((s.value for s in tree.body if "__all__" in _targets(s) and isinstance(s, ast.Assign)), None)
    if named is None:
        return [found for found in _defined(tree, module) if not found.name.startswith("_")]
    homes = {
        alias.asname or alias.name: (path.parent / f"{(s.module or '').rpartition('.')[2]}.py", alias.name)
        for s in tree.body
        if isinstance(s, ast.ImportFrom)
        for alias in s.names
    }
    here = {found.name: found for found in _defined(tree, module)}
    return [here[name] if name in here else _at_home(module, name, *homes[name]) for name in ast.literal_eval(named)]


def _page(page: str, modules: tuple[str, ...], package: Path) -> str:
    lines = [f"# {TITLES.get(page, page.capitalize())}", ""]
    for room in modules:
        path = package / room / "__init__.py" if (package / room).is_dir() else package / f"{room}.py"
        lines += _module(f"{PACKAGE}.{room}", public(path, f"{PACKAGE}.{room}"), deep=len(modules) > 1)
    return "\n".join(lines)


def _module(module: str, names: list[Public], *, deep: bool) -> list[str]:
    """A module: what it is for, what is in it in a line each, then everything by kind."""
    lines = [f"## {module.rpartition('.')[2].capitalize()}", ""] if deep else []
    contents = [f"- :py:obj:`~{module}.{one.name}`: {inline(first_sentence(one.docstring))}" for one in names]
    lines += _rst([f".. automodule:: {module}", "", f"``from {module} import`` one of", "", *contents])
    for kind, heading in KINDS.items():
        chosen = [one for one in names if one.kind == kind]
        if chosen:
            lines += [] if deep else [f"## {heading}", ""]
            entries = itertools.chain.from_iterable([*_entry(one), ""] for one in chosen)
            lines += _rst([f".. currentmodule:: {module}", "", *entries])
    return lines


def _entry(one: Public) -> list[str]:
    """The directive of one name. Constants are no objects with a docstring: theirs stands below the assignment."""
    if one.kind == "data":
        text = [f"   {line}".rstrip() for line in as_rst(one.docstring).splitlines()]
        return [f".. py:data:: {one.name}", f"   :value: {one.value}", "", *text]
    if one.kind == "class":
        return [f".. autoclass:: {one.name}", "   :members:", f"   :special-members: {SPECIAL}"]
    return [f".. auto{one.kind}:: {one.name}"]


def _rst(lines: list[str]) -> list[str]:
    return ["```{eval-rst}", *lines, "```", ""]


def _at_home(module: str, name: str, path: Path, there: str) -> Public:
    """A name that a room hands on, as the module that defines it says."""
    tree = parsed(path.read_text(encoding="utf-8"))
    found = next(found for found in _defined(tree, module) if found.name == there)
    return Public(module, name, found.kind, found.docstring, found.value)


def _defined(tree: ast.Module, module: str) -> Iterator[Public]:
    for statement, below in itertools.zip_longest(tree.body, tree.body[1:]):
        if isinstance(statement, ast.FunctionDef):
            yield Public(module, statement.name, "function", ast.get_docstring(statement) or "")
        elif isinstance(statement, ast.ClassDef):
            raised = any(ast.unparse(base).endswith(("Error", "Warning")) for base in statement.bases)
            kind = "exception" if raised else "class"
            yield Public(module, statement.name, kind, ast.get_docstring(statement) or "")
        elif isinstance(statement, ast.Assign | ast.AnnAssign) and statement.value is not None:
            said = below.value if isinstance(below, ast.Expr) else None
            text = said.value if isinstance(said, ast.Constant) and isinstance(said.value, str) else ""
            for name in _targets(statement):
                yield Public(module, name, "data", text, ast.unparse(statement.value))


def _targets(statement: ast.stmt) -> list[str]:
    targets = statement.targets if isinstance(statement, ast.Assign) else [getattr(statement, "target", None)]
    return [target.id for target in targets if isinstance(target, ast.Name)]
