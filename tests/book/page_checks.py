"""Checks of built pages, for any folder of HTML: nothing from elsewhere, everything drawn, usable on a phone.

Those that need a browser drive Debian's chromium with every host but this machine unreachable.
"""

from __future__ import annotations

import contextlib
import functools
import http.server
import json
import re
import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path

from playwright.sync_api import Browser, Page, Request, sync_playwright

PLOTLY = "application/vnd.plotly.v1+json"
PHONE, DESK = 390, 1400
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]
EXTERNAL = re.compile(r"(?:https?:)?//[^\s\"')]+", re.IGNORECASE)
# Attributes that make a browser fetch something by itself; a link that a reader clicks is not one of them.
FETCHED = {"src", "srcset", "poster", "data-src"}
NAMESPACE = "http://www.w3.org/"


class _References(HTMLParser):
    """Collects what a page would fetch from another host."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._inside = ""

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attributes}
        self._inside = tag if tag in ("script", "style") and values.get("type") != "application/json" else ""
        fetched = {name for name in values if name in FETCHED or (tag == "link" and name == "href")}
        for name in fetched:
            if EXTERNAL.match(values[name]):
                self.found.append(f"<{tag} {name}={values[name]}>")
        self._text(tag + " style", values.get("style", ""))

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside:
            self._text(self._inside, data)

    def _text(self, where: str, text: str) -> None:
        for address in re.findall(r"https?://[^\s\"'`)]+", text):
            if not address.startswith(NAMESPACE):
                self.found.append(f"{where}: {address}")


def pages_of(folder: Path) -> list[Path]:
    """The pages of a built book; the theme leaves a template among its static files, which is none."""
    return sorted(page for page in folder.rglob("*.html") if "_static" not in page.parts)


def external_references(folder: Path) -> list[str]:
    """What the pages and style sheets of `folder` would fetch from another host, as `file: where`."""
    found = []
    for page in pages_of(folder):
        parser = _References()
        parser.feed(page.read_text(encoding="utf-8"))
        found += [f"{page.relative_to(folder)}: {item}" for item in parser.found]
    for sheet in sorted(folder.rglob("*.css")):
        text = re.sub(r"/\*.*?\*/", "", sheet.read_text(encoding="utf-8"), flags=re.DOTALL)
        for address in re.findall(r"(?:url\(|@import)\s*[\"']?((?:https?:)?//[^\"')]+)", text):
            found.append(f"{sheet.relative_to(folder)}: {address}")
    return found


# Where TeX may stand as it is written: MathJax draws the first two, the others show or hold source.
TEX_ALLOWED = {"math"}
TEX_SOURCE = {"script", "style", "code", "pre", "textarea", "mjx-container", "template"}
RAW_TEX = re.compile(r"\$[^$\n]{1,300}\$|\\[()\[\]]|\\[A-Za-z]{2,}")
VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}


class _Text(HTMLParser):
    """Collects the text that a reader sees outside of formulas and code, and the ids and links of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.text: list[str] = []
        self.ids: set[str] = set()
        self.links: list[str] = []
        self._quiet: list[bool] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attributes}
        self.ids |= {values[name] for name in ("id", "name") if name in values}
        if tag == "a" and "href" in values:
            self.links.append(values["href"])
        if tag not in VOID:
            self._quiet.append(tag in TEX_SOURCE or bool(TEX_ALLOWED & set(values.get("class", "").split())))

    def handle_endtag(self, tag: str) -> None:
        if self._quiet and tag not in VOID:
            self._quiet.pop()

    def handle_data(self, data: str) -> None:
        if not any(self._quiet):
            self.text.append(data)


def raw_tex(folder: Path) -> list[str]:
    """TeX that readers of `folder` would see as it is written, as `file: text`."""
    found = []
    for page in pages_of(folder):
        parser = _Text()
        parser.feed(page.read_text(encoding="utf-8"))
        # a piece at a time: two prices in two paragraphs are no formula
        found += [f"{page.relative_to(folder)}: {hit}" for text in parser.text for hit in RAW_TEX.findall(text)]
    return found


