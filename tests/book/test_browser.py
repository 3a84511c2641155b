"""The small book in a browser without a network."""

from __future__ import annotations

import time
from collections.abc import Callable

import page_checks as checks
import pytest
import small_book
from playwright.sync_api import Browser, Page
from small_book import SmallBook

pytestmark = pytest.mark.acceptance
CHAPTER = f"notebooks/{small_book.NAME}.html"
DEADLINE = 60.0  # seconds, for what would never come; a busy machine may take its time


def eventually(page: Page, condition: Callable[[], bool]) -> bool:
    """Whether a condition comes to hold while the page goes on."""
    end = time.monotonic() + DEADLINE
    while not condition() and time.monotonic() < end:
        page.wait_for_timeout(50)
    return condition()


def test_every_page_is_drawn_from_disk_without_a_complaint(built: SmallBook, running: Browser) -> None:
    # those of the library are the real book's, too, and looked at there
    pages = [page for page in checks.pages_of(built.html) if page.parent.name != "library"]
    assert len(pages) > 5
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


def test_the_legend_stands_above_the_panels(built: SmallBook, running: Browser) -> None:
    for width in (checks.DESK, checks.PHONE):
        with checks.visit(running, (built.html / CHAPTER).as_uri(), width) as seen:
            legend = seen.page.locator(".plotly-canvas .legend").first.bounding_box()
            box = seen.page.locator(".plotly-canvas").first
            top, height = box.evaluate(
                "b => [b.getBoundingClientRect().top + b._fullLayout._size.t, b._fullLayout._size.h]"
            )
            assert legend
            assert legend["y"] + legend["height"] <= top + 1
            assert height > 250


def test_the_first_page_shows_small_pictures_in_light_and_dark(built: SmallBook, running: Browser) -> None:
    with checks.visit(running, (built.html / "index.html").as_uri()) as seen:
        assert checks.drawn_figures(seen.page) == 1
        picture = seen.page.locator(".finding .plotly-canvas").bounding_box()
        assert picture
        assert picture["height"] < 330
        light = checks.text_colors(seen.page)
        checks.switch_theme(seen.page, "dark")
        seen.page.wait_for_timeout(500)
        assert checks.text_colors(seen.page) != light
        assert seen.problems == []


def test_the_ledger_is_filtered_by_keyboard_and_a_link_shows_its_claim(built: SmallBook, running: Browser) -> None:
    address = (built.html / "ledger.html").as_uri()
    with checks.visit(running, f"{address}#claim-small-collapse") as seen:
        page = seen.page
        claims = page.locator("table.ledger tbody tr")
        assert claims.count() == 6
        assert page.locator("#claim-small-collapse").locator("xpath=ancestor::tr").bounding_box()["y"] < 850
        button = page.get_by_role("button", name="reproduced 1")
        button.focus()
        page.keyboard.press("Enter")
        assert button.get_attribute("aria-pressed") == "true"
        assert [row.is_visible() for row in claims.all()].count(True) == 1
        assert page.get_by_role("status").inner_text() == "1 of 6 claims are shown."
        page.get_by_label("Chapter").last.select_option(index=1)
        assert [row.is_visible() for row in claims.all()].count(True) == 1
        page.evaluate("location.hash = '#claim-small-rate'")
        page.wait_for_timeout(200)
        assert [row.is_visible() for row in claims.all()].count(True) == 6
        page.get_by_role("button", name="undecided 1").click()
        assert page.locator("#claim-small-rate").locator("xpath=ancestor::tr").is_visible()
        assert seen.problems == []


def test_without_scripts_the_whole_ledger_is_shown(built: SmallBook, running: Browser) -> None:
    context = running.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto((built.html / "ledger.html").as_uri())
    assert [row.is_visible() for row in page.locator("table.ledger tbody tr").all()] == [True] * 6
    context.close()


def test_on_a_phone_a_claim_is_a_card(built: SmallBook, running: Browser) -> None:
    for path, table in (("ledger.html", "table.ledger"), (CHAPTER, ".claims table")):
        with checks.visit(running, (built.html / path).as_uri(), checks.PHONE) as seen:
            cells = [cell.bounding_box() for cell in seen.page.locator(f"{table} tbody tr").first.locator("td").all()]
            assert len(cells) == 4
            assert cells[0]["width"] > 300
            assert cells[1]["y"] >= cells[0]["y"] + cells[0]["height"] - 1
            assert cells[2]["y"] == cells[3]["y"]


def test_the_check_finds_what_is_cut_off(built: SmallBook, running: Browser) -> None:
    with checks.visit(running, (built.html / CHAPTER).as_uri()) as seen:
        assert checks.cut_off(seen.page) == []
        seen.page.evaluate(
            """document.querySelector('.bd-article').insertAdjacentHTML('beforeend',
                '<div style="width: 90px; overflow: hidden; white-space: nowrap">a badge that is clipped</div>' +
                '<div style="width: 90px; overflow: auto; white-space: nowrap">a line that one can scroll</div>' +
                '<div style="white-space: nowrap; position: absolute">beyond ' + 'the window '.repeat(40) + '</div>')"""
        )
        found = checks.cut_off(seen.page)
        assert [text[:6] for text in found] == ["a badg", "beyond"]


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
