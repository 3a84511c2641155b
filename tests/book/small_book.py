"""A book of one cheap chapter: a checkout in miniature, the chapter executed by papermill, the book built from it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import jupytext

from sparsenn_book.sources.project import Project

HERE = Path(__file__).resolve().parent
BOOK = HERE.parent.parent / "book"
NAME = "01_small"


@dataclass(frozen=True)
class SmallBook:
    """A built book of one chapter."""

    project: Project
    executed: Path
    html: Path


def checkout(root: Path) -> Project:
    """A project with this repository's book sources and nothing else."""
    for folder in ("notebooks", "params", "results"):
        (root / folder).mkdir()
    shutil.copytree(BOOK, root / "book", ignore=shutil.ignore_patterns("_build", "__pycache__"))
    return Project(root)


def execute(project: Project, profile: str, steps: int) -> Path:
    """The small chapter executed with one profile; returns the executed notebook, claims and provenance beside it."""
    folder = project.results / profile / NAME
    folder.mkdir(parents=True)
    source = project.root / f"{NAME}.ipynb"
    jupytext.write(jupytext.read(HERE / "small_chapter.py"), source, fmt="ipynb")
    executed = folder / f"{NAME}.ipynb"
    # In a process of its own: papermill's libraries warn, and here a warning is an error.
    command = [sys.executable, "-m", "papermill", str(source), str(executed), "--no-progress-bar", "-k", "python3"]
    command += ["-p", "steps", str(steps), "-p", "profile", profile, "-p", "output_dir", str(folder)]
    environment = os.environ | {"PYTHONPATH": str(BOOK.parent), "OMP_NUM_THREADS": "1"}
    subprocess.run(command, check=True, capture_output=True, env=environment)
    run = {
        "profile": profile,
        "device": "cpu",
        "versions": {"numpy": "2.4.6"},
        "code": {"source": "0" * 64, "commit": None, "dirty": None},
    }
    (folder / "run.json").write_text(json.dumps(run))
    return executed
