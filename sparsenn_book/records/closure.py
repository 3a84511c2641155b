"""Which source a function depends on: the modules of the project that its module imports, directly or through others.

Imports are read from the text, nothing is executed. Where a module imports, at its top or inside a function, makes no
difference. What is taken from the face of a room (`from sparsenn_core.training import fit`) counts by the module that
the face has it from, so that a room may grow without making old what does not use the new part; a room that is taken
whole (`from sparsenn_core import training`) counts by all that its face hands on.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

from sparsenn_book.records.readings import Kept, Reading, names, read
from sparsenn_book.sources.parsing import parsed
from sparsenn_core.errors import InputError

PACKAGES = ("sparsenn_core", "sparsenn_book")
INSTALLED = Path(__file__).resolve().parents[2]
NOT_COMPUTING = ("figures", "runner", "chapter", "sources")
"""Rooms and files of the book that draw, drive and look up, and cannot change a number."""
KEPT = Kept(INSTALLED / "build" / "readings.json" if (INSTALLED / "notebooks").is_dir() else None)
"""In the checkout that this package lies in; an installed copy keeps nothing among other people's packages."""


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
    KEPT.save()
    return dict(sorted(found.items()))


def imported(text: str, root: Path = INSTALLED) -> list[str]:
    """Names of the project's modules that the source `text` imports, each once."""
    return _project_modules(names(parsed(text)), root)


def _project_modules(named: Iterable[str], root: Path) -> list[str]:
    ours = (name for name in named if _is_ours(name))
    return list(dict.fromkeys(module for name in ours for module in _modules_of(name, root)))


def _modules_of(name: str, root: Path) -> list[str]:
    """The module that is called so, and the one that defines what is; none for what is none of the project's."""
    package, _, last = name.rpartition(".")
    holder = _file(package, root) if package else None
    found = [name] if _file(name, root) else []
    if holder is not None and holder.name == "__init__.py":
        origin = {there: name for there, name in _read(holder).handed_on if _is_ours(name)}.get(last)
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


def _read(path: Path) -> Reading:
    return read(path, KEPT)


def _is_ours(name: str) -> bool:
    return name.split(".")[0] in PACKAGES


def _file(module: str, root: Path) -> Path | None:
    if not _is_ours(module):
        return None
    place = module.replace(".", os.sep)
    for base in dict.fromkeys((root, INSTALLED)):
        for name in (f"{place}.py", os.path.join(place, "__init__.py")):
            # as text: a plan asks for thousands of files, and making a `Path` takes longer than looking
            path = os.path.join(base, name)
            if os.path.isfile(path):
                return Path(path)
    return None
