"""Where a chapter's tables lie, and which of them may be read instead of computed."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd

from sparsenn_book.records.closure import closure, strings
from sparsenn_book.records.identity import Identity
from sparsenn_book.records.tables import read_provenance, read_table
from sparsenn_book.sources.policy import AFRESH, BY_KEY, RESCUED, STORED_ONLY, makes_again
from sparsenn_book.sources.project import Project
from sparsenn_core.errors import InputError


class Shelf:
    """The tables of one chapter: `folder` is where this run keeps its own."""

    def __init__(self, project: Project, notebook: str, parameters: Mapping[str, Any]) -> None:
        self.project = project
        self.notebook = notebook
        self.base = str(parameters["profile"])
        self.folder = project.root / str(parameters["output_dir"])
        self.stored_only = os.environ.get(STORED_ONLY) == "1"
        self.afresh = os.environ.get(AFRESH) == "1"

    def find(self, name: str, wanted: Identity) -> pd.DataFrame | None:
        """The table of that identity among all that were ever kept for this chapter, copied to `folder`; None if there
        is none. One whose values are not those that were written is passed over.
        """
        for path in () if self.afresh else (self._of_sweep(wanted), *self._kept(name)):
            try:
                if read_provenance(path).get("key") == wanted.key:
                    return self._taken(path, name)
            except InputError:
                continue
        return None

    def stored(self, name: str) -> pd.DataFrame:
        """The table of that name that stands in the results of this profile, of whatever identity."""
        path = self.project.results / self.base / self.notebook / f"{name}.parquet"
        if not path.is_file():
            raise InputError(f"{self.project.shown(path)}: no such table; --compute makes it")
        with self._saying_how(self.notebook):
            return self._taken(path, name)

    def read_other(self, notebook: str, name: str) -> pd.DataFrame:
        """A table of another chapter at this profile."""
        with self._saying_how(notebook):
            return read_table(self.project.results / self.base / notebook / f"{name}.parquet")

    def check_data(self, function: Callable[..., Any], asked: Iterable[str]) -> None:
        """`InputError` if a data file was read whose name stands nowhere in the source, so that it would not count."""
        named = strings(closure([function.__module__], self.project.root).values())
        for file in sorted(set(asked) - named):
            raise InputError(f"{function.__module__}: reads the data file {file!r} without naming it in full")

    @contextmanager
    def _saying_how(self, notebook: str) -> Iterator[None]:
        try:
            yield
        except InputError as error:
            raise InputError(f"{error}; {makes_again(notebook, self.base)}") from None

    def _of_sweep(self, wanted: Identity) -> Path:
        """Where another run of the sweep that this run belongs to would have put the table; runs of a sweep may be too
        many to look through.
        """
        return self.folder.parent.parent / BY_KEY / f"{wanted.key}.parquet"

    def _kept(self, name: str) -> Iterator[Path]:
        results = self.project.results
        yield self.folder / f"{name}.parquet"
        yield results / self.base / self.notebook / f"{name}.parquet"
        yield from sorted(results.glob(f"*/{self.notebook}*/{name}.parquet"))
        yield from sorted(results.glob(f"*/{RESCUED}/{self.notebook}*/{name}.parquet"))

    def _taken(self, path: Path, name: str) -> pd.DataFrame:
        frame = read_table(path)
        own = self.folder / f"{name}.parquet"
        if path != own:
            self.folder.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, own)
        return frame
