"""Figures of the chapter, each from its rows."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

from sparsenn_book.figures.palette import Style, style
from sparsenn_book.figures.theme import band, figure, level, line, look, panels, points
from sparsenn_book.studies.compression import measures
from sparsenn_book.studies.compression.comparison import LASSO, METHODS, PICTURED, RANDOM

LOOKS: dict[str, Style | str] = {
    LASSO: "minimiser",
    "OMP": style(0),
    "contribution": style(1),
    "path norm": style(2),
    "magnitude": style(4),
    RANDOM: style(3),
}
COLUMNS = {"loss": "test loss (cross-entropy)", "accuracy": "test accuracy", "error": "relative error of the layer"}
LOSSES = [m * 10.0**e for e in range(-4, 2) for m in (1, 2, 5)]
"""Ticks of losses and errors."""
KEPT = "neurons kept (share, logarithmic)"


def against_width(ways: pd.DataFrame, networks: pd.DataFrame, task: str, column: str) -> go.Figure:
    """All methods refitted, one panel a layer: median over runs, of the lasso the middle 80 %, against the share."""
    own = ways[(ways["task"] == task) & ways["refit"]]
    layers = list(dict.fromkeys(own["layer"]))
    whole = float(networks[networks["task"] == task][column].median()) if column in networks else None
    fig = panels(
        f"{task}, all refitted: {COLUMNS[column]}", [_named(own, layer) for layer in layers], KEPT,
        COLUMNS[column],
        f"{COLUMNS[column]} against the share of neurons kept, one panel for each layer of the {task} network and one "
        f"line for each of {len(METHODS)} methods, with the level of the whole network.",
        columns=min(2, len(layers)),
    )  # fmt: skip
    for place, layer in enumerate(layers):
        at = {"row": place // 2 + 1, "col": place % 2 + 1}
        _methods(fig, own[own["layer"] == layer], column, at, legend=place == 0)
        if whole is not None:
            level(fig, whole, "whole network", **at)
    return _scaled(fig, ways, column)


def refit(ways: pd.DataFrame, networks: pd.DataFrame, task: str, layer: str) -> go.Figure:
    """One layer with the weights that each method leaves, and refitted: test loss against the share kept."""
    own = ways[(ways["task"] == task) & (ways["layer"] == layer)]
    names = {"weights as they are": False, "refitted by least squares": True}
    fig = panels(
        f"{task}, layer {layer}: what the refit does", list(names), KEPT, COLUMNS["loss"],
        "Test loss against the share of neurons kept, a line for each method: on the left with the weights "
        "as they are, on the right refitted by least squares, far lower.",
        columns=2,
    )  # fmt: skip
    for place, refitted in enumerate(names.values(), start=1):
        _methods(fig, own[own["refit"] == refitted], "loss", {"row": 1, "col": place}, legend=place == 1)
        level(
            fig, float(networks[networks["task"] == task]["loss"].median()), "whole network", **{"row": 1, "col": place}
        )
    return _scaled(fig, ways, "loss").update_yaxes(matches="y")


def path(rows: pd.DataFrame, task: str) -> go.Figure:
    """Neurons kept along the lasso's strengths, a line a layer."""
    own = rows[(rows["task"] == task) & ~rows["refit"]]
    fig = figure(
        f"{task}: neurons kept by the lasso", "strength λ (share of the largest useful one, logarithmic)",
        "neurons kept (share)",
        "Share of neurons kept against the strength of the penalty on a logarithmic axis, one falling line with a band "
        "for each layer.",
    )  # fmt: skip
    largest = own.groupby(["layer", "run"])["strength"].transform("max")
    # paths have as many strengths, each a fixed share of the largest
    own = own.assign(part=(own["strength"] / largest).round(9), share=own["width"] / own["neurons"])
    for number, layer in enumerate(dict.fromkeys(own["layer"])):
        some = measures.centre(own[own["layer"] == layer], ["part"], "share")
        band(fig, some["part"], some["low"], some["high"], layer, style(number))
        _line(fig, some["part"], some["middle"], layer, style(number))
    return fig.update_xaxes(type="log", dtick=1).update_yaxes(range=[0, 1.05])


def removed(neurons: pd.DataFrame, task: str, layer: str) -> go.Figure:
    """Every neuron of one layer by what it gives and what it weighs: kept or removed by the lasso."""
    own = neurons[(neurons["task"] == task) & (neurons["layer"] == layer)]
    fig = figure(
        f"{task}, layer {layer}: which neurons stay (nearest to {PICTURED:.0%})", "root mean square on the data",
        "norm of outgoing weights",
        "One mark for each neuron of a layer, its root mean square activation against the norm of its outgoing "
        "weights; those that the lasso keeps lie to the right.",
    )  # fmt: skip
    for name, kept, which in (("removed", False, style(3)), ("kept", True, look("minimiser"))):
        some = own[own["kept"] == kept]
        points(fig, some["rms"], some["outgoing"], name, which)
    return fig


def descents(rows: pd.DataFrame) -> go.Figure:
    """The study's objective along its own iterations, in certified optima."""
    own = rows.assign(ratio=rows["objective"] / rows["optimum"])
    fig = figure(
        "The study's loop on its own objective", "iteration (logarithmic)", "objective / certified optimum",
        "The study's objective divided by the certified optimum against iterations, a line with a band for each "
        "strength; all stay above 1, the level of the optimum.",
    )  # fmt: skip
    names = {strength: f"λ = {strength:g}" for strength in sorted(own["strength"].unique(), reverse=True)}
    for number, (strength, name) in enumerate(names.items()):
        some = measures.centre(own[own["strength"] == strength], ["iteration"], "ratio")
        band(fig, some["iteration"], some["low"], some["high"], name, style(number))
        _line(fig, some["iteration"], some["middle"], name, style(number))
    level(fig, 1.0, "certified optimum", "minimiser")
    return fig.update_xaxes(type="log", dtick=1).update_yaxes(rangemode="tozero")


def _methods(fig: go.Figure, rows: pd.DataFrame, column: str, at: dict[str, int], *, legend: bool) -> None:
    for method in METHODS:
        some = measures.centre(rows[rows["method"] == method], ["share"], column).sort_values("share")
        if method == LASSO:  # six bands would hide one another
            band(fig, some["share"], some["low"], some["high"], method, LOOKS[method], **at)
        _line(fig, some["share"], some["middle"], method, LOOKS[method], **at)
        fig.data[-1].update(showlegend=legend)


def _line(fig: go.Figure, x: pd.Series, y: pd.Series, name: str, which: Style | str, **at: int) -> None:
    """A line with marks, so that few widths are seen as few."""
    line(fig, x, y, name, which, **at)
    fig.data[-1].update(mode="lines+markers", marker={"symbol": look(which).marker, "size": 6})


def _scaled(fig: go.Figure, ways: pd.DataFrame, column: str) -> go.Figure:
    shares = sorted(ways["share"].unique())
    fig.update_xaxes(type="log", tickvals=shares, ticktext=[f"{share:g}" for share in shares])
    if column != "accuracy":
        fig.update_yaxes(type="log", tickvals=LOSSES, ticktext=[f"{loss:g}" for loss in LOSSES])
    # at the right end the lines meet the level
    return fig.update_shapes(label_textposition="start")


def _named(rows: pd.DataFrame, layer: str) -> str:
    neurons = int(rows[rows["layer"] == layer]["neurons"].iloc[0])
    return f"{layer} reads {neurons}"
