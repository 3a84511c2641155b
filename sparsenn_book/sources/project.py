"""Where things lie in a checkout of the book."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path

from sparsenn_core.errors import InputError, unknown

_asked: ContextVar[set[str] | None] = ContextVar("asked", default=None)


@dataclass(frozen=True)
class Project:
    """A checkout of the book, named by its root folder. Every other place follows from that."""

    root: Path

    @classmethod
    def find(cls, start: Path | None = None) -> Project:
        """The project that holds `start` (default: the current folder): the nearest folder upwards with both
        `notebooks/` and `params/`. `InputError` if there is none.
        """
        here = (start or Path.cwd()).resolve()
        for folder in (here, *here.parents):
            if (folder / "notebooks").is_dir() and (folder / "params").is_dir():
                return cls(folder)
        raise InputError(f"{here}: not inside a checkout of the book (no folder upwards has notebooks/ and params/)")

    @property
    def notebooks(self) -> Path:
        """The sources, `NN_name.py`."""
        return self.root / "notebooks"

    @property
    def data(self) -> Path:
        """Small files that the notebooks read, committed with their origin."""
        return self.notebooks / "data"

    @property
    def params(self) -> Path:
        """One folder a profile, one flat YAML a notebook."""
        return self.root / "params"

    @property
    def results(self) -> Path:
        """One folder a profile, one folder a notebook."""
        return self.root / "results"

    @property
    def book(self) -> Path:
        """Source and, under `_build/`, output of the book."""
        return self.root / "book"

    def shown(self, path: Path) -> str:
        """`path` as messages name it: relative to the root where it lies inside."""
        return path.relative_to(self.root).as_posix() if path.is_relative_to(self.root) else str(path)


def data_file(name: str) -> Path:
    """The committed data file of that name in `notebooks/data/`. Whoever reads one writes its name out in full, so
    that a table is known to depend on it. `InputError` names the nearest one.
    """
    folder = Project.find().data
    asked = _asked.get()
    if asked is not None:
        asked.add(name)
    if not (folder / name).is_file():
        raise unknown("data file", name, [path.name for path in folder.iterdir()], where="notebooks/data/")
    return folder / name


@contextmanager
def data_files_asked_for() -> Iterator[set[str]]:
    """The names that `data_file` is asked for inside the block."""
    names: set[str] = set()
    token = _asked.set(names)
    try:
        yield names
    finally:
        _asked.reset(token)
