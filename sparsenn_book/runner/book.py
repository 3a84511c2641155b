"""The book: executed notebooks go in, one self-contained folder of HTML comes out.

Notebooks are never executed here. A build with a warning publishes nothing, and the older book stays. A book is made
and published like a result (`result_folder`): one build at a time, in a folder of its own, by one rename. Chapters
that did not change are neither read nor written again (`doctrees`).
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import nbformat
import yaml

from sparsenn_book.records.claims import FULL_CLAIMS
from sparsenn_book.records.closure import INSTALLED
from sparsenn_book.records.tables import read_provenance
from sparsenn_book.records.words import slug
from sparsenn_book.runner import pages
from sparsenn_book.runner.doctrees import key_of, with_doctrees
from sparsenn_book.runner.entries import Claim, claims_of, entries
from sparsenn_book.runner.findings import PLOTLY, findings, pictures, practice
from sparsenn_book.runner.ledger import ledger, verdicts
from sparsenn_book.runner.library import library
from sparsenn_book.runner.result_folder import ResultFolder
from sparsenn_book.sources.project import Project

GENERATED = "generated"
CHANGING = (GENERATED, "notebooks")
"""Folders of the staged source that may change while trees of other pages are kept."""
FOLDED = {"parameters": "hide-input", "injected-parameters": "remove-input"}


def build(
    profile: str,
    executed: dict[str, Path],
    project: Project,
    html: Path | None = None,
    say: Callable[[str], None] = print,
) -> Path:
    """Build the book of one profile and return its first page.

    `executed` maps each notebook's name to its copy executed by papermill; that copy's folder also holds `claims.json`
    and `run.json`, if the notebook wrote them. `html` is the folder to publish to, by default `book/_build/html`; it is
    replaced as a whole, and only by a book without warnings. Chapters come in the order of their names. While another
    process builds into the same folder this one waits, and `say`s so, before it reads anything: the book that is
    published last is the one of the newest results.

    Raises `RuntimeError`, one line, for a notebook that failed or was not executed, and for a book that does not build;
    `InputError` for broken claims. Processor seconds, for nine chapters: 40 from scratch, 9 where nothing changed.
    """
    target = html or project.book / "_build" / "html"
    place = ResultFolder(target.parent, target.name)
    shown = project.shown(target)
    with place.locked(lambda: False, lambda: say(f"{shown}: another process builds this book, waiting")):
        stage = place.new_attempt()
        try:
            before = {name: _stamp(path.parent) for name, path in executed.items()}
            _stage(stage / "source", profile, executed, project)
            for name, path in executed.items():
                if _stamp(path.parent) != before[name]:
                    raise RuntimeError(f"{name}: a new result came while the book was made; call it again")
            key = key_of(stage / "source", CHANGING, INSTALLED / "sparsenn_core")
            with with_doctrees(target.parent / ".doctrees" / target.name, stage / "source", key) as kept:
                _run_jupyter_book(kept, project.root / "build" / "book" / f"{profile}{stage.suffix}.log", project)
                shutil.copytree(kept / "_build" / "html", stage / "html")
            place.publish(stage / "html")
        finally:
            place.discard(stage)
    return target / "index.html"


def _stamp(folder: Path) -> tuple[int, int] | None:
    """What tells the folder of a result, which is exchanged as a whole, from one that has taken its place."""
    there = folder.stat() if folder.exists() else None
    return (there.st_ino, there.st_mtime_ns) if there else None


def _stage(source: Path, profile: str, executed: Mapping[str, Path], project: Project) -> None:
    """Write the whole source of the book to the folder `source`."""
    notebooks = {name: _checked(name, Path(executed[name])) for name in sorted(executed)}
    shutil.copytree(project.book, source, ignore=shutil.ignore_patterns("_build", "__pycache__", ".*"))
    _write_pages(source, profile, executed, notebooks, project)


def _checked(name: str, path: Path) -> nbformat.NotebookNode:
    """An executed notebook that may be shown; refuses one that failed, stopped half-way, or lost its figures."""
    if not path.is_file():
        raise RuntimeError(f"{name}: no executed notebook at {path}; run it first")
    try:
        notebook = nbformat.read(path, as_version=4)
    except Exception as error:
        raise RuntimeError(f"{name}: {path} is not a notebook ({str(error).splitlines()[0]})") from None
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    for number, cell in enumerate(code, start=1):
        for output in cell.outputs:
            if output.output_type == "error":
                raise RuntimeError(f"{name}: code cell {number} failed with {output.ename}; see {path}")
            _check_figure(name, number, output.get("data", {}))
    clock = notebook.metadata.get("papermill", {})
    if not clock.get("end_time"):
        raise RuntimeError(f"{name}: {path} was not executed to its end by papermill; run it again")
    if clock.get("exception"):
        raise RuntimeError(f"{name}: the run recorded in {path} failed; run it again")
    return notebook


def _check_figure(name: str, number: int, data: Mapping[str, Any]) -> None:
    """A figure must be there as data with at least one trace: its HTML form calls for scripts from elsewhere."""
    lost = "Plotly.newPlot" in data.get("text/html", "") or data.get("text/plain", "").startswith("Figure({")
    if lost and PLOTLY not in data:
        raise RuntimeError(
            f"{name}: the figure of code cell {number} was not kept as {PLOTLY}; call sparsenn_book.figures.use() first"
        )
    if PLOTLY not in data:
        return
    if not data[PLOTLY].get("data"):
        raise RuntimeError(f"{name}: the figure of code cell {number} has no trace")
    meta = data[PLOTLY].get("layout", {}).get("meta")
    if not isinstance(meta, dict) or not meta.get("alt"):
        raise RuntimeError(f"{name}: the figure of code cell {number} has no alternative text in layout.meta['alt']")


def _write_pages(
    source: Path,
    profile: str,
    executed: Mapping[str, Path],
    notebooks: Mapping[str, nbformat.NotebookNode],
    project: Project,
) -> None:
    """Everything in the staged sources that is generated: notebooks, ledger, status, library, contents, settings."""
    titles = {name: pages.title(notebook, name) for name, notebook in notebooks.items()}
    folder = source / "notebooks"
    folder.mkdir(exist_ok=True)
    for name, notebook in notebooks.items():
        (folder / f"{name}.ipynb").write_text(_public(notebook, project.root), "utf-8")
    claims = [c for name in notebooks for c in claims_of(executed[name].parent, profile)]
    committed = [c for name in notebooks for c in claims_of(executed[name].parent, "full", FULL_CLAIMS)]
    runs = {name: _run_of(name, executed[name].parent, profile) for name in notebooks}
    found = entries(claims, committed)
    small = pictures(notebooks, found)
    shown = {key: f"{GENERATED}/{slug(key)}.json" for key in small}
    ages = {name: _ages(name, claims, committed) for name in notebooks}
    texts = {
        "verdicts.md": verdicts(found, profile),
        "ledger.md": ledger(found, profile, titles),
        "findings.md": findings(found, profile, titles, shown),
        "practice.md": practice(notebooks, titles),
        "status.md": pages.status(notebooks, runs, profile, ages),
    }
    (source / GENERATED).mkdir()
    for name, text in texts.items():
        (source / GENERATED / name).write_text(text, "utf-8")
    for key, figure in small.items():
        (source / shown[key]).write_text(json.dumps(figure), "utf-8")
    described = library()
    (source / pages.LIBRARY).mkdir()
    for name, text in described.items():
        (source / pages.LIBRARY / f"{name}.md").write_text(text, "utf-8")
    contents = pages.contents(list(notebooks), list(described))
    (source / "_toc.yml").write_text(yaml.safe_dump(contents, sort_keys=False), "utf-8")
    settings = yaml.safe_load((source / "_config.yml").read_text("utf-8"))
    (source / "_config.yml").write_text(yaml.safe_dump(pages.configuration(settings, profile)), "utf-8")


def _ages(name: str, claims: Sequence[Claim], committed: Sequence[Claim]) -> dict[str, str]:
    """How old the tables of one chapter are, as its claims say: "here" of this copy, "full" the committed ones."""
    own = {"here": claims, "full": committed}
    return {where: c.get("age", "") for where, rows in own.items() for c in rows if c["notebook"] == name}


def _public(notebook: nbformat.NotebookNode, root: Path) -> str:
    """The notebook as readers see and may download it: paths of the machine that executed it become relative to the
    book, and the parameters, which the chapter's head lists with their values, are folded.
    """
    cells = []
    for cell in notebook.cells:
        tags = cell.metadata.get("tags", [])
        folded = [tag for name, tag in FOLDED.items() if name in tags and tag not in tags]
        cells.append({**cell, "metadata": {**cell.metadata, "tags": [*tags, *folded]}} if folded else cell)
    clock = {name: value for name, value in notebook.metadata.papermill.items() if not name.endswith("_path")}
    public = {**notebook, "cells": cells, "metadata": {**notebook.metadata, "papermill": clock}}
    # As inside JSON strings, so that a path with a quote or a non-ASCII letter is found as well.
    inside = json.dumps(str(root), ensure_ascii=False)[1:-1]
    # on one line: Python's quick encoder knows no other way
    return json.dumps(public, ensure_ascii=False).replace(f"{inside}/", "").replace(inside, ".")


def _run_of(name: str, folder: Path, profile: str) -> dict[str, Any]:
    """What a run says of itself in `run.json`, empty where it wrote none, and the devices that its tables name.

    Refuses the run of another profile.
    """
    path = folder / "run.json"
    run = dict(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else {}
    if run.get("profile", profile) != profile:
        raise RuntimeError(f"{name}: {path} is a run of profile {run['profile']!r}, the book's is {profile!r}")
    devices = {read_provenance(table).get("device", "") for table in folder.rglob("*.parquet")}
    return {**run, "device": ", ".join(sorted(filter(None, devices)))}


def _run_jupyter_book(stage: Path, log: Path, project: Project) -> None:
    """Build HTML with warnings as errors. The whole output of a build that fails is kept in the file `log`."""
    # A build that is killed takes jupyter-book along, as a runner its kernels.
    watch = f"from sparsenn_book.runner.kernel_process import end_with_parent; end_with_parent({os.getpid()})"
    start = f"{watch}; from jupyter_book.cli.main import main; main()"
    arguments = ["build", str(stage / "source"), "--path-output", str(stage), "-W", "--keep-going"]
    # The library that its pages describe is the one whose names were read.
    paths = os.pathsep.join(filter(None, [str(INSTALLED), os.environ.get("PYTHONPATH", "")]))
    environment = {**os.environ, "PYDEVD_DISABLE_FILE_VALIDATION": "1", "PYTHONPATH": paths}
    done = subprocess.run(
        [sys.executable, "-c", start, *arguments], capture_output=True, text=True, check=False, env=environment
    )
    if done.returncode != 0:
        output, errors = (re.sub(r"\x1b\[[0-9;]*m", "", text) for text in (done.stdout, done.stderr))
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_text(output + errors, encoding="utf-8")
        said = [line.strip() for line in errors.splitlines() if "WARNING" in line or "ERROR" in line]
        reason = said[0].replace(str(stage / "source") + os.sep, "") if said else f"status {done.returncode}"
        raise RuntimeError(f"the book does not build: {reason} (all in {project.shown(log)})")
