"""What source files say, read from the text once and kept by content: to parse all of the project takes five seconds.

A reading depends on the bytes of a file, on the code below and on Python's own parser, and on nothing else; it is kept
under a digest of the first, in a file that counts for one state of the other two. A kept file that is damaged is passed
over and written anew.
"""

from __future__ import annotations

import ast
import functools
import hashlib
import io
import json
import sys
import threading
import time
import tokenize
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sparsenn_book.records.files import written_whole
from sparsenn_book.sources import parsing
from sparsenn_book.sources.parsing import parsed

MOST = 3000
"""Readings that are kept; with more, those stay that this process has asked for."""
RECENT = 2 * 10**9
"""Nanoseconds in which a file may change again without another time: clocks of file systems are coarse."""


@dataclass(frozen=True)
class Reading:
    """What a source file says: the names it imports, those it hands on and where it has them from, its text constants,
    its statements.
    """

    names: tuple[str, ...]
    handed_on: tuple[tuple[str, str], ...]
    strings: frozenset[str]
    statements: str


def read(path: Path, kept: Kept) -> Reading:
    """The reading of a file, from `kept` if its content was read before."""
    stat = path.stat()
    if time.time_ns() - stat.st_ctime_ns < RECENT:
        return kept.reading(path.read_bytes())
    # The time of the last change of the inode too, which nobody can set: a file of equal size and time may be another.
    return _read(path, kept, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino, stat.st_size)


class Kept:
    """Readings by content in the file `place`; None keeps them nowhere."""

    def __init__(self, place: Path | None) -> None:
        self.place = place
        self._lock = threading.RLock()
        self._there: dict[str, list[Any]] | None = None
        self._used: dict[str, list[Any]] = {}
        self._new = False

    def reading(self, content: bytes) -> Reading:
        """The reading of a source of this content. `SyntaxError` if it is none."""
        name = hashlib.sha256(content).hexdigest()
        with self._lock:
            if self._there is None:
                self._there = _load(self.place) if self.place else {}
            if name in self._there:
                with suppress(TypeError, ValueError):
                    found = _from_json(*self._there[name])
                    self._used[name] = self._there[name]
                    return found
            made = reading_of(content.decode("utf-8"))
            self._used[name] = self._there[name] = _as_json(made)
            self._new = True
            return made

    def save(self) -> None:
        """Write the file if there is anything new. That it cannot be written does not matter."""
        with self._lock:
            if not self._new or self.place is None:
                return
            self._new = False
            # another process may have added its own meanwhile
            everything = _load(self.place) | (self._there or {})
            with suppress(OSError):
                _write(self.place, everything if len(everything) <= MOST else self._used)


def reading_of(text: str) -> Reading:
    """The reading of a source text."""
    tree = parsed(text)
    constants = (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant))
    texts = frozenset(value for value in constants if type(value) is str)
    return Reading(tuple(names(tree)), tuple(_handed_on(tree)), texts, _statements(text, tree))


def names(tree: ast.AST) -> Iterator[str]:
    """What a source imports, wherever it does, named in full."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@functools.lru_cache(maxsize=1024)
def _read(path: Path, kept: Kept, *_: int) -> Reading:
    return kept.reading(path.read_bytes())


def _load(place: Path) -> dict[str, list[Any]]:
    """The readings in a kept file; none if it is not there, is damaged, or was written by another reader."""
    try:
        reader, body_digest, body = place.read_text(encoding="ascii").split("\n")
        if reader == _reader() and body_digest == hashlib.sha256(body.encode()).hexdigest():
            return dict(json.loads(body))
    except (OSError, ValueError):
        pass
    return {}


def _write(place: Path, readings: dict[str, list[Any]]) -> None:
    # in ASCII, as a text constant may hold half of a pair of code units, which no encoding takes
    body = json.dumps(readings)
    with written_whole(place) as beside:
        beside.write_text(f"{_reader()}\n{hashlib.sha256(body.encode()).hexdigest()}\n{body}", encoding="ascii")


@functools.cache
def _reader() -> str:
    """What reads: this code and Python's parser, whose versions may see other constants."""
    code = [Path(file).read_bytes() for file in (__file__, parsing.__file__)]
    return hashlib.sha256(b"\0".join([*code, sys.version.encode()])).hexdigest()


def _as_json(reading: Reading) -> list[Any]:
    return [reading.names, reading.handed_on, sorted(reading.strings), reading.statements]


def _from_json(names: list[str], handed_on: list[list[str]], strings: list[str], statements: str) -> Reading:
    pairs = tuple((name, origin) for name, origin in handed_on)
    return Reading(tuple(names), pairs, frozenset(strings), statements)


def _handed_on(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Names that a module imports at its top, and what they are there."""
    for node in tree.body:
        if isinstance(node, ast.ImportFrom):
            yield from ((alias.asname or alias.name, f"{node.module}.{alias.name}") for alias in node.names)


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
