"""A book while others build or run: both builds come to their end, and what is published is one of them, whole."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import small_book

from sparsenn_book.records.closure import INSTALLED
from sparsenn_book.runner.book import build
from sparsenn_book.runner.result_folder import ResultFolder
from sparsenn_book.sources.project import Project

DEADLINE = 300.0  # seconds; for what would never come
FILES = 100


class Builds:
    """Stands for jupyter-book: writes files that name the profile, and waits in the midst of the first build."""

    def __init__(self) -> None:
        self.begun = threading.Event()
        self.go_on = threading.Event()
        self.stages: list[Path] = []

    def __call__(self, stage: Path, log: Path, project: Project) -> None:
        self.stages.append(stage)
        html = stage / "_build" / "html"
        html.mkdir(parents=True)
        for number in range(FILES):
            if number == FILES // 2:
                self.begun.set()
                assert self.go_on.wait(DEADLINE)
            (html / f"{number}.html").write_text(log.name.partition(".")[0])


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A checkout, whose book leaves the pages of the library empty: to read all of it takes longer than the rest."""
    monkeypatch.setattr("sparsenn_book.runner.book.library", lambda: {})
    return small_book.checkout(tmp_path)


@pytest.mark.parametrize("second", ["smoke", "laptop"])
def test_the_second_waits_and_then_replaces_the_first_as_a_whole(
    project: Project, monkeypatch: pytest.MonkeyPatch, second: str
) -> None:
    builds = Builds()
    monkeypatch.setattr("sparsenn_book.runner.book._run_jupyter_book", builds)
    said: list[str] = []

    def waiting(line: str) -> None:
        said.append(line)
        assert len(builds.stages) == 1  # and so nothing of the second build has been read either
        builds.go_on.set()

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(build, "full", {}, project)
        assert builds.begun.wait(DEADLINE)
        page = pool.submit(build, second, {}, project, say=waiting).result(DEADLINE)
        assert first.result(DEADLINE) == page
    assert said == ["book/_build/html: another process builds this book, waiting"]
    assert [(page.parent / f"{number}.html").read_text() for number in range(FILES)] == [second] * FILES
    assert not list((project.book / "_build" / ".attempts").iterdir())


def test_builds_into_different_folders_do_not_wait(
    project: Project, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    builds = Builds()
    monkeypatch.setattr("sparsenn_book.runner.book._run_jupyter_book", builds)
    with ThreadPoolExecutor(2) as pool:
        both = [pool.submit(build, "smoke", {}, project, tmp_path / name, pytest.fail) for name in ("one", "two")]
        while len(builds.stages) < 2:
            assert not any(future.done() for future in both)
            time.sleep(0.02)
        builds.go_on.set()
        pages = [future.result(DEADLINE) for future in both]
    assert [len(list(page.parent.iterdir())) for page in pages] == [FILES, FILES]


def test_what_a_killed_build_left_is_cleared_by_the_next(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    builds = Builds()
    builds.go_on.set()
    monkeypatch.setattr("sparsenn_book.runner.book._run_jupyter_book", builds)
    left = project.book / "_build" / ".attempts" / "html.left"
    left.mkdir(parents=True)
    build("smoke", {}, project)
    assert not left.exists()


def test_a_result_that_is_exchanged_while_it_is_read_is_not_published(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = ResultFolder(project.results / "smoke", "01_a")

    def stage(source: Path, *_: object) -> None:
        result.publish(result.new_attempt())

    monkeypatch.setattr("sparsenn_book.runner.book._stage", stage)
    result.publish(result.new_attempt())
    with pytest.raises(RuntimeError, match="01_a: a new result came while the book was made"):
        build("smoke", {"01_a": result.folder / "executed.ipynb"}, project)
    assert not (project.book / "_build" / "html").exists()


@pytest.mark.acceptance
def test_kill_9_of_a_build_ends_jupyter_book(project: Project) -> None:
    code = "from pathlib import Path\nfrom sparsenn_book.runner.book import build, Project\n"
    code += f"build('smoke', {{}}, Project(Path({str(project.root)!r})))"
    environment = os.environ | {"PYTHONPATH": str(INSTALLED)}
    process = subprocess.Popen([sys.executable, "-P", "-c", code], env=environment, cwd=project.root)
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    end = time.monotonic() + DEADLINE
    while not children.read_text():
        assert time.monotonic() < end
        time.sleep(0.02)
    child = Path("/proc", children.read_text().split()[0])
    while "end_with_parent" not in (child / "cmdline").read_text():  # until the fork has become jupyter-book
        time.sleep(0.02)
    process.kill()
    process.wait()
    while child.exists() and (child / "stat").read_text().rpartition(")")[2].split()[0] != "Z":
        assert time.monotonic() < end
        time.sleep(0.1)
