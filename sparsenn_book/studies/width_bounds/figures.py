"""Figures of the chapter on neuron sharing, the multi-task lasso and width bounds: rows in, plotly figure out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go

from sparsenn_book.figures.palette import ROLES, Style, style
from sparsenn_book.figures.theme import figure, level, line, panels, points

if TYPE_CHECKING:
    import pandas as pd

METHODS: dict[str, Style] = {
    "PathProx": ROLES["reference schedule"],
    "SGD weight decay": style(3),
    "no decay": style(4),
    "optimum": ROLES["minimiser"],
}
OUTPUTS = (style(0), style(1))
TRACE = {"relative": "objective / optimum", "active": "active neurons", "outgoing": "sum of ||v<sub>k</sub>||"}
SHOWN = 1e-3  # the study draws neurons whose |v_dk| ||w_k|| is above this
OFFSETS = 3.0  # and biases |b| / ||w|| up to this


def training(rows: pd.DataFrame, recorded: pd.DataFrame, first_seed: int, alt: str) -> go.Figure:
    """Objective, active neurons and sum ||v_k|| over training; recorded values as open diamonds.

    `rows`: method, seed, step, name (those of `TRACE`), value; `recorded` the same without seed. The run of
    `first_seed` is a strong line, the other seeds are faint.
    """
    fig = panels("Training, three rules from the same weights", list(TRACE.values()), "step", "value", alt)
    named: set[str] = set()
    for place, name in enumerate(TRACE, start=1):
        of_name = rows[(rows["name"] == name) & (rows["step"] > 0)]
        for (method, seed), run in of_name.groupby(["method", "seed"], sort=False):
            line(fig, run["step"], run["value"], method, METHODS[method], row=place, col=1)
            first = seed == first_seed
            fig.data[-1].update(showlegend=bool(first and place == 1), opacity=1.0 if first else 0.35)
        seen = _thinned(recorded[(recorded["name"] == name) & (recorded["step"] > 0)])
        if len(seen):
            points(fig, seen["step"], seen["value"], "recorded", "recorded", row=place, col=1)
            fig.data[-1].update(showlegend="recorded" not in named, marker_size=5)
            named.add("recorded")
    level(fig, 1.0, "certified optimum", "minimiser", row=1, col=1)
    fig.layout.shapes[-1].label.textposition = "start"
    fig.update_yaxes(title_text="ratio", type="log", dtick=1, row=1, col=1)
    fig.update_yaxes(title_text="neurons", rangemode="tozero", row=2, col=1)
    fig.update_yaxes(title_text="sum", type="log", dtick=1, row=3, col=1)
    fig.update_xaxes(title_text="", type="log", dtick=1)
    return fig.update_xaxes(title_text="training time (steps)", row=3, col=1)


def _thinned(recorded: pd.DataFrame) -> pd.DataFrame:
    """The recorded points that a log axis can tell apart: about 20 a decade."""
    place = (20 * np.log10(recorded["step"])).round()
    return recorded[~recorded.assign(place=place).duplicated(["method", "place"])]


def neurons(rows: pd.DataFrame, alt: str) -> go.Figure:
    """Where the neurons are: direction against offset, one row of panels for each method, one column for each output.

    `rows`: method, output (1, 2), theta, offset, size = |v_dk| ||w_k||. The axes and the area rule are the study's.
    """
    methods = list(dict.fromkeys(rows["method"]))
    names = [f"{method}, f<sub>{d}</sub>" for method in methods for d in (1, 2)]
    fig = panels("Neurons of both outputs", names, "direction θ of w", "b / ||w||", alt, columns=2)
    for place, method in enumerate(methods, start=1):
        for output in (1, 2):
            some = rows[(rows["method"] == method) & (rows["output"] == output) & (rows["size"] > SHOWN)]
            points(fig, some["theta"], some["offset"], f"f{output}", OUTPUTS[output - 1], row=place, col=output)
            diameter = 60 * np.sqrt(some["size"])
            fig.data[-1].update(
                showlegend=False, marker={"size": diameter, "sizemin": 3, "opacity": 0.6, "line_width": 0}
            )
            fig.data[-1].update(
                customdata=some["size"], hovertemplate="θ %{x:.3f}, b/‖w‖ %{y:.3f}<br>size %{customdata:.4f}"
            )
    fig.update_xaxes(title_text="", tickvals=[0, np.pi / 2, np.pi, 1.5 * np.pi, 2 * np.pi], range=[-0.2, 6.5])
    fig.update_xaxes(ticktext=["0", "π/2", "π", "3π/2", "2π"])
    fig.update_yaxes(range=[-OFFSETS, OFFSETS])
    for column in (1, 2):
        fig.update_xaxes(title_text="direction θ of w", row=len(methods), col=column)
    return fig.update_layout(height=110 + 190 * len(methods))


def balance(rows: pd.DataFrame, law: pd.DataFrame, alt: str) -> go.Figure:
    """Imbalance over its initial value: one line a run of `rows` (method, seed, step, value), `law` (step, value)."""
    fig = figure(
        "Neural balance during training",
        "training time (steps)",
        "imbalance / initial imbalance",
        alt,
    )
    named: set[str] = set()
    for (method, _), run in rows.groupby(["method", "seed"], sort=False):
        line(fig, run["step"], run["value"], method, METHODS[method])
        fig.data[-1].update(showlegend=method not in named, opacity=1.0 if method not in named else 0.35)
        named.add(method)
    points(fig, law["step"], law["value"], "(1 − ηλ)<sup>2t</sup>", "theory")
    return fig.update_yaxes(type="log", dtick=1).update_xaxes(rangemode="tozero")


def histograms(
    certified: pd.DataFrame,
    recorded: pd.DataFrame,
    rows: Sequence[dict[str, Any]],
    columns: Sequence[dict[str, Any]],
    title: str,
    alt: str,
) -> go.Figure:
    """Histograms of the number of active neurons, one panel for each pair of a row's and a column's settings.

    Each setting is {"name": text, "where": {column: value}}; `certified` has width, lower, sharp, product, and may
    have `drawn`, the study's upper line, as columns, `recorded` has active. Recorded counts are a stepped outline.
    """
    names = [" · ".join(s["name"] for s in (row, column) if s["name"]) for row in rows for column in columns]
    fig = panels(title, names, "active neurons", "share of problems", alt, columns=len(columns))
    shown: set[str] = set()
    for i, row in enumerate(rows, start=1):
        for j, column in enumerate(columns, start=1):
            where = {**row["where"], **column["where"]}
            place = {"row": i, "col": j}
            ours, theirs = _select(certified, where)["width"], _select(recorded, where)["active"]
            bound = _select(certified, where).iloc[0]
            edges = _edges(max(float(bound.get(name, 0)) for name in ("product", "drawn")))
            _bars(fig, ours, edges, place, shown)
            if len(theirs):
                _outline(fig, theirs, edges, place, shown)
            _limits(fig, bound, place, shown)
            fig.update_xaxes(matches=None, showticklabels=True, range=[0, 1.01 * edges[-1]], **place)
    fig.update_xaxes(title_text="")
    for j in range(1, len(columns) + 1):
        fig.update_xaxes(title_text="active neurons", row=len(rows), col=j)
    fig.update_yaxes(tickformat=".0%")
    return fig.update_layout(height=130 + 200 * len(rows), bargap=0.0)


def _select(frame: pd.DataFrame, where: dict[str, Any]) -> pd.DataFrame:
    for column, value in where.items():
        frame = frame[frame[column] == value]
    return frame


def _edges(largest: float) -> np.ndarray:
    """Bin edges between whole numbers, so wide that about 100 bins reach from 0 past the largest bound."""
    wide = max(1, int(np.ceil(largest / 100)))
    return np.arange(0, 1.02 * largest + 2 * wide, wide) - 0.5


def _bars(fig: go.Figure, counts: pd.Series, edges: np.ndarray, place: dict[str, int], shown: set[str]) -> None:
    found, _ = np.histogram(counts, edges)
    used = found > 0
    middle = (edges[1:] + edges[:-1]) / 2
    bar = go.Bar(
        x=middle[used],
        y=found[used] / len(counts),
        width=edges[1] - edges[0],
        name="certified",
        legendgroup="certified",
        showlegend="certified" not in shown,
        marker={"color": ROLES["minimiser"].color, "opacity": 0.85, "line": {"width": 0}},
    )
    fig.add_trace(bar, **place)
    shown.add("certified")


def _outline(fig: go.Figure, counts: pd.Series, edges: np.ndarray, place: dict[str, int], shown: set[str]) -> None:
    inside = np.clip(counts, None, edges[-1] - 0.5)
    found, _ = np.histogram(inside, edges)
    last = int(found.nonzero()[0].max()) + 2
    first = max(int(found.nonzero()[0].min()) - 1, 0)
    share = np.append(found, 0)[first : last + 1] / len(counts)
    line(fig, edges[first : last + 1], share, "recorded", "recorded", **place)
    fig.data[-1].update(line={"shape": "hv", "dash": "solid", "width": 2}, showlegend="recorded" not in shown)
    shown.add("recorded")


def _limits(fig: go.Figure, bound: pd.Series, place: dict[str, int], shown: set[str]) -> None:
    """Vertical lines at the bounds as traces, so that the legend can name them once for all panels."""
    looks = {
        "lower": ("generic lower bound r<sub>Φ</sub>", style(4)),
        "sharp": ("r<sub>Φ</sub>r<sub>Ψ</sub> − r<sub>Ψ</sub>(r<sub>Ψ</sub>−1)/2", ROLES["theory"]),
        "product": ("r<sub>Φ</sub>r<sub>Ψ</sub>", style(3)),
        "drawn": ("upper line of the study", ROLES["recorded"]),
    }
    top = max(np.max(trace.y) for trace in fig.data if trace.xaxis == fig.data[-1].xaxis)
    for name, (text, look) in looks.items():
        if name not in bound or np.isnan(bound[name]):
            continue
        line(fig, [bound[name]] * 2, [0, float(top)], text, look, **place)
        fig.data[-1].update(showlegend=name not in shown, hovertemplate=f"{text}: {bound[name]:g}<extra></extra>")
        shown.add(name)


def brute_force(shares: pd.DataFrame, alt: str) -> go.Figure:
    """How often the sparsest solution has so many neurons, against K: `shares` has width, neurons, value, low, high."""
    fig = figure("The brute-force problems, by certificate", "neurons to choose from, K", "share of problems", alt)
    for place, (count, some) in enumerate(shares.groupby("neurons")):
        points(fig, some["width"], some["value"], f"{count} neurons", place, low=some["low"], high=some["high"])
        line(fig, some["width"], some["value"], f"{count} neurons", place)
        fig.data[-1].update(showlegend=False, line_width=1)
    return fig.update_yaxes(rangemode="tozero", tickformat=".0%").update_xaxes(dtick=1)


def spectra(values: pd.DataFrame, tolerances: Sequence[float], alt: str) -> go.Figure:
    """Singular values over the largest, on a log axis, one line for each `matrix`; levels at the tolerances."""
    fig = figure("Numerical rank is a count above a tolerance", "index", "singular value / largest", alt)
    for place, (name, some) in enumerate(values.groupby("matrix", sort=False)):
        line(fig, some["index"], some["value"].clip(lower=1e-18), name, place)
    for tolerance in tolerances:
        level(fig, tolerance, f"rtol {tolerance:.0e}", "recorded")
    return fig.update_yaxes(type="log", dtick=2, range=[-18, 0.3])