def broken_links(folder: Path) -> list[str]:
    """Links inside `folder` to a page, or to a place on a page, that is not there, as `file: link`."""
    parsers = {}
    for page in pages_of(folder):
        parsers[page.resolve()] = parser = _Text()
        parser.feed(page.read_text(encoding="utf-8"))
    found = []
    for page, parser in parsers.items():
        for link in parser.links:
            address, _, place = link.partition("#")
            target = (page.parent / address).resolve() if address else page
            if ":" in address or not (place or address.endswith(".html")):
                continue
            there = target in parsers and (not place or place in parsers[target].ids)
            if not there and target.name not in ("genindex.html", "search.html"):
                found.append(f"{page.relative_to(folder.resolve())}: {link}")
    return found


def figures_in(notebook: Path) -> int:
    """How many plotly figures an executed notebook holds."""
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    return sum(PLOTLY in output.get("data", {}) for cell in cells for output in cell.get("outputs", []))


def chromium() -> str | None:
    """The browser's path, if there is one."""
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


@contextlib.contextmanager
def browser() -> Iterator[Browser]:
    """A headless chromium that reaches no host but this machine."""
    with sync_playwright() as driver:
        running = driver.chromium.launch(executable_path=chromium(), args=ARGUMENTS)
        try:
            yield running
        finally:
            running.close()


@contextlib.contextmanager
def served(folder: Path) -> Iterator[str]:
    """The address of `folder`, served over http on this machine."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=folder)) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@dataclass
class Visit:
    """A page in the browser, and everything that went wrong in it so far."""

    page: Page
    problems: list[str] = field(default_factory=list)


@contextlib.contextmanager
def visit(running: Browser, address: str, width: int = DESK, scheme: str = "light") -> Iterator[Visit]:
    """Open a page and wait until its figures and formulas are drawn."""
    context = running.new_context(
        viewport={"width": width, "height": 850}, color_scheme=scheme, has_touch=width == PHONE
    )
    context.set_default_timeout(120_000)
    seen = Visit(context.new_page())

    def local_only(request: Request) -> None:
        if not request.url.startswith(("file:", "data:", "blob:", "http://127.0.0.1:")):
            seen.problems.append(f"asked for {request.url}")

    page = seen.page
    page.on("request", local_only)
    page.on("console", lambda m: seen.problems.append(f"console: {m.text}") if m.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: seen.problems.append(f"error: {error}"))
    page.on("requestfailed", lambda request: seen.problems.append(f"failed: {request.url}"))
    page.goto(address, wait_until="load")
    if page.locator(".plotly-figure").count():
        page.wait_for_function("document.documentElement.dataset.figures === 'drawn'", timeout=120_000)
    if page.locator(".math").count():
        page.wait_for_function("window.MathJax && MathJax.startup && MathJax.startup.promise")
        page.evaluate("MathJax.startup.promise.then(() => true)")
    try:
        yield seen
    finally:
        context.close()


def undrawn_figures(page: Page) -> list[str]:
    """Labels of the figures that show no trace, or that have no label."""
    return page.evaluate(
        """() => [...document.querySelectorAll('.plotly-figure')].filter(figure => {
            const box = figure.querySelector('.plotly-canvas');
            const marks = box.querySelectorAll(
                '.mlayer path, .mlayer image, .gl-container canvas, .pielayer path, .table');
            return !box.querySelector('svg.main-svg') || !marks.length || !box._fullData.some(t => t.visible === true)
                || !box.getAttribute('aria-label');
        }).map(figure => figure.textContent.slice(0, 60) || 'a figure')"""
    )


def drawn_figures(page: Page) -> int:
    """How many figures show at least one trace."""
    return page.locator(".plotly-figure").count() - len(undrawn_figures(page))


def undrawn_formulas(page: Page) -> list[str]:
    """Formulas that MathJax left as text or drew as an error, in the text and in the figures."""
    return page.evaluate(
        r"""() => [...document.querySelectorAll('.math')]
            .filter(e => !e.querySelector('mjx-container svg') || e.querySelector('[data-mjx-error]'))
            .map(e => e.textContent)
            .concat([...document.querySelectorAll('.plotly-canvas svg text')].filter(
                e => /^\$.*\$$/.test(e.textContent) && e.style.display !== 'none').map(e => e.textContent))"""
    )


def overflow(page: Page) -> int:
    """By how many pixels the page is wider than the window."""
    return page.evaluate("document.documentElement.scrollWidth - window.innerWidth")


def cut_off(page: Page) -> list[str]:
    """Texts that end outside of what is shown: beyond the window, or beyond a box that hides the rest.

    Beyond a box that scrolls is fine. Pictures are plotly's own matter, and formulas are boxes here.
    """
    return page.evaluate(
        """() => {
            const found = new Set();
            const words = document.createTreeWalker(
                document.querySelector('.bd-article') || document.body, NodeFilter.SHOW_TEXT);
            const range = document.createRange();
            for (let node = words.nextNode(); node; node = words.nextNode()) {
                const own = node.parentElement;
                if (!node.data.trim() || own.closest('.plotly-canvas, mjx-container, script, style')) continue;
                if (!own.checkVisibility({ visibilityProperty: true })) continue;
                range.selectNodeContents(node);
                check(range.getBoundingClientRect(), own, node.data);
            }
            for (const formula of document.querySelectorAll('.bd-article mjx-container')) {
                if (!formula.checkVisibility()) continue;
                check(formula.getBoundingClientRect(), formula.parentElement, 'a formula');
            }
            function check(rect, own, text) {
                if (rect.width < 2 || rect.height < 2) return;
                for (let box = own; box && box !== document.body; box = box.parentElement) {
                    const flow = getComputedStyle(box).overflowX;
                    if (getComputedStyle(box).clipPath !== 'none') return;  // for screen readers alone
                    if (flow === 'auto' || flow === 'scroll') return;
                    const edge = box.getBoundingClientRect().right;
                    if ((flow === 'hidden' || flow === 'clip') && rect.right > edge + 1) return found.add(text.trim());
                }
                if (rect.right > innerWidth + 1) found.add(text.trim());
            }
            return [...found].map(text => text.slice(0, 60));
        }"""
    )


def text_colors(page: Page) -> list[str]:
    """The colour of the tick labels of each figure."""
    return page.evaluate(
        """() => [...document.querySelectorAll('.plotly-canvas')]
            .map(box => getComputedStyle(box.querySelector('.xtick text, .ytick text, .gtitle')).fill)"""
    )


def switch_theme(page: Page, theme: str) -> None:
    """Press the page's theme button until the page is `light` or `dark`."""
    for _ in range(4):
        if page.evaluate("document.documentElement.dataset.theme") == theme:
            return
        page.locator(".theme-switch-button:visible").first.click()
    raise AssertionError(f"the button never chose the {theme} theme")


