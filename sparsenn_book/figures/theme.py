"""The look of every figure: one plotly template and a few ways to draw series, bands and reference lines.

Importing this module registers the template `sparsenn` and changes no default. Backgrounds are transparent, so that one
figure serves the light page, the dark page and paper. A figure carries a sentence for readers who cannot see it, in
`layout.meta["alt"]`; the book hands it to screen readers.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
import plotly.io as pio
from numpy.typing import ArrayLike
from plotly.subplots import make_subplots

from sparsenn_book.figures.palette import AXIS, GRID, PALETTE, ROLES, TEXT, Style, style
from sparsenn_core.errors import InputError, unknown

NAME = "sparsenn"
HEIGHT = 400
PANEL_WIDTH = 190
"""Least width of one panel in pixels; a figure of several panels side by side scrolls inside itself on a phone."""
NAME_LETTERS, NAME_LINE = 30, 17
"""Letters that fit over such a panel, and pixels of a line of them."""

FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"
Look = int | str | Style


def _template() -> go.layout.Template:
    """The template: quiet grid, axes with units outside, legend above the panel, so that a phone keeps its width."""
    axis = {
        "automargin": True,
        "gridcolor": GRID,
        "linecolor": AXIS,
        "showline": True,
        "ticks": "outside",
        "ticklen": 4,
        "tickcolor": AXIS,
        "zeroline": False,
        "title": {"standoff": 10, "font": {"size": 14}},
        "exponentformat": "power",
        "minor": {"showgrid": False},
    }
    return go.layout.Template(
        layout={
            "colorway": list(PALETTE),
            "font": {"family": FONT, "size": 13, "color": TEXT},
            "title": {
                "x": 0,
                "xref": "paper",
                "xanchor": "left",
                "yref": "container",
                "y": 1,
                "yanchor": "top",
                "pad": {"t": 12},
                "font": {"size": 16},
            },
            "paper_bgcolor": "rgba(0, 0, 0, 0)",
            "plot_bgcolor": "rgba(0, 0, 0, 0)",
            "xaxis": axis,
            "yaxis": axis,
            "legend": {
                "orientation": "h",
                "xref": "paper",
                "x": 0,
                "xanchor": "left",
                "yref": "paper",
                "y": 1.02,
                "yanchor": "bottom",
                "bgcolor": "rgba(0, 0, 0, 0)",
                "title": {"text": ""},
            },
            "margin": {"l": 56, "r": 16, "t": 88, "b": 56},
            "hovermode": "closest",
            "hoverlabel": {"align": "left", "font": {"family": FONT, "size": 12}},
            "colorscale": {"sequential": "Cividis", "sequentialminus": "Cividis", "diverging": "RdBu"},
        },
        data={"heatmap": [{"colorscale": "Cividis", "colorbar": {"outlinewidth": 0, "thickness": 12}}]},
    )


pio.templates[NAME] = _template()


def use() -> None:
    """Make `sparsenn` this process' default template and JSON its default output, which books and JupyterLab draw.

    A notebook calls it once, in its first cell.
    """
    pio.templates.default = NAME
    pio.renderers.default = "plotly_mimetype"


def look(which: Look) -> Style:
    """The style of a series: by its number, by the role it has in every chapter, or as given."""
    if isinstance(which, Style):
        return which
    if isinstance(which, str):
        if which not in ROLES:
            raise unknown("role of a series", which, ROLES)
        return ROLES[which]
    return style(which)


def _described(fig: go.Figure, title: str, x: str, y: str, alt: str) -> go.Figure:
    """The figure with template, title and description; refuses a figure that would leave a reader guessing."""
    for name, text in (("title", title), ("x", x), ("y", y), ("alt", alt)):
        if not text.strip():
            raise InputError(f"figure {title!r}: {name} is empty; say it in words, with the unit where there is one")
    return fig.update_layout(template=NAME, title_text=title, height=HEIGHT, meta={"alt": " ".join(alt.split())})


def figure(title: str, x: str, y: str, alt: str) -> go.Figure:
    """An empty figure with axes.

    `title` is what is compared; `x` and `y` are axis titles with units, such as "training time (epochs)"; `alt` is one
    sentence that says what a reader would see. Raises `InputError` where one of them is empty.
    """
    return _described(go.Figure(), title, x, y, alt).update_xaxes(title_text=x).update_yaxes(title_text=y)


def panels(title: str, names: Sequence[str], x: str, y: str, alt: str, *, columns: int = 1) -> go.Figure:
    """An empty grid of panels that share both axes, one for each name, `columns` side by side.

    Series go in with `row=` and `col=`, counted from 1. The outer axes carry the titles. Side by side, long names are
    set in several lines. Takes `columns` >= 1.
    """
    if columns < 1 or not names:
        raise InputError(f"figure {title!r}: {len(names)} panels in {columns} columns; both must be at least 1")
    rows = -(-len(names) // columns)
    broken = ["<br>".join(textwrap.wrap(name, NAME_LETTERS)) if columns > 1 else name for name in names]
    more = NAME_LINE * max(name.count("<br>") for name in broken)  # pixels above each row
    height = 152 + (260 + more) * rows
    grid = make_subplots(
        rows=rows,
        cols=columns,
        subplot_titles=broken,
        shared_xaxes=True,
        shared_yaxes=True,
        horizontal_spacing=0.05,
        vertical_spacing=min(0.12, 0.3 / rows) + more / (height - 152),
    )
    fig = _described(grid, title, x, y, alt)
    fig.update_layout(height=height, meta={**fig.layout.meta, "min_width": 80 + PANEL_WIDTH * columns})
    # above the names of the first panels
    fig.update_layout(legend_y=1 + (26 + more) / (height - 152))
    if columns == 1:
        fig.update_layout(meta={"alt": fig.layout.meta["alt"]})
    for column in range(1, columns + 1):
        fig.update_xaxes(title_text=x, row=rows, col=column)
    for row in range(1, rows + 1):
        fig.update_yaxes(title_text=y, row=row, col=1)
    return fig.update_annotations(font_size=13)


def line(fig: go.Figure, x: ArrayLike, y: ArrayLike, name: str, which: Look = 0, **place: int) -> go.Figure:
    """Add one series as a line, [n] by [n]; `place` is `row=`, `col=` in a grid of panels."""
    s = look(which)
    return fig.add_trace(
        go.Scatter(x=x, y=y, name=name, legendgroup=name, mode="lines", line={"color": s.color, "dash": s.dash}),
        **place,
    )


def points(
    fig: go.Figure,
    x: ArrayLike,
    y: ArrayLike,
    name: str,
    which: Look = 0,
    *,
    low: ArrayLike | None = None,
    high: ArrayLike | None = None,
    **place: int,
) -> go.Figure:
    """Add one series as markers, [n] by [n], with intervals [`low`, `high`] as bars where both are given."""
    s = look(which)
    bars = None
    if low is not None and high is not None:
        bars = {
            "type": "data",
            "symmetric": False,
            "array": [h - v for v, h in zip(_list(y), _list(high), strict=True)],
            "arrayminus": [v - lo for v, lo in zip(_list(y), _list(low), strict=True)],
            "thickness": 1.5,
            "width": 4,
        }
    # An open symbol is only its outline, which has to be as strong as a line.
    marker = {"color": s.color, "symbol": s.marker, "size": 9}
    if s.marker.endswith("-open"):
        marker["line"] = {"width": 2}
    return fig.add_trace(
        go.Scatter(x=x, y=y, name=name, legendgroup=name, mode="markers", marker=marker, error_y=bars), **place
    )


def band(
    fig: go.Figure, x: ArrayLike, low: ArrayLike, high: ArrayLike, name: str, which: Look = 0, **place: int
) -> go.Figure:
    """Add the interval [`low`, `high`] over `x` as a translucent band; it shares the legend entry of series `name`."""
    s = look(which)
    xs = _list(x)
    outline = go.Scatter(
        x=xs + xs[::-1],
        y=_list(high) + _list(low)[::-1],
        name=name,
        legendgroup=name,
        showlegend=False,
        mode="lines",
        line={"width": 0},
        fill="toself",
        fillcolor=s.fill(),
        hoverinfo="skip",
    )
    return fig.add_trace(outline, **place)


def level(fig: go.Figure, y: float, text: str, which: Look = "theory", **place: int) -> go.Figure:
    """Add a horizontal line at a known value, with its name at the right end."""
    s = look(which)
    label = {"text": text, "textposition": "end", "yanchor": "bottom", "font": {"size": 12}}
    return fig.add_hline(y=y, line={"color": s.color, "dash": s.dash, "width": 1.5}, label=label, **place)


def _list(values: ArrayLike) -> list[float]:
    """Plain floats, so that sequences of every kind can be joined and reversed."""
    return [float(value) for value in np.asarray(values, dtype=float)]
