"""The real book: every notebook with the smoke profile, built beside the reader's book, checked like the small one."""

from __future__ import annotations

from pathlib import Path

import page_checks as checks
import pytest
from playwright.sync_api import Browser

from sparsenn_book.runner.batch import execute_all
from sparsenn_book.runner.book import build
from sparsenn_book.runner.execute import Watch
from sparsenn_book.runner.freshness import EXECUTED
from sparsenn_book.runner.tasks import plan_book
from sparsenn_book.sources.notebooks import names
from sparsenn_book.sources.project import Project

pytestmark = pytest.mark.acceptance
PROJECT = Project(Path(__file__).resolve().parents[2])


@pytest.fixture(scope="module")
def executed() -> dict[str, Path]:
    """The executed copy of each notebook, by its name; those that are fresh are not executed again."""
    if not names(PROJECT):
        pytest.skip("there is no notebook yet")
    lines: list[str] = []
    executions = execute_all(plan_book(PROJECT, "smoke"), Watch(lines.append, lambda task, text: None), jobs=2)
    assert [execution.message for execution in executions if execution.status == "failed"] == []
    return {execution.task.source.name: execution.folder / EXECUTED for execution in executions}


@pytest.fixture(scope="module")
def html(executed: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The book of these, in a folder that no reader reads."""
    return build("smoke", executed, PROJECT, html=tmp_path_factory.mktemp("real") / "html").parent


def test_nothing_comes_from_another_host(html: Path) -> None:
    assert checks.external_references(html) == []


def test_formulas_are_set_and_links_lead_somewhere(html: Path) -> None:
    assert checks.raw_tex(html) == []
    assert checks.broken_links(html) == []


def test_every_page_and_every_figure_is_drawn(executed: dict[str, Path], html: Path, running: Browser) -> None:
    expected = {f"{name}.html": checks.figures_in(notebook) for name, notebook in executed.items()}
    pages = checks.pages_of(html)
    assert set(expected) <= {page.name for page in pages}
    assert [text for page in pages for text in checks.complaints(running, page, expected.get(page.name))] == []


def test_search_finds_the_ledger_over_http(html: Path, running: Browser) -> None:
    with checks.served(html) as address:
        assert checks.search_results(running, address, "verdict")
