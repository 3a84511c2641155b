"""Sweep files, `params/sweeps/NAME.yaml`: which runs, of which notebook or table function, and which table of theirs.

notebook: 05_rebound        # its parameters, as it declares them, at the values of `profile`
function: sparsenn_book.studies.rebound.scaling.levels   # only this function, called as the chapter calls it
profile: laptop
table: levels               # of every run, gathered into one; {name} stands for a parameter's value
fixed: {spectrum_runs: 4}
grid: {seed: [1, 2], scaling_rate: [1.0e-5, 1.0e-3]}     # every combination
zip: {alpha: [0.1, 1.0e-4], beta: [10.0, 1.0]}           # entry by entry, combined with the grid
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sparsenn_book.sources.parameters import shown
from sparsenn_book.sources.profiles import SWEEPS, read_yaml
from sparsenn_book.sources.project import Project
from sparsenn_core.errors import InputError, unknown

NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")
TEXTS = ("notebook", "function", "profile", "table")
SECTIONS = ("fixed", "grid", "zip")
MOST = 100_000
"""Runs of one sweep: so many folders side by side are what file systems still list within seconds."""


@dataclass(frozen=True)
class SweepFile:
    """What a sweep file says; nothing of it is checked against a notebook yet. Texts that are not given are empty."""

    name: str
    where: str
    notebook: str
    function: str
    profile: str
    table: str
    fixed: dict[str, Any]
    grid: dict[str, list[Any]]
    zipped: dict[str, list[Any]]

    @property
    def varied(self) -> list[str]:
        """Names of the parameters in which runs differ."""
        return [*self.grid, *self.zipped]

    def designs(self) -> list[dict[str, Any]]:
        """The given parameters of every run, in order: the grid's first name slowest, the zipped ones fastest."""
        entries = zip(*self.zipped.values(), strict=True) if self.zipped else [()]
        combined = itertools.product(*self.grid.values(), list(entries))
        return [
            self.fixed | dict(zip(self.grid, cells, strict=True)) | dict(zip(self.zipped, entry, strict=True))
            for *cells, entry in combined
        ]


def names(project: Project) -> list[str]:
    """Names of the sweeps there are."""
    return sorted(path.stem for path in (project.params / SWEEPS).glob("*.yaml"))


def find(project: Project, name: str) -> SweepFile:
    """The sweep of that name, or of that file in `params/sweeps/`. `InputError` names the nearest one."""
    folder = project.params / SWEEPS
    stem = Path(name).name.removesuffix(".yaml")
    if stem not in names(project):
        raise unknown("sweep", name, names(project), where=f"{project.shown(folder)}/")
    path = folder / f"{stem}.yaml"
    where = project.shown(path)
    if not NAME.fullmatch(stem):
        raise InputError(f"{where}: a sweep is named in small letters, digits, _ and -, as its results' folder will be")
    return parse(stem, where, read_yaml(path, where))


def parse(name: str, where: str, values: Mapping[str, Any]) -> SweepFile:
    """What the values of a sweep file say. `InputError` that starts with `where` for whatever is missing or odd."""
    for key in values:
        if key not in (*TEXTS, *SECTIONS):
            raise unknown("entry", key, (*TEXTS, *SECTIONS), where=where)
    texts = {key: _text(values.get(key, ""), f"{where}: {key}") for key in TEXTS}
    if not (texts["notebook"] or texts["function"]):
        raise InputError(f"{where}: names neither a notebook nor a function")
    if texts["profile"] and not texts["notebook"]:
        raise InputError(f"{where}: profile: it is a notebook that has profiles, and none is named")
    if not texts["table"] and not texts["function"]:
        raise InputError(f"{where}: table: which of the notebook's tables is gathered?")
    sections = {key: _section(values.get(key), f"{where}: {key}") for key in SECTIONS}
    for first, second in itertools.combinations(SECTIONS, 2):
        for twice in sorted(set(sections[first]) & set(sections[second])):
            raise InputError(f"{where}: {twice} stands under {first} and under {second}")
    for key in ("grid", "zip"):
        for parameter, entries in sections[key].items():
            _check_entries(entries, f"{where}: {key}: {parameter}")
    lengths = {parameter: len(entries) for parameter, entries in sections["zip"].items()}
    if len(set(lengths.values())) > 1:
        told = ", ".join(f"{parameter} has {count}" for parameter, count in lengths.items())
        raise InputError(f"{where}: zip: entries go together one by one, but {told}")
    count = math.prod(map(len, sections["grid"].values())) * max([1, *lengths.values()])
    if count > MOST:
        raise InputError(f"{where}: asks for {count} runs; {MOST} is the most a sweep may have")
    profile = texts["profile"] or "laptop"
    return SweepFile(name, where, texts["notebook"], texts["function"], profile, texts["table"], *sections.values())


def _text(value: Any, where: str) -> str:
    if not isinstance(value, str):
        raise InputError(f"{where}: {shown(value)} is no text")
    return value


def _section(value: Any, where: str) -> dict[str, Any]:
    if not isinstance(value, Mapping | None):
        raise InputError(f"{where}: {shown(value)} is no mapping of parameters")
    return {str(name): entry for name, entry in (value or {}).items()}


def _check_entries(entries: Any, where: str) -> None:
    if not isinstance(entries, list) or not entries:
        raise InputError(f"{where}: {shown(entries)} is no list of values, one for each run")
