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
    """A project with this repository's book sources and the small chapter."""
    for folder in ("notebooks", "params", "results"):
        (root / folder).mkdir()
    shutil.copytree(BOOK, root / "book", ignore=shutil.ignore_patterns("_build", "__pycache__"))
    shutil.copyfile(HERE / "small_study.py", root / "small_study.py")
    return Project(root)


def execute(project: Project, profile: str, steps: int) -> Path:
    """The small chapter executed with one profile; returns the executed notebook, claims and provenance beside it."""
    folder = project.results / profile / NAME
    folder.mkdir(parents=True)
    shutil.copyfile(HERE / "small_chapter.py", project.notebooks / f"{NAME}.py")
    (project.params / profile).mkdir(parents=True)
    (project.params / profile / f"{NAME}.yaml").write_text(f"steps: {steps}\n")
    source = project.root / f"{NAME}.ipynb"
    jupytext.write(jupytext.read(HERE / "small_chapter.py"), source, fmt="ipynb")
    executed = folder / f"{NAME}.ipynb"
    # In a process of its own: papermill's libraries warn, and here a warning is an error.
    command = [
        sys.executable,
        "-P",
        "-m",
        "papermill",
        str(source),
        str(executed),
        "--no-progress-bar",
        "-k",
        "python3",
    ]
    command += ["-p", "steps", str(steps), "-p", "profile", profile, "-p", "output_dir", f"results/{profile}/{NAME}"]
    paths = os.pathsep.join(map(str, (BOOK.parent, project.root)))
    environment = os.environ | {"PYTHONPATH": paths, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, cwd=project.root, check=False, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    run = {
        "profile": profile,
        "device": "cpu",
        "versions": {"numpy": "2.4.6"},
        "code": {"commit": "0123456789abcdef", "dirty": False},
    }
    (folder / "run.json").write_text(json.dumps(run))
    return executed
