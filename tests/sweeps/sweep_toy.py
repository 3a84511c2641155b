"""A throw-away project with a notebook and a table function of a second, and the command line in it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sparsenn_book.records.closure import INSTALLED
from sparsenn_book.sources.project import Project

DEADLINE = 120.0  # seconds; for what would never come, as a busy machine may take its time

NOTEBOOK = """\
# %% [markdown]
# # A toy

# %% tags=["parameters"]
seed: int = 0  # [0, 1000]
strength: float = 0.5  # [0, inf)
strengths: list[float] = [0.1, 1.0]  # (0, inf); distinct
most: int = 1000  # [0, 1000]
few: int = 0  # [0, most]
device: str = "auto"  # one of auto, cpu, cuda
output_dir: str = "results/own/01_toy"
profile: str = "laptop"

# %%
import pandas as pd

from sparsenn_book.records.tables import write_table

# %%
assert seed % 12 < 5 or strength != 13, "thirteen is bad"
write_table(pd.DataFrame({"row": [0, 1], "value": [seed, seed * strength]}), f"{output_dir}/rows.parquet", {})
print(output_dir)
"""

# The core of this project is the installed one, and beside it a study that the installed one does not have.
CORE = '__path__ = __import__("pkgutil").extend_path(__path__, __name__)\n'
STUDY = """\
import os, pathlib, time
from dataclasses import dataclass

import pandas as pd

@dataclass(frozen=True)
class Settings:
    seed: int
    strength: float = 0.5
    widths: tuple[int, ...] = (1, 2)

    def __post_init__(self) -> None:
        if self.strength < 0:
            raise ValueError("strength is negative")


def rows(settings: Settings, free: int = 1000) -> pd.DataFrame:
    began = pathlib.Path("build/began")
    began.mkdir(parents=True, exist_ok=True)
    (began / f"{settings.seed}-{os.getpid()}").touch()
    # The first ones go through, the others wait until the test lets them.
    while len(list(began.iterdir())) > free and not pathlib.Path("build/go").exists():
        time.sleep(0.02)
    return pd.DataFrame({"width": settings.widths, "value": [settings.seed * w for w in settings.widths]})


def pair(settings: Settings) -> dict[str, pd.DataFrame]:
    return {f"one_{settings.seed}": rows(settings), "two": rows(settings)}


def killed(settings: Settings) -> pd.DataFrame:
    os.kill(os.getpid(), 9)


def of_table(table: pd.DataFrame) -> pd.DataFrame:
    return table


def no_table(settings: Settings) -> int:
    return 1
"""
TWELVE = (
    "function: sparsenn_core.toy_study.rows\nfixed: {free: 5}\ngrid:\n  seed: [0, 1, 2, 3]\n  strength: [0.5, 1, 2]\n"
)


Call = Callable[..., tuple[int, str, str]]
HEAD = "notebook: toy\ntable: rows\n"
LEVELS = (
    "function: sparsenn_book.studies.rebound.scaling.levels\nfixed: {dimensions: [2, 3, 1], biases: tiny, seed: 1, "
)
LEVELS += "spectrum_runs: 1, scaling_rate: 0.1, scaling_epochs: 1}\n"


@dataclass(frozen=True)
class Undisturbed:
    """What `twelve` gives: the collected table, and the folder of results."""

    collected: bytes
    results: Path


class SweepToy:
    """The project in `root`."""

    def __init__(self, root: Path) -> None:
        self.project = Project(root)
        self.started: list[subprocess.Popen[str]] = []
        self.write("notebooks/01_toy.py", NOTEBOOK)
        self.write("params/laptop/01_toy.yaml", "strength: 1.0\n")
        self.write("sparsenn_core/__init__.py", CORE)
        self.write("sparsenn_core/toy_study.py", STUDY)
        self.write("params/sweeps/twelve.yaml", TWELVE)

    def write(self, name: str, text: str) -> Path:
        """Write a file of the project."""
        path = self.project.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def start(self, *arguments: str, module: str = "sparsenn_book") -> subprocess.Popen[str]:
        """Start the command line, or another module, in a process of its own."""
        paths = f"{self.project.root}{os.pathsep}{INSTALLED}"
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", module, *arguments],
            cwd=self.project.root,
            env=os.environ | {"PYTHONPATH": paths},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            # Whoever tests in the background of a shell script has Ctrl-C ignored, and hands that down.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
        self.started.append(process)
        return process

    def __call__(self, *arguments: str) -> tuple[int, str, str]:
        """Sweep; exit status, standard output, standard error."""
        process = self.start("sweep", *arguments)
        out, err = process.communicate(timeout=DEADLINE)
        return process.returncode, out, err

    def go(self) -> None:
        """Let runs that wait go on."""
        self.write("build/go", "")

    def space(self, sweep: str = "twelve") -> Path:
        """The folder of a sweep's results."""
        return self.project.results / "sweeps" / sweep

    def runs(self, sweep: str = "twelve") -> list[Path]:
        """Folders of finished runs."""
        return sorted(path for path in self.space(sweep).glob("[!.]*") if path.is_dir())

    def attempts(self, sweep: str = "twelve") -> list[Path]:
        """Runs under way, or left over."""
        return list((self.space(sweep) / ".attempts").glob("*"))

    def collected(self, sweep: str = "twelve") -> bytes:
        """The collected table."""
        return (self.space(sweep) / "collected.parquet").read_bytes()

    def begun(self) -> int:
        """How many times the function was called."""
        return len(list((self.project.root / "build" / "began").glob("*")))

    def midway(self, waiting: int = 2) -> None:
        """Wait until five runs are there and so many wait to be let go on."""
        wait_for(lambda: len(self.runs()) == 5 and self.begun() == 5 + waiting)

    def processes(self) -> list[int]:
        """Processes that compute in this project: workers' children, which have it as their folder."""
        found = [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()]
        return [pid for pid in found if pid != os.getpid() and self._computes(pid)]

    def _computes(self, pid: int) -> bool:
        try:
            there = Path(f"/proc/{pid}/cwd").readlink() == self.project.root
            command = Path(f"/proc/{pid}/cmdline").read_bytes()
        except OSError:
            return False
        return there and b"sparsenn_book.runner.worker" in command

    def end(self) -> None:
        """Where a test failed halfway, what it started should not go on."""
        for process in self.started:
            process.kill()
            process.communicate()


def wait_for(condition: Callable[[], object]) -> None:
    """Wait until a condition holds."""
    end = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)
