"""What all tests share."""

from __future__ import annotations

import os
from pathlib import Path

# Before anything imports PyTorch: one thread, so that tests cost and compute the same on every machine.
os.environ["OMP_NUM_THREADS"] = "1"

import hypothesis
import pytest

from sparsenn_book.runner.batch import execute_all
from sparsenn_book.runner.execute import Watch
from sparsenn_book.runner.freshness import EXECUTED
from sparsenn_book.runner.tasks import plan_book
from sparsenn_book.sources.project import Project

hypothesis.settings.register_profile("project", deadline=None, derandomize=True, max_examples=50)
hypothesis.settings.load_profile("project")

PROJECT = Project(Path(__file__).resolve().parent.parent)


@pytest.hookimpl(tryfirst=True)  # before xdist, which reads the marks at the same point
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Where tests run on several processes: those that share what takes long to make stay in one of them.

    Everything that executes notebooks or builds the book is one group, as they would wait for one
    another's results; every other folder is one, as its files share what they test.
    """
    for item in items:
        folder, fixtures = item.path.parent.name, getattr(item, "fixturenames", ())
        if "smoke_results" in fixtures or (folder == "book" and "built" in fixtures):
            item.add_marker(pytest.mark.acceptance)  # every notebook is executed for it, or a book built
        executes = folder == "book" or "smoke_results" in fixtures
        item.add_marker(pytest.mark.xdist_group("book" if executes else folder))


@pytest.fixture(scope="session")
def project() -> Project:
    """The checkout that is tested."""
    return PROJECT


@pytest.fixture(scope="session")
def smoke_results() -> dict[str, Path]:
    """The executed copy of every notebook at the smoke profile, by name; those that are fresh are not run again."""
    executions = execute_all(plan_book(PROJECT, "smoke"), Watch(lambda line: None, lambda task, text: None), jobs=2)
    failures = [execution.message for execution in executions if execution.status == "failed"]
    if failures:
        pytest.fail("\n".join(failures), pytrace=False)
    return {execution.task.source.name: execution.folder / EXECUTED for execution in executions}
