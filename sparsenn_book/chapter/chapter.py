"""What every notebook does, done once: check parameters, compute or read tables, show, say, claim, sign."""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import pandas as pd
import torch
from IPython.display import Markdown, display

from sparsenn_book import figures
from sparsenn_book.chapter import pages
from sparsenn_book.chapter.full import FullScale
from sparsenn_book.chapter.parameters import checked, profile_of
from sparsenn_book.chapter.shelf import Shelf
from sparsenn_book.records.claims import FULL_CLAIMS, Claim, write_claims
from sparsenn_book.records.identity import Identity, identity
from sparsenn_book.records.provenance import provenance
from sparsenn_book.records.tables import write_table
from sparsenn_book.sources.notebooks import read
from sparsenn_book.sources.project import Project, data_files_asked_for
from sparsenn_book.sources.settings import fill
from sparsenn_core.errors import InputError

S = TypeVar("S")


class Chapter:
    """A chapter at work: `Chapter("05_rebound", globals())` in the first cell after the parameters.

    profile     of this run; `custom` where a value differs from the profile's own, so that no claim is tested
    device      "cpu" or "cuda": what the parameter `device` says, where there is one
    tables      this run's tables by name
    full        the committed tables of the full profile: `full.tables`, `full.settings(...)`, `full.age`
    """

    def __init__(self, name: str, namespace: Mapping[str, Any], project: Project | None = None) -> None:
        """`name` is that of the notebook's file; `namespace` holds its parameters. Checks them against the declared
        cell (`InputError`), sets theme, table format and one thread, and shows prices and parameters, folded.
        """
        self.name = name
        self.project = project or Project.find()
        source = read(self.project, name)
        self.parameters = checked(source, namespace, self.project)
        self.profile = profile_of(source, self.parameters, self.project)
        self.device = _device(self.parameters.get("device", "cpu"))
        self.tables: dict[str, pd.DataFrame] = {}
        self.full = FullScale(self.project, source)
        self._shelf = Shelf(self.project, name, self.parameters)
        self._ages: dict[str, str] = {}
        torch.set_num_threads(1)
        figures.use()
        pd.set_option("display.float_format", "{:.4g}".format, "display.max_colwidth", None)
        display(pages.head(source, self.parameters, self.project))

    def settings(self, kind: type[S], **given: Any) -> S:
        """A settings dataclass filled with the parameters of equal names; fields given by keyword win.

        `InputError` for a field without a default that neither names.
        """
        made = fill(kind, self.parameters, given)
        self.full.remember(made, given)
        return made

    def table(self, name: str, function: Callable[..., pd.DataFrame], *arguments: Any) -> pd.DataFrame:
        """The table that `function(*arguments)` returns: read if one of this identity was ever kept, else computed.

        Arguments are settings, earlier tables and plain data; a parameter `device` of the function is filled in and
        does not count. What is kept is `<name>.parquet` in the folder of results.
        """
        return self._tables((name,), function, arguments)[0]

    def several(
        self, names: Sequence[str], function: Callable[..., Mapping[str, pd.DataFrame]], *arguments: Any
    ) -> list[pd.DataFrame]:
        """Tables that one function makes together, as a mapping with exactly these `names`, each kept by itself."""
        return self._tables(tuple(names), function, arguments)

    def needed(self, notebook: str, name: str) -> pd.DataFrame:
        """A table of another chapter at this profile, which the parameters cell must name in `needs`.

        `InputError` if it does not, or if that chapter has not run.
        """
        if notebook not in self.parameters.get("needs", ()):
            raise InputError(
                f"{self.name}: {notebook!r} is not in the parameters cell's `needs`, so it may not be there"
            )
        return self._shelf.read_other(notebook, name)

    def show(self, thing: Any, *, headline: str = "") -> None:
        """Show a figure or a table. A figure with `headline`, a claim's key, also stands on the book's first page."""
        if isinstance(thing, pd.DataFrame | pd.Series):
            thing = pages.wide(thing)
        elif headline:
            thing.layout.meta = {**(thing.layout.meta or {}), "headline": headline}
        display(thing)

    def say(self, text: str) -> None:
        """Show Markdown with formulas between dollar signs: a sentence made from rows."""
        display(Markdown(text))

    def claims(self, function: Callable[..., list[Claim]], *settings: Any) -> None:
        """State the claims `function(tables, *settings)`: of this run's tables, and of the full profile's beside.

        Writes `claims.json`, and `full_claims.json` where this is another profile and full tables are there; shows one
        table.
        """
        stated = function(self.tables, *settings)
        write_claims(stated, self._shelf.folder, self.profile, age=self._age())
        full: list[Claim] = []
        if self.profile != "full":
            full = self.full.claims(function, settings)
            write_claims(full, self._shelf.folder, "full", file=FULL_CLAIMS, age=self.full.age)
        display(pages.claims(stated, self.profile, full, self.full.age))

    def colophon(self) -> None:
        """Show where the numbers come from: for each table seconds, device and date, and the versions of libraries."""
        display(pages.colophon(self.tables, self._ages, self.full))

    def _tables(
        self, names: tuple[str, ...], function: Callable[..., Any], arguments: Sequence[Any]
    ) -> list[pd.DataFrame]:
        self._check_names(names)
        parts = {n: n if len(names) > 1 else "" for n in names}
        wanted = {n: identity(function, arguments, self.project.data, self.project.root, parts[n]) for n in names}
        found = {n: self._shelf.find(n, wanted[n]) for n in names}
        if any(frame is None for frame in found.values()):
            found = dict(self._without_computing(wanted) or self._computed(wanted, function, arguments))
        self.full.expect(parts, function, arguments)
        for n, frame in found.items():
            assert frame is not None
            self.tables[n] = frame
            self.full.name_table(n, frame)
            self._tell_age(n, wanted[n])
        return [self.tables[n] for n in names]

    def _check_names(self, names: Sequence[str]) -> None:
        for name in names:
            if name in self.tables:
                raise InputError(f"{self.name}: table {name!r} is made twice")
            if not name.isidentifier():
                raise InputError(f"{self.name}: {name!r} is no name for a table; letters, digits and _ only")

    def _without_computing(self, wanted: Mapping[str, Identity]) -> dict[str, pd.DataFrame] | None:
        """The stored tables, whatever their age, where the run may not compute; None where it may."""
        return {name: self._shelf.stored(name) for name in wanted} if self._shelf.stored_only else None

    def _computed(
        self, wanted: Mapping[str, Identity], function: Callable[..., Any], arguments: Sequence[Any]
    ) -> dict[str, pd.DataFrame]:
        started = time.perf_counter()
        options = {"device": self.device} if "device" in inspect.signature(function).parameters else {}
        with data_files_asked_for() as asked:
            result = function(*arguments, **options)
        seconds = time.perf_counter() - started
        frames = {next(iter(wanted)): result} if isinstance(result, pd.DataFrame) else result
        if not isinstance(frames, Mapping) or list(frames) != list(wanted):
            raise InputError(f"{function.__qualname__} gave {_kind(result)}, not the table(s) {', '.join(wanted)}")
        self._shelf.check_data(function, asked)
        kept = {}
        for name, frame in frames.items():
            origin = provenance(
                self.parameters, seconds / len(frames), self.device,
                table=name, identity=wanted[name].__dict__, key=wanted[name].key,
            )  # fmt: skip
            kept[name] = write_table(frame.reset_index(drop=True), self._shelf.folder / f"{name}.parquet", origin)
        return kept

    def _tell_age(self, name: str, wanted: Identity) -> None:
        origin = self.tables[name].attrs["provenance"]
        self._ages[name] = wanted.difference(origin["identity"])
        if self._ages[name]:
            self.say(f"*Table* `{name}`: {self._ages[name]}, {origin['date'][:10]}.")

    def _age(self) -> str:
        return pages.age_of({name: self.tables[name] for name, age in self._ages.items() if age}, self._ages)


def _device(wanted: str) -> str:
    if wanted == "cuda" and not torch.cuda.is_available():
        raise InputError("device: cuda is asked for and not available here; auto or cpu would run")
    return "cuda" if wanted == "cuda" or (wanted == "auto" and torch.cuda.is_available()) else "cpu"


def _kind(value: Any) -> str:
    return f"tables {', '.join(value)}" if isinstance(value, Mapping) else f"a {type(value).__name__}"