def complaints(running: Browser, page: Path, figures: int | None = None) -> list[str]:
    """Everything wrong with one page opened from disk, on a desk and then on a phone; `figures` must be drawn."""
    found = []
    with visit(running, page.as_uri()) as seen:
        for width in (DESK, PHONE):
            if width == PHONE:
                seen.page.set_viewport_size({"width": PHONE, "height": 850})
                seen.page.wait_for_timeout(300)
            found += [f"not drawn at {width}: {label}" for label in undrawn_figures(seen.page)]
            found += [f"not drawn at {width}: {formula}" for formula in undrawn_formulas(seen.page)]
            found += [f"cut off at {width}: {text}" for text in cut_off(seen.page)]
            if overflow(seen.page) > 0:
                found += [f"{overflow(seen.page)} pixels too wide at {width}"]
        drawn = drawn_figures(seen.page)
        if figures is not None and drawn != figures:
            found += [f"{drawn} of {figures} figures drawn"]
        found += seen.problems
    return [f"{page.name}: {text}" for text in found]


def search_results(running: Browser, address: str, word: str) -> list[str]:
    """Titles that the book's own search finds for a word; `address` is the book's, over http."""
    with visit(running, f"{address}/search.html?q={word}") as seen:
        seen.page.wait_for_function("!!document.querySelector('#search-results .search-summary')?.textContent")
        seen.page.wait_for_timeout(300)
        return seen.page.locator("#search-results li a").all_text_contents()


def shown_on_paper(page: Page) -> list[str]:
    """Toolbars and sidebars that would be printed."""
    page.emulate_media(media="print")
    bars = ".bd-header, .bd-header-article, .bd-sidebar-primary, .bd-sidebar-secondary, .prev-next-area, .modebar"
    visible = [e.get_attribute("class") or "" for e in page.locator(bars).all() if e.is_visible()]
    page.emulate_media(media="screen")
    return visible
