"""The small book in a browser without a network."""

from __future__ import annotations

import time
from collections.abc import Callable

import page_checks as checks
import pytest
import small_book
from playwright.sync_api import Browser, Page
from small_book import SmallBook

pytestmark = pytest.mark.book
CHAPTER = f"notebooks/{small_book.NAME}.html"
DEADLINE = 60.0  # seconds, for what would never come; a busy machine may take its time


def eventually(page: Page, condition: Callable[[], bool]) -> bool:
    """Whether a condition comes to hold while the page goes on."""
    end = time.monotonic() + DEADLINE
    while not condition() and time.monotonic() < end:
        page.wait_for_timeout(50)
    return condition()


def test_every_page_is_drawn_from_disk_without_a_complaint(built: SmallBook, running: Browser) -> None:
    pages = checks.pages_of(built.html)
    assert len(pages) > 4
    assert [text for path in pages for text in checks.complaints(running, path)] == []


def test_each_figure_is_on_its_page_labelled_and_as_wide_as_the_window_allows(
    built: SmallBook, running: Browser
) -> None:
    with checks.visit(running, (built.html / CHAPTER).as_uri()) as seen:
        assert checks.drawn_figures(seen.page) == checks.figures_in(built.executed) == 2
        assert seen.page.locator("mjx-container").count() >= 2
        labels = [box.get_attribute("aria-label") for box in seen.page.locator(".plotly-canvas").all()]
        assert labels[1] == "Recovery is more frequent for small penalties."
        assert "three learning rates" in seen.page.locator("figcaption").first.inner_text()
        assert width(seen.page) > checks.PHONE
        seen.page.set_viewport_size({"width": checks.PHONE, "height": 800})
        assert eventually(seen.page, lambda: 0 < width(seen.page) < checks.PHONE)


def width(page: Page) -> float:
    """Of the first figure as drawn; 0 while there is none."""
    box = page.locator(".plotly-canvas svg.main-svg").first.bounding_box()
    return box["width"] if box else 0.0


def test_the_checks_see_what_is_wrong(built: SmallBook, running: Browser) -> None:
    with checks.visit(running, (built.html / CHAPTER).as_uri()) as seen:
        seen.page.evaluate("fetch('https://example.org/x').catch(() => 0); console.error('woe')")
        seen.page.evaluate("document.body.insertAdjacentHTML('beforeend', '<div style=\"width: 3000px\">wide</div>')")
        assert eventually(seen.page, lambda: any("asked for https://example.org/x" in text for text in seen.problems))
        assert eventually(seen.page, lambda: "console: woe" in seen.problems)
        assert eventually(seen.page, lambda: checks.overflow(seen.page) > 1000)
        seen.page.evaluate(
            "document.querySelector('.plotly-canvas').querySelectorAll('.mlayer *').forEach(e => e.remove())"
        )
        seen.page.evaluate("document.querySelector('.math').textContent = '\\\\(x\\\\)'")
        assert len(checks.undrawn_figures(seen.page)) == 1
        assert checks.undrawn_formulas(seen.page) == ["\\(x\\)"]


def test_the_theme_button_recolours_figures_at_once(built: SmallBook, running: Browser) -> None:
    with checks.visit(running, (built.html / CHAPTER).as_uri()) as seen:
        checks.switch_theme(seen.page, "light")
        light = checks.text_colors(seen.page)
        assert len(light) == 2
        checks.switch_theme(seen.page, "dark")
        assert eventually(seen.page, lambda: not set(light) & set(checks.text_colors(seen.page)))
        assert checks.undrawn_figures(seen.page) == []
        assert seen.problems == []


def test_search_works_over_http(built: SmallBook, running: Browser) -> None:
    with checks.served(built.html) as address:
        assert checks.search_results(running, address, "marmoset") == ["1. A small chapter"]
        assert checks.search_results(running, address, "xylophone") == []
        with checks.visit(running, f"{address}/{CHAPTER}") as seen:
            assert checks.drawn_figures(seen.page) == 2
            assert seen.problems == []


def test_paper_shows_light_figures_and_no_toolbar(built: SmallBook, running: Browser) -> None:
    with checks.visit(running, (built.html / CHAPTER).as_uri(), scheme="dark") as seen:
        dark = checks.text_colors(seen.page)
        assert checks.shown_on_paper(seen.page) == []
        seen.page.evaluate("dispatchEvent(new Event('beforeprint'))")
        assert eventually(seen.page, lambda: not set(dark) & set(checks.text_colors(seen.page)))
        seen.page.evaluate("dispatchEvent(new Event('afterprint'))")
        assert eventually(seen.page, lambda: checks.text_colors(seen.page) == dark)
        assert len(seen.page.pdf()) > 10_000


def test_both_menus_open_on_a_phone(built: SmallBook, running: Browser) -> None:
    for button, link in (("primary", "Status of this copy"), ("secondary", "Claims")):
        with checks.visit(running, (built.html / CHAPTER).as_uri(), checks.PHONE) as seen:
            seen.page.locator(f".{button}-toggle:visible").click()
            entry = seen.page.locator("dialog[open] a").filter(has_text=link)
            entry.wait_for(state="visible")
            assert entry.bounding_box()
