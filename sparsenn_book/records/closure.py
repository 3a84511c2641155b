"""Which source a function depends on: the modules of the project that its module imports, directly or through others.

Imports are read from the text, nothing is executed. Where a module imports, at its top or inside a function, makes no
difference. What is taken from the face of a room (`from sparsenn_core.training import fit`) counts by the module that
the face has it from, so that a room may grow without making old what does not use the new part; a room that is taken
whole (`from sparsenn_core import training`) counts by all that its face hands on.
"""

from __future__ import annotations

import ast
import functools
import hashlib
import io
import os
import tokenize
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from sparsenn_book.sources.parsing import parsed
from sparsenn_core.errors import InputError

PACKAGES = ("sparsenn_core", "sparsenn_book")
INSTALLED = Path(__file__).resolve().parents[2]
NOT_COMPUTING = ("figures", "runner", "chapter", "sources")
"""Rooms and files of the book that draw, drive and look up, and cannot change a number."""


def closure(modules: Iterable[str], root: Path = INSTALLED, *, computing: bool = True) -> dict[str, Path]:
    """Files of the project's modules that `modules` need, themselves included, by module name.

    `root` is the folder of the packages; one that is not there is looked for where this package is installed.
    `computing`: leave out what only draws, drives or looks up.
    """
    found: dict[str, Path] = {}
    waiting = list(modules)
    while waiting:
        name = waiting.pop()
        if name in found or (computing and set(name.split(".")[1:]) & set(NOT_COMPUTING)):
            continue
        path = _file(name, root)
        if path is None:
            raise InputError(f"{name}: no such module of the project")
        found[name] = path
        waiting += _project_modules(_read(path).names, root)
    return dict(sorted(found.items()))


def imported(text: str, root: Path = INSTALLED) -> list[str]:
    """Names of the project's modules that the source `text` imports, each once."""
    return _project_modules(_names(parsed(text)), root)


def _project_modules(names: Iterable[str], root: Path) -> list[str]:
    return list(dict.fromkeys(module for name in names for module in _modules_of(name, root)))


def _modules_of(name: str, root: Path) -> list[str]:
    """The module that is called so, and the one that defines what is; none for what is none of the project's."""
    package, _, last = name.rpartition(".")
    holder = _file(package, root) if package else None
    found = [name] if _file(name, root) else []
    if holder is not None and holder.name == "__init__.py":
        origin = dict(_read(holder).handed_on).get(last)
        # a face may hand on a module of its own room by its name
        found += _modules_of(origin, root) if origin and origin != name else []
    return found or ([package] if holder else [])


def code_digest(files: Iterable[tuple[str, Path]]) -> str:
    """sha256 over names and statements; comments, docstrings and empty lines do not count."""
    digest = hashlib.sha256()
    for name, path in files:
        digest.update(f"{name}\0{_read(path).statements}\0".encode())
    return digest.hexdigest()


def strings(paths: Iterable[Path]) -> set[str]:
    """Every text constant of some source files; a data file counts for whoever names it."""
    return {text for path in paths for text in _read(path).strings}


@dataclass(frozen=True)
class _Module:
    """What a source file says: the names it imports, those it hands on and where it has them from, its text constants,
    its statements.
    """

    names: tuple[str, ...]
    handed_on: tuple[tuple[str, str], ...]
    strings: frozenset[str]
    statements: str


def _read(path: Path) -> _Module:
    """Read and parsed once, for as long as the file stays as it is: a chapter asks for dozens of identities."""
    stat = path.stat()
    return _parsed(path, stat.st_mtime_ns, stat.st_size)


@functools.lru_cache(maxsize=1024)
def _parsed(path: Path, changed: int, size: int) -> _Module:
    text = path.read_text(encoding="utf-8")
    tree = parsed(text)
    constants = (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant))
    texts = frozenset(value for value in constants if type(value) is str)
    return _Module(tuple(_names(tree)), tuple(_handed_on(tree)), texts, _statements(text, tree))


def _names(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.split(".")[0] in PACKAGES)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in PACKAGES:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _handed_on(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Names that a module imports at its top from elsewhere in the project, and what they are there."""
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in PACKAGES:
            yield from ((alias.asname or alias.name, f"{node.module}.{alias.name}") for alias in node.names)


def _file(module: str, root: Path) -> Path | None:
    if module.partition(".")[0] not in PACKAGES:
        return None
    place = module.replace(".", os.sep)
    for base in dict.fromkeys((root, INSTALLED)):
        for name in (f"{place}.py", os.path.join(place, "__init__.py")):
            # as text: a plan asks for thousands of files, and making a `Path` takes longer than looking
            path = os.path.join(base, name)
            if os.path.isfile(path):
                return Path(path)
    return None


def _statements(text: str, tree: ast.Module) -> str:
    """A module's text without comments, docstrings, empty lines and spaces at line ends.

    Text, not a syntax tree, whose form differs between Pythons.
    """
    lines = text.splitlines()
    for first, last in _docstrings(tree):
        lines[first - 1 : last] = [""] * (last - first + 1)
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            row, column = token.start
            lines[row - 1] = lines[row - 1][:column]
    return "\n".join(line.rstrip() for line in lines if line.strip())


def _docstrings(tree: ast.AST) -> list[tuple[int, int]]:
    """First and last line of each docstring and of each string that stands alone."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            for entry in node.body:
                text = entry.value if isinstance(entry, ast.Expr) else None
                # not where it shares its first line with what it documents
                apart = entry.lineno > getattr(node, "lineno", 0)
                if apart and isinstance(text, ast.Constant) and isinstance(text.value, str):
                    found.append((entry.lineno, entry.end_lineno or entry.lineno))
    return found
