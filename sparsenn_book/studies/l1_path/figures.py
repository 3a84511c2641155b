"""Figures of the L1 chapter, each from its rows."""

from __future__ import annotations

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from sparsenn_book.figures.theme import band, figure, level, line, panels, points
from sparsenn_book.records import wilson

ACTIVATIONS = ("relu", "sigmoid", "tanh")
GROUPS = [(p, s) for p in ("none", "l1", "l2") for s in (0.2, 1.0)]
LABELS = {"none": "none", "l1": "L1", "l2": "L2"}


def _group_name(penalty: str, scale: float) -> str:
    return f"{LABELS[penalty]}, {scale:g}"


def objectives(
    recorded: pd.DataFrame, measured: pd.DataFrame, minima: pd.DataFrame, variance: dict[str, float], alt: str
) -> go.Figure:
    """Each run's final loss with penalty: recorded, run again, and the minimiser, one panel an activation.

    `recorded` and `measured` have columns student_activation, penalty, init_scale, objective; `minima` the least
    objective by student_activation and penalty. `variance` is the loss of the best constant, a dotted level.
    """
    fig = panels(
        "Final loss with penalty of every run", ACTIVATIONS, "penalty, initial scale", "loss with penalty", alt
    )
    names = [_group_name(*g) for g in GROUPS]
    for row, activation in enumerate(ACTIVATIONS, start=1):
        for kind, table, shift in (("recorded", recorded, -0.15), ("reference schedule", measured, 0.15)):
            here = table[table["student_activation"] == activation]
            x = [GROUPS.index((p, s)) + shift for p, s in zip(here["penalty"], here["init_scale"], strict=True)]
            points(fig, x, here["objective"], f"{kind}, one mark a run", kind, row=row, col=1)
        best = minima[minima["student_activation"] == activation].set_index("penalty")["objective"]
        x, y = _steps(best)
        line(fig, x, y, "minimiser", "minimiser", row=row, col=1)
        level(fig, variance[activation], "best constant", row=row, col=1)
    fig.update_xaxes(tickvals=list(range(len(names))), ticktext=names, range=[-0.5, len(names) - 0.5])
    fig.update_yaxes(type="log", exponentformat="power", dtick=2)
    return one_legend(fig)


def _steps(best: pd.Series) -> tuple[list[float], list[float]]:
    """A short horizontal line at the least objective under each group that has one."""
    x: list[float] = []
    y: list[float] = []
    for i, (penalty, _) in enumerate(GROUPS):
        if penalty in best.index:
            x += [i - 0.35, i + 0.35, np.nan]  # a gap in the line
            y += [float(best[penalty]), float(best[penalty]), np.nan]
    return x, y


def training_curves(curves: pd.DataFrame, quantity: str, title: str, y: str, alt: str, *, log: bool) -> go.Figure:
    """Median over runs of `quantity` during training with its quartiles as a band, one panel an activation.

    `curves` are long rows with columns student_activation, penalty, epoch, name, value. A run that stopped keeps its
    last value, so that the median is always over all runs.
    """
    fig = panels(title, ACTIVATIONS, "epoch", y, alt)
    rows = curves[(curves["name"] == quantity) & curves["value"].notna()]
    for row, activation in enumerate(ACTIVATIONS, start=1):
        for i, penalty in enumerate(("none", "l1", "l2")):
            here = rows[(rows["student_activation"] == activation) & (rows["penalty"] == penalty)]
            wide = here.pivot_table(index="epoch", columns=["init_scale", "seed"], values="value").ffill()
            low, mid, high = (wide.quantile(q, axis=1) for q in (0.25, 0.5, 0.75))
            band(fig, wide.index, low, high, LABELS[penalty], i, row=row, col=1)
            line(fig, wide.index, mid, LABELS[penalty], i, row=row, col=1)
    if log:
        fig.update_yaxes(type="log", exponentformat="power")
    return one_legend(fig)


