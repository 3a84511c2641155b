"""Notebook sources: what a `notebooks/NN_name.py` says of itself, read without executing it."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sparsenn_book.sources.parameters import Parameter, parse_parameters
from sparsenn_book.sources.project import Project
from sparsenn_core.errors import InputError, unknown

NAME = re.compile(r"\d\d_[a-z0-9_]+")
# Filled in by the runner, so that no parameter file can send results elsewhere.
FILLED_IN = ("output_dir", "profile")
NEEDS = "needs"  # names of chapters whose tables a chapter reads; said by its author alone

_CELL = re.compile(r"^# %%(.*)$", re.MULTILINE)
_TAGS = re.compile(r"tags=(\[[^\]]*\])")


@dataclass(frozen=True)
class Source:
    """A notebook: its name (the stem of its file), text, title and declared parameters."""

    name: str
    path: Path
    text: str
    title: str
    parameters: dict[str, Parameter]

    @property
    def needs(self) -> list[str]:
        """Names of the chapters whose tables this one reads."""
        return list(self.parameters[NEEDS].default) if NEEDS in self.parameters else []

    @property
    def digest(self) -> str:
        """sha256 of the source."""
        return hashlib.sha256(self.text.encode()).hexdigest()


@dataclass(frozen=True)
class _Cell:
    header: str
    body: str
    line: int

    @property
    def is_markdown(self) -> bool:
        return "[markdown]" in self.header

    @property
    def tags(self) -> list[str]:
        match = _TAGS.search(self.header)
        try:
            return list(json.loads(match[1])) if match else []
        except json.JSONDecodeError:
            return []


def names(project: Project) -> list[str]:
    """Names of all notebooks, in the order of the book. `InputError` for a file that is not named NN_name.py."""
    paths = sorted(project.notebooks.glob("*.py"))
    for path in paths:
        if not NAME.fullmatch(path.stem):
            raise InputError(f"{project.shown(path)}: a notebook is named NN_name.py, e.g. 01_l1_path.py")
    return [path.stem for path in paths]


def find(project: Project, name: str) -> Source:
    """The notebook of that name, with or without its number and ending. `InputError` names the nearest one."""
    known = names(project)
    wanted = Path(name).name.removesuffix(".py")
    matches = [stem for stem in known if wanted in (stem, stem[3:])]
    if not matches:
        raise unknown("notebook", name, known, where=project.shown(project.notebooks) + "/")
    if len(matches) > 1:
        raise InputError(f"notebook {name!r} could be {' or '.join(matches)}; give the number as well")
    return read(project, matches[0])


def read(project: Project, name: str) -> Source:
    """Read one notebook. `InputError` if it has not exactly one parameters cell or that cell is no declaration."""
    path = project.notebooks / f"{name}.py"
    where = project.shown(path)
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise InputError(f"{where}: not UTF-8 text (byte {error.start})") from None
    cells = list(_cells(text))
    prose = "\n".join(_uncommented(cell.body) for cell in cells if cell.is_markdown)
    title = re.search(r"^# +(.+)$", prose, re.MULTILINE)
    return Source(name, path, text, title[1].strip() if title else name, _declared(cells, where))


def _declared(cells: list[_Cell], where: str) -> dict[str, Parameter]:
    tagged = [cell for cell in cells if "parameters" in cell.tags]
    if len(tagged) != 1:
        count = "no cell is" if not tagged else f"{len(tagged)} cells are"
        raise InputError(f'{where}: {count} tagged parameters; exactly one must be (`# %% tags=["parameters"]`)')
    declared = parse_parameters(tagged[0].body, where, tagged[0].line + 1)
    for name in FILLED_IN:
        if name not in declared or declared[name].kind != "str":
            raise InputError(f'{where}: the parameters cell must declare `{name}: str = "..."`')
    return declared


def _cells(text: str) -> Iterator[_Cell]:
    markers = list(_CELL.finditer(text))
    ends = [marker.start() for marker in markers[1:]] + [len(text)]
    for marker, end in zip(markers, ends, strict=True):
        yield _Cell(marker[1], text[marker.end() + 1 : end], text.count("\n", 0, marker.start()) + 1)


def _uncommented(body: str) -> str:
    return re.sub(r"^# ?", "", body, flags=re.MULTILINE)
