"""Phase diagrams, outcomes along the strength, and ways of sparsifying."""

from __future__ import annotations

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from sparsenn_book.figures.palette import OUTCOMES
from sparsenn_book.figures.theme import figure, panels, points
from sparsenn_book.records.estimates import wilson
from sparsenn_book.studies.l1_phases import measures

AXES = {
    "strength": "strength λ", "scale": "initial scale", "samples": "samples", "channels": "channels",
}  # fmt: skip


def diagram(phases: pd.DataFrame, which: str) -> go.Figure:
    """The share of runs that found the support, as colour, with the contour of one half; intervals on hover."""
    x, y = which.split(" x ")
    activations = list(phases["activation"].unique())
    fig = panels(
        f"Share of students that find the teacher's support: {AXES[x].removesuffix(' λ')} and {AXES[y]}", activations,
        AXES[x], AXES[y],
        f"Heat map of the share of runs with exactly the teacher's support over {x} and {y}, a panel for each "
        "activation, with a contour where half of the runs find it.", columns=len(activations),
    )  # fmt: skip
    for column, activation in enumerate(activations, start=1):
        found = measures.cells(phases, which, activation)
        wide = found.pivot(index=y, columns=x, values="share")
        ticks = {"x": [f"{v:g}" for v in wide.columns], "y": [f"{v:g}" for v in wide.index]}
        hover = np.stack(
            [
                found.pivot(index=y, columns=x, values=v).to_numpy()
                for v in ("low", "high", "found", "runs", "outcomes")
            ],
            axis=-1,
        )
        fig.add_trace(
            go.Heatmap(
                z=wide.to_numpy(), **ticks, zmin=0, zmax=1, customdata=hover, coloraxis="coloraxis",
                hovertemplate="%{customdata[2]} of %{customdata[3]}: %{z:.0%} [%{customdata[0]:.2f}, "
                "%{customdata[1]:.2f}]<br>%{customdata[4]}<extra></extra>",
            ), row=1, col=column,
        )  # fmt: skip
        if min(wide.shape) > 1 and float(wide.min().min()) < 0.5 <= float(wide.max().max()):
            fig.add_trace(_half(wide, ticks), row=1, col=column)
    bar = {"title": {"text": "share"}, "tickformat": ".0%", "thickness": 12, "outlinewidth": 0}
    return (
        fig.update_xaxes(type="category")
        .update_yaxes(type="category")
        .update_layout(coloraxis={"colorscale": "Cividis", "cmin": 0, "cmax": 1, "colorbar": bar}, height=420)
    )


def _half(wide: pd.DataFrame, ticks: dict[str, list[str]]) -> go.Contour:
    return go.Contour(
        z=wide.to_numpy(), **ticks, contours={"start": 0.5, "end": 0.5, "size": 1, "coloring": "none"},
        line={"color": "#FFFFFF", "width": 3}, showscale=False, hoverinfo="skip", showlegend=False,
    )  # fmt: skip


def outcomes(phases: pd.DataFrame) -> go.Figure:
    """How runs end along the strength, as stacked bars."""
    rows = phases[(phases["diagram"] == "strength x scale") & np.isclose(phases["scale"], measures.FIXED["scale"])]
    activations = list(phases["activation"].unique())
    fig = panels(
        "How students end, along the strength (initial scale 1)", activations, "strength λ", "share of runs",
        "Stacked bars by strength, a panel for each activation: the shares of runs that recover the teacher, fit, fit "
        "in part, collapse, die or diverge.", columns=len(activations),
    )  # fmt: skip
    for column, activation in enumerate(activations, start=1):
        mine = rows[rows["activation"] == activation]
        counts = pd.crosstab(mine["strength"], mine["outcome"])
        for name, (colour, pattern) in OUTCOMES.items():
            if name in counts:
                fig.add_trace(_bar(counts, name, colour, pattern), row=1, col=column)
    seen: set[str] = set()
    for trace in fig.data:
        trace.showlegend = trace.name not in seen
        seen.add(trace.name)
    fig.update_layout(barmode="stack", bargap=0.25).update_xaxes(type="category")
    return fig.update_yaxes(tickformat=".0%", range=[0, 1])


def _bar(counts: pd.DataFrame, name: str, colour: str, pattern: str) -> go.Bar:
    total = counts.sum(axis=1)
    return go.Bar(
        x=[f"{s:g}" for s in counts.index], y=counts[name] / total, name=name, legendgroup=name,
        customdata=np.stack([counts[name], total], axis=1), legendrank=list(OUTCOMES).index(name),
        hovertemplate=f"{name}: %{{customdata[0]}} of %{{customdata[1]}}<extra></extra>",
        marker={"color": colour, "pattern": {"shape": pattern}},
    )  # fmt: skip


def ways(sparsifiers: pd.DataFrame) -> go.Figure:
    """Each way's share of runs with exactly the teacher's support, with its interval."""
    fig = figure(
        "Who finds exactly the teacher's support?", "way", "share of runs",
        "The share of runs that find exactly the teacher's support, with its interval, for each way.",
    )  # fmt: skip
    for number, (name, runs) in enumerate(sparsifiers.groupby("way", sort=False)):
        share = wilson(int(runs["exact"].sum()), len(runs))
        points(fig, [name], [share.value], str(name), number, low=[share.low], high=[share.high])
    fig.update_traces(showlegend=False).update_yaxes(tickformat=".0%", range=[-0.03, 1.03])
    return fig.update_layout(margin_t=48)
