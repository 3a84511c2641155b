"""Figures of neuron sharing: training, where the neurons are, and balance."""

from __future__ import annotations

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from sparsenn_book.figures.theme import figure, level, line, panels, points
from sparsenn_book.studies.width_bounds import recorded, training_rows
from sparsenn_book.studies.width_bounds.figures.looks import METHODS
from sparsenn_book.studies.width_bounds.neuron_sharing import STUDENT_SEED

TRACE = {"relative": "objective / optimum", "active": "active neurons", "outgoing": "sum of ||v<sub>k</sub>||"}
OFFSETS = 3.0  # the study draws |b| / ||w|| up to this


def training(trace: pd.DataFrame, optimum: pd.DataFrame) -> go.Figure:
    """Objective over the optimum, active neurons and sum ||v_k|| over training; recorded values as open diamonds.

    The study's student is a strong line, the other students are faint.
    """
    best = float(optimum["objective"].iloc[0])
    rows = training_rows.with_relative(trace, best)
    log = pd.concat([recorded.training_log(), recorded.log_over_optimum(best)], ignore_index=True)
    log = log[log["step"] <= training_rows.length(trace)]
    fig = panels("Training, three rules from the same weights", list(TRACE.values()), "step", "value", _told(rows))
    for place, name in enumerate(TRACE, start=1):
        of_name = rows[(rows["name"] == name) & (rows["step"] > 0)]
        for (method, seed), run in of_name.groupby(["method", "seed"], sort=False):
            line(fig, run["step"], run["value"], method, METHODS[method], row=place, col=1)
            first = seed == STUDENT_SEED
            fig.data[-1].update(showlegend=bool(first and place == 1), opacity=1.0 if first else 0.35)
        seen = _thinned(log[(log["name"] == name) & (log["step"] > 0)])
        if len(seen):
            named = any(trace.name == "recorded" for trace in fig.data)
            points(fig, seen["step"], seen["value"], "recorded", "recorded", row=place, col=1)
            fig.data[-1].update(showlegend=not named, marker_size=5)
    level(fig, 1.0, "certified optimum", "minimiser", row=1, col=1)
    fig.layout.shapes[-1].label.textposition = "start"
    fig.update_yaxes(title_text="ratio", type="log", dtick=1, row=1, col=1)
    fig.update_yaxes(title_text="neurons", rangemode="tozero", row=2, col=1)
    fig.update_yaxes(title_text="sum", type="log", dtick=1, row=3, col=1)
    fig.update_xaxes(title_text="", type="log", dtick=1)
    return fig.update_xaxes(title_text="training time (steps)", row=3, col=1)


def _told(rows: pd.DataFrame) -> str:
    """The ends of the study's student, for readers who cannot see the lines."""
    last = rows[(rows["step"] == rows["step"].max()) & (rows["seed"] == STUDENT_SEED)]
    ends = last.pivot(index="method", columns="name", values="value")
    told = "; ".join(
        f"{method}: {end['relative']:.4g} times the optimum, {end['active']:.0f} active neurons"
        for method, end in ends.iterrows()
    )
    return f"Three panels over {int(rows['step'].max()):,} steps. At the end of the study's student, {told}."


def _thinned(log: pd.DataFrame) -> pd.DataFrame:
    """The recorded points that a log axis can tell apart: about 20 a decade."""
    place = (20 * np.log10(log["step"])).round()
    return log[~log.assign(place=place).duplicated(["method", "place"])]


def neurons(rows: pd.DataFrame) -> go.Figure:
    """Where the neurons of the study's student and of the optimum are: direction against offset, one row of panels for
    each rule, one column for each output. Axes, area rule and what is left out are the study's.
    """
    rows = rows[(rows["seed"] == STUDENT_SEED) | (rows["method"] == "optimum")]
    drawn = rows[rows["size"] > training_rows.SHOWN]
    methods = list(dict.fromkeys(rows["method"]))
    names = [f"{method}, f<sub>{d}</sub>" for method in methods for d in (1, 2)]
    counts = drawn.groupby(["method", "output"], sort=False).size()
    told = ", ".join(f"{m} {counts.get((m, 1), 0)} and {counts.get((m, 2), 0)}" for m in methods)
    alt = f"Scatter of neurons by direction and offset, a row for each rule, a column for each output; dots: {told}."
    fig = panels("Neurons of both outputs", names, "direction θ of w", "b / ||w||", alt, columns=2)
    for place, method in enumerate(methods, start=1):
        for output in (1, 2):
            some = drawn[(drawn["method"] == method) & (drawn["output"] == output)]
            points(fig, some["theta"], some["offset"], method, METHODS[method], row=place, col=output)
            look = {"size": 60 * np.sqrt(some["size"]), "sizemin": 3, "opacity": 0.6, "symbol": "circle"}
            fig.data[-1].update(showlegend=False, marker=look | {"line_width": 0}, customdata=some["size"])
            fig.data[-1].update(hovertemplate="θ %{x:.3f}, b/‖w‖ %{y:.3f}<br>size %{customdata:.4f}")
    fig.update_xaxes(title_text="", tickvals=[0, np.pi / 2, np.pi, 1.5 * np.pi, 2 * np.pi], range=[-0.2, 6.5])
    fig.update_xaxes(ticktext=["0", "π/2", "π", "3π/2", "2π"])
    fig.update_yaxes(range=[-OFFSETS, OFFSETS])
    for column in (1, 2):
        fig.update_xaxes(title_text="direction θ of w", row=len(methods), col=column)
    return fig.update_layout(height=110 + 190 * len(methods))


def balance(trace: pd.DataFrame) -> go.Figure:
    """Imbalance over that at step 10,000, one line a run, and the law for weight decay."""
    rows = training_rows.imbalance(trace)
    start, end = int(rows["step"].min()), int(rows["step"].max())
    ends = rows[rows["step"] == end].groupby("method")["value"].agg(["min", "max"])
    told = "; ".join(f"{method} {e['min']:.2g} to {e['max']:.2g}" for method, e in ends.iterrows())
    alt = f"Imbalance over that at step {start:,} on a log axis; at step {end:,}: {told}. The law is a straight line."
    fig = figure("Neural balance during training", "training time (steps)", "imbalance / earlier imbalance", alt)
    named: set[str] = set()
    for (method, _), run in rows.groupby(["method", "seed"], sort=False):
        line(fig, run["step"], run["value"], method, METHODS[method])
        fig.data[-1].update(showlegend=method not in named, opacity=1.0 if method not in named else 0.35)
        named.add(method)
    steps = np.linspace(start, end, 13)
    points(fig, steps, training_rows.balance_law(steps, start), "(1 − ηλ)<sup>2t</sup>", "theory")
    return fig.update_yaxes(type="log", dtick=1).update_xaxes(rangemode="tozero")
