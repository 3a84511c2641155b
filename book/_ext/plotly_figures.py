"""Sphinx extension: plotly figures from their JSON, drawn by one local copy of plotly's script.

A figure's title becomes a caption in the page, where it wraps on a phone and is found by the search; its alternative
text, `layout.meta.alt`, becomes the label that screen readers say. A page that is no notebook shows a figure from a
file beside it with the directive `plotly-figure`.
"""

import html
import importlib.resources
import json
import re
import shutil
from pathlib import Path
from typing import Any

from docutils import nodes
from docutils.parsers.rst import Directive
from myst_nb.core.render import MimeData, MimeRenderPlugin, NbElementRenderer, load_mime_renders
from sphinx.application import Sphinx

PLOTLY = "application/vnd.plotly.v1+json"
OPENING = '<figure class="plotly-figure">'
LEDGER = 'class="ledger-filters"'
ASSETS = Path(__file__).parent / "assets"
# What plotly draws in a title besides text; everything else is shown as it is written.
TITLE_TAGS = re.compile(r"&lt;(/?(?:b|i|em|strong|sub|sup)|br/?)&gt;")


class PlotlyFigure(MimeRenderPlugin):
    """Renders a plotly figure as a caption, an empty labelled box, and the data that `figures.js` draws into it."""

    mime_priority_overrides = (("*", PLOTLY, 1),)

    @staticmethod
    def handle_mime(renderer: NbElementRenderer, data: MimeData, inline: bool) -> list[nodes.Element] | None:
        if data.mime_type != PLOTLY or inline:
            return None
        return [nodes.raw(text=figure(dict(data.content)), format="html", classes=["output", "plotly"])]


class FigureFile(Directive):
    """`plotly-figure` with a file of plotly's JSON, named from the book's root."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        env = self.state.document.settings.env
        env.note_dependency(self.arguments[0])
        path = Path(env.srcdir) / self.arguments[0]
        return [nodes.raw(text=figure(json.loads(path.read_text(encoding="utf-8"))), format="html")]


def figure(content: dict[str, Any]) -> str:
    """The HTML of one figure, from plotly's JSON with the keys `data` and `layout`."""
    layout = dict(content.get("layout") or {})
    title = layout.pop("title", None) or {}
    text = title if isinstance(title, str) else title.get("text") or ""
    caption = f"<figcaption>{caption_html(text)}</figcaption>" if text else ""
    label = (layout.get("meta") or {}).get("alt") or re.sub(r"<[^>]*>", " ", text)
    # An unescaped "</script>" inside the data would end the element.
    blob = json.dumps({"data": content["data"], "layout": layout}).replace("<", "\\u003c")
    height = int(layout.get("height") or 400)
    return (
        f'{OPENING}{caption}<div class="plotly-scroll"><div class="plotly-canvas" role="img" '
        f'aria-label="{html.escape(label)}" style="min-height: {height}px"></div></div>'
        f'<script type="application/json">{blob}</script></figure>'
    )


def caption_html(text: str) -> str:
    """A plotly title as HTML: its few tags, and formulas between dollar signs for MathJax."""
    safe = TITLE_TAGS.sub(r"<\1>", html.escape(text))
    return re.sub(r"\$([^$]+)\$", r'<span class="math notranslate nohighlight">\\(\1\\)</span>', safe)


def copy_scripts(app: Sphinx) -> None:
    static = Path(app.outdir) / "_static"
    static.mkdir(parents=True, exist_ok=True)
    plotly = importlib.resources.files("plotly") / "package_data" / "plotly.min.js"
    (static / "plotly.min.js").write_bytes(plotly.read_bytes())
    for script in ASSETS.glob("*.js"):
        shutil.copyfile(script, static / script.name)


def load_scripts(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document) -> None:
    """Load plotly's 5 MB on pages that have a figure, and MathJax where a figure has a formula."""
    body = context.get("body") or ""
    if LEDGER in body:
        app.add_js_file("ledger.js", loading_method="defer")
    if OPENING not in body:
        return
    blobs = body.split(OPENING)[1:]
    if any("$" in blob.split("</figure>")[0] or r"\(" in blob.split("</figure>")[0] for blob in blobs):
        app.add_js_file(app.config.mathjax_path, loading_method="defer")
    app.add_js_file("plotly.min.js", loading_method="defer")
    app.add_js_file("figures.js", loading_method="defer")


def setup(app: Sphinx) -> dict[str, bool]:
    # myst-nb finds plugins by the entry points of installed packages; this folder is not one.
    if PlotlyFigure not in load_mime_renders():
        load_mime_renders().append(PlotlyFigure)
    app.add_directive("plotly-figure", FigureFile)
    app.connect("builder-inited", copy_scripts)
    app.connect("html-page-context", load_scripts)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
