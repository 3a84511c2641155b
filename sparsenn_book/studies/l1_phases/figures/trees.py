"""A fully connected student arranged like the teacher: as matrices, and as a graph."""

from __future__ import annotations

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from sparsenn_book.figures.palette import AXIS, PALETTE, SIGNED
from sparsenn_book.figures.theme import figure, panels
from sparsenn_book.studies.l1_phases.trees import WIDTHS

THRESHOLDS = (0.0, 1e-4, 1e-3, 1e-2, 3e-2, 0.1, 0.3)
NEEDED, OTHER = PALETTE[0], PALETTE[3]
LABELS = ("input", "first layer's units", "second layer's units", "output")


def maps(tree_weights: pd.DataFrame) -> go.Figure:
    """The weights of the first two layers: teacher, minimiser, refit; units by chunk of inputs, exact zeros blank."""
    kinds = ("teacher", "minimiser", "refit")
    names = [f"{kind}, layer {layer}" for layer in (1, 2) for kind in kinds]
    fig = panels(
        "Weights arranged like the teacher's", names, "from", "to",
        "Six heat maps of the weights of two layers, units sorted by the chunk of inputs they read: teacher, minimiser "
        "and refit.", columns=3,
    )  # fmt: skip
    for row, layer in enumerate((1, 2), start=1):
        for column, kind in enumerate(kinds, start=1):
            rows = tree_weights[(tree_weights["kind"] == ("refit" if kind == "refit" else "minimiser"))]
            value = "teacher" if kind == "teacher" else "student"
            wide = rows[rows["layer"] == layer].pivot(index="output", columns="input", values=value)
            fig.add_trace(
                go.Heatmap(
                    z=wide.where(wide != 0).to_numpy(), x=[str(i + 1) for i in wide.columns],
                    y=[str(i + 1) for i in wide.index], coloraxis="coloraxis", xgap=1, ygap=1, hoverongaps=False,
                    hovertemplate=f"{kind}: %{{y}}←%{{x}}: %{{z:.4f}}<extra></extra>",
                ), row=row, col=column,
            )  # fmt: skip
    # panels share axes column by column, but the layers have different inputs
    fig.update_xaxes(type="category", matches=None, showticklabels=True)
    fig.update_yaxes(type="category", matches=None, autorange="reversed", showticklabels=True)
    bar = {"title": {"text": "weight"}, "thickness": 12, "outlinewidth": 0}
    return fig.update_layout(coloraxis={"colorscale": SIGNED, "cmin": -3, "cmax": 3, "colorbar": bar})


def tree(tree_weights: pd.DataFrame) -> go.Figure:
    """The minimiser as a graph from inputs to output, with a threshold to slide."""
    rows = tree_weights[tree_weights["kind"] == "minimiser"]
    fig = figure(
        "The student as a graph", "layer", "unit",
        "A graph from 12 inputs through two layers of units to the output, with the edges whose weights are above a "
        "threshold that can be slid: those of the teacher's tree and others.",
    )  # fmt: skip
    owner = []
    start = THRESHOLDS.index(0.1)
    for number, threshold in enumerate(THRESHOLDS):
        for needed, name, colour in ((True, "the teacher has", NEEDED), (False, "others", OTHER)):
            part = rows[((rows["teacher"] != 0) == needed) & (rows["student"].abs() > threshold)]
            fig.add_trace(_edges(part, name, colour))
            fig.data[-1].visible = number == start
            owner.append(number)
    fig.add_trace(_nodes())
    steps = [
        {"method": "update", "label": f"{t:g}", "args": [{"visible": [*(n == number for n in owner), True]}]}
        for number, t in enumerate(THRESHOLDS)
    ]
    slider = {"active": start, "currentvalue": {"prefix": "weights above "}, "pad": {"t": 48}, "steps": steps}
    fig.update_xaxes(tickvals=[0, 1, 2, 3], ticktext=list(LABELS), range=[-0.15, 3.15], title_text="")
    fig.update_yaxes(visible=False)
    return fig.update_layout(sliders=[slider], height=520, margin_b=130)


def _height(layer: int, unit: int) -> float:
    """Where a unit is drawn: those that the teacher has beside their chunk of inputs, spare ones below all."""
    needed = (12, 4, 2, 1)[layer]
    if unit < needed:
        return 1 - (unit + 0.5) / needed
    return -0.12 * (unit - needed + 1)


def _edges(part: pd.DataFrame, name: str, colour: str) -> go.Scatter:
    x: list[float] = []
    y: list[float] = []
    for row in part.itertuples(index=False):
        x += [row.layer - 1, row.layer, np.nan]
        y += [_height(row.layer - 1, row.input), _height(row.layer, row.output), np.nan]
    return go.Scatter(
        x=x, y=y, mode="lines", name=name, legendgroup=name, hoverinfo="skip",
        line={"color": colour, "width": 2.5 if colour == NEEDED else 1},
    )  # fmt: skip


def _nodes() -> go.Scatter:
    places = [(layer, unit) for layer, width in enumerate(WIDTHS) for unit in range(width)]
    return go.Scatter(
        x=[layer for layer, _ in places], y=[_height(*place) for place in places], mode="markers", showlegend=False,
        marker={"color": AXIS, "size": 10}, text=[f"{LABELS[layer]} {unit + 1}" for layer, unit in places],
        hovertemplate="%{text}<extra></extra>",
    )  # fmt: skip
