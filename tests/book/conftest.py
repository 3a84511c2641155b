"""One small book and one browser for all tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator

import page_checks
import pytest
import small_book
from playwright.sync_api import Browser
from small_book import SmallBook

from sparsenn_book.runner.book import build


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> SmallBook:
    """The small chapter with tables of the full profile, executed with the laptop profile and built once."""
    project = small_book.checkout(tmp_path_factory.mktemp("checkout"))
    small_book.execute(project, "full", steps=60)
    executed = small_book.execute(project, "laptop", steps=30)
    page = build("laptop", {small_book.NAME: executed}, project)
    return SmallBook(project, executed, page.parent)


@pytest.fixture(scope="session")
def running() -> Iterator[Browser]:
    """A browser without a network."""
    if page_checks.chromium() is None:
        pytest.skip("no chromium on this machine: Debian's package `chromium` lets the pages be checked in a browser")
    with page_checks.browser() as browser:
        yield browser