def outcomes(recorded: pd.DataFrame, measured: pd.DataFrame, alt: str) -> go.Figure:
    """The share of runs that fit (R2 of at least 0.99) with its 95 % interval, recorded beside run again.

    Columns student_activation, penalty, init_scale, r2.
    """
    fig = panels("Share of runs that fit", ACTIVATIONS, "penalty, initial scale", "share of runs", alt)
    names = [_group_name(*g) for g in GROUPS]
    for row, activation in enumerate(ACTIVATIONS, start=1):
        for kind, table, shift in (("recorded", recorded, -0.12), ("reference schedule", measured, 0.12)):
            x, shares = [], []
            for i, (penalty, scale) in enumerate(GROUPS):
                here = table[
                    (table["student_activation"] == activation)
                    & (table["penalty"] == penalty)
                    & (table["init_scale"] == scale)
                ]
                if len(here):
                    x.append(i + shift)
                    shares.append(wilson(int((here["r2"] >= 0.99).sum()), len(here)))
            points(
                fig, x, [s.value for s in shares], kind, kind,
                low=[s.low for s in shares], high=[s.high for s in shares], row=row, col=1,
            )  # fmt: skip
    fig.update_xaxes(tickvals=list(range(len(names))), ticktext=names, range=[-0.5, len(names) - 0.5])
    fig.update_yaxes(range=[-0.05, 1.05], tickformat=".0%")
    return one_legend(fig)


def heat_maps(tables: dict[str, pd.DataFrame], title: str, alt: str) -> go.Figure:
    """Aligned weights: one row of cells a network, the teacher first; columns are the weights, layer by layer.

    `tables` maps a network's name to its rows (columns layer, output, input, tap, student, teacher), one network each.
    """
    first = next(iter(tables.values()))
    order = ["layer", "output", "input", "tap"]
    labels = [f"{r.layer}: {r.output + 1}←{r.input + 1}, {r.tap + 1}" for r in first.sort_values(order).itertuples()]
    names = ["teacher", *tables]
    values = [first.sort_values(order)["teacher"].to_numpy()]
    values += [t.sort_values(order)["student"].to_numpy() for t in tables.values()]
    base = figure(title, "weight (layer: to←from, tap)", "network", alt)
    shown_values = np.array(values)
    # a weight that is exactly zero is left blank, so that zero and small are told apart
    shown = np.where(shown_values == 0, np.nan, shown_values)
    base.add_trace(
        go.Heatmap(
            z=shown, x=list(range(len(labels))), y=names, zmid=0, zmin=-3, zmax=3, colorscale="RdBu", xgap=1, ygap=3,
            customdata=np.broadcast_to(np.array(labels), shown.shape), hoverongaps=False,
            hovertemplate="%{y}<br>%{customdata}: %{z:.4f}<extra></extra>",
            colorbar={"title": {"text": "weight"}, "thickness": 12},
        )
    )  # fmt: skip
    step = max(1, len(labels) // 13)
    base.update_xaxes(tickvals=list(range(0, len(labels), step)), ticktext=labels[::step], tickangle=60)
    base.update_yaxes(autorange="reversed")
    return base


def metric_ranking(table: pd.DataFrame, alt: str) -> go.Figure:
    """Two distances of the same networks: the study's, and the one up to symmetry (as a share of the teacher's norm).

    Columns network, reference_distance, aligned_distance.
    """
    fig = figure("The study's distance, and the distance up to symmetry", "network", "distance to the teacher", alt)
    points(fig, list(range(len(table))), table["reference_distance"], "the study's distance", "recorded")
    points(fig, list(range(len(table))), table["aligned_distance"], "distance up to symmetry", "minimiser")
    fig.update_xaxes(tickvals=list(range(len(table))), ticktext=table["network"].tolist())
    return fig


def one_legend(fig: go.Figure) -> go.Figure:
    """Show every legend entry once, though its series is drawn in several panels."""
    seen: set[str] = set()
    for trace in fig.data:
        if trace.name in seen:
            trace.showlegend = False
        elif trace.showlegend is not False:
            seen.add(trace.name)
    return fig
