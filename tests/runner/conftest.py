"""A throw-away project with a notebook of a second."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from waiting import wait_for

from sparsenn_book.__main__ import main
from sparsenn_book.records.closure import INSTALLED
from sparsenn_book.sources.project import Project

TOY = """\
# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # A toy
#
# Its rows are beside recorded.csv, which the code names.

# %% tags=["parameters"]
strength: float = 0.5  # [0, inf) strength of the penalty
strengths: list[float] = [0.1, 1.0]  # (0, inf) a grid
steps: int = 3  # [1, 1000] how long
device: str = "auto"  # one of auto, cpu, cuda; where
bias: bool = False
wait: float = 0.0  # [0, 1000] seconds to sleep, or until build/go is there
output_dir: str = "results/own/01_toy"
profile: str = "laptop"

# %%
import json, os, pathlib, sys, time
import sparsenn_core.physics

RECORDED = "recorded.csv"

# %%
started = time.time()
pathlib.Path("build").mkdir(exist_ok=True)
(pathlib.Path("build") / f"alive-{os.getpid()}").touch()
while time.time() < started + wait and not pathlib.Path("build/go").exists():
    time.sleep(0.02)
pass  # a test may put something else here

# %%
assert steps != 13, "thirteen\\nis bad"

# %%
rows = {"steps": steps, "strength": strength, "profile": profile, "python": sys.executable,
        "here": os.getcwd(), "threads": os.environ["OMP_NUM_THREADS"], "constant": sparsenn_core.physics.CONSTANT,
        "from": started, "to": time.time()}
pathlib.Path(output_dir, "rows.json").write_text(json.dumps(rows))
print(output_dir)
"""


class Toy:
    """A project in a temporary folder, and the command line in it."""

    def __init__(self, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.project = Project(root)
        self.capsys = capsys
        self.started: list[subprocess.Popen[str]] = []
        self.write("notebooks/01_toy.py", TOY)
        self.write("params/smoke/01_toy.yaml", "steps: 1\nprofile: smoke\n")
        self.write("params/laptop/01_toy.yaml", "strength: 1.0e-5\n")
        self.write("sparsenn_core/__init__.py", "")
        self.write("sparsenn_core/physics.py", "CONSTANT = 1\n")

    def write(self, name: str, text: str) -> Path:
        """Write a file of the project."""
        path = self.project.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def add(self, name: str) -> None:
        """Add a copy of the notebook to both profiles."""
        self.write(f"notebooks/{name}.py", TOY)
        self.write(f"params/smoke/{name}.yaml", "")
        self.write(f"params/laptop/{name}.yaml", "")

    def plant(self) -> dict[str, bytes]:
        """An older result at laptop, without the second it takes to make one; its files."""
        self.write("results/laptop/01_toy/rows.json", "{}")
        self.write("results/laptop/01_toy/executed.ipynb", "{}")
        self.write("results/laptop/01_toy/run.json", '{"key": "old", "files": ["rows.json"], "parts": {}}')
        return self.files()

    def __call__(self, *arguments: str) -> tuple[int, str, str]:
        """Run the command line here; exit status, standard output, standard error."""
        self.capsys.readouterr()
        with pytest.raises(SystemExit) as left:
            main(arguments)
        out, err = self.capsys.readouterr()
        return int(left.value.code or 0), out, err

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start the command line in a process of its own."""
        command = [sys.executable, "-P", "-m", "sparsenn_book", *arguments]
        environment = os.environ | {"PYTHONPATH": str(INSTALLED)}
        pipe = subprocess.PIPE
        process = subprocess.Popen(
            command,
            cwd=self.project.root,
            env=environment,
            stdout=pipe,
            stderr=pipe,
            text=True,
            # Whoever tests in the background of a shell script has Ctrl-C ignored, and hands that down.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
        self.started.append(process)
        return process

    @contextmanager
    def going_on_when(self, condition: Callable[[], object]) -> Iterator[None]:
        """Let notebooks that sleep go on as soon as a condition holds."""

        def release() -> None:
            wait_for(condition)
            self.write("build/go", "")

        with ThreadPoolExecutor(1) as pool:
            released = pool.submit(release)
            yield
        released.result()

    def processes(self) -> list[int]:
        """Processes that work in this project, kernels and what they started among them, without this one."""
        found = [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()]
        return [pid for pid in found if pid != os.getpid() and _lives(pid) and _folder(pid) == self.project.root]

    def kernels(self) -> list[int]:
        """Processes of kernels that have come to the cell that sleeps and still live."""
        found = [int(path.name.removeprefix("alive-")) for path in self.project.root.glob("build/alive-*")]
        return [pid for pid in found if _lives(pid)]

    def files(self) -> dict[str, bytes]:
        """Every result by name, without what is under a dot."""
        paths = [path for path in self.project.results.rglob("*") if path.is_file()]
        named = {path.relative_to(self.project.results).as_posix(): path for path in paths}
        return {name: path.read_bytes() for name, path in named.items() if "/." not in f"/{name}"}


def _lives(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (OSError, IndexError):
        return False
    return state != "Z"


def _folder(pid: int) -> Path | None:
    try:
        return Path(f"/proc/{pid}/cwd").readlink()
    except OSError:
        return None


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Toy]:
    monkeypatch.chdir(tmp_path)
    made = Toy(tmp_path, capsys)
    yield made
    for process in made.started:
        # Where a test failed halfway, what it started should not go on for the rest of the day.
        process.kill()
        process.communicate()
