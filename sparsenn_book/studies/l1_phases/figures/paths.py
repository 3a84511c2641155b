"""Pictures of paths and certificates."""

from __future__ import annotations

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from sparsenn_book.figures.palette import PALETTE
from sparsenn_book.figures.theme import level, line, panels, points
from sparsenn_book.studies.l1_phases import measures
from sparsenn_book.studies.l1_phases.students import BASELINE, FULL, MULTI

NAMES = {BASELINE: "7 weights", MULTI: "52 weights, four channels", FULL: "58 weights, fully connected"}
ACTIVATIONS = ("tanh", "relu")
STRENGTH = "strength λ"
NEEDED, OTHER = 0, 3
"""Categories: weights that the teacher has, and others."""
FLOOR = 1e-16
"""Errors below rounding of targets of size 1 are drawn here."""
LEAST = 1e-2
"""A slope of zero is drawn here on a logarithmic axis."""


def kept(paths: pd.DataFrame) -> go.Figure:
    """How many weights of the teacher's support are left, and how many others, along the first draw's paths."""
    cases = [(s, a) for s in NAMES for a in ACTIVATIONS]
    fig = panels(
        "Weights that are not zero, along the strength", [f"{NAMES[s]}, {a}" for s, a in cases], STRENGTH,
        "weights",
        "Six panels, a student and an activation each: how many weights are left against the strength, those of the "
        "teacher's support and others. Shaded: exactly the teacher's support.", columns=2,
    )  # fmt: skip
    for number, (student, activation) in enumerate(cases):
        place = {"row": number // 2 + 1, "col": number % 2 + 1}
        path = _first(measures.along(paths, student, activation))
        line(fig, path["strength"], path["needed_kept"], "the teacher has", NEEDED, **place)
        fig.data[-1].showlegend = number == 0
        line(fig, path["strength"], path["others_kept"], "others", OTHER, **place)
        fig.data[-1].showlegend = number == 0
        _, low, high = measures.exact_decades(path)
        if high:
            # half a step to each side shows a single strength too
            fig.add_vrect(
                low / 1.3, high * 1.3, fillcolor="rgba(0, 158, 115, 0.15)", line_width=0, layer="below", **place
            )
    return fig.update_xaxes(type="log", exponentformat="power", dtick=2)


def lifelines(path_weights: pd.DataFrame, activation: str = "tanh") -> go.Figure:
    """Each weight as a row that is coloured while the weight is not zero: entries and exits, along the strength."""
    students = (MULTI, FULL)
    fig = panels(
        f"Which weights are there, at which strength ({activation})", [NAMES[s] for s in students], STRENGTH, "weight",
        "Two panels with a row for each weight, coloured at the strengths at which it is not zero, in one colour the "
        "weights of the teacher, in another all others.", columns=2,
    )  # fmt: skip
    counts = []
    for column, student in enumerate(students, start=1):
        rows = _first(measures.along(path_weights, student, activation)).copy()
        rows["needed"] = rows["teacher"] != 0
        order = rows.drop_duplicates(["layer", "place"]).sort_values(
            ["needed", "layer", "place"], ascending=[False, True, True]
        )
        counts.append(len(order))
        number = {key: i for i, key in enumerate(zip(order["layer"], order["place"], strict=True))}
        rows["row"] = [number[key] for key in zip(rows["layer"], rows["place"], strict=True)]
        for name, mine, index in (("the teacher has", True, NEEDED), ("others", False, OTHER)):
            part = rows[(rows["needed"] == mine) & (rows["value"] != 0)]
            fig.add_trace(_marks(part, name, index, legend=column == 1), row=1, col=column)
    # panels share this axis: it holds the largest student
    fig.update_yaxes(range=[max(counts), -1])
    fig.update_xaxes(type="log", exponentformat="power", dtick=2)
    return fig.update_layout(height=520)


def _marks(part: pd.DataFrame, name: str, index: int, *, legend: bool) -> go.Scatter:
    return go.Scatter(
        x=part["strength"], y=part["row"], mode="markers", name=name, legendgroup=name, showlegend=legend,
        marker={"color": PALETTE[index], "symbol": "square", "size": 5},
        customdata=np.stack([part["layer"], part["place"] + 1, part["value"]], axis=1),
        hovertemplate="layer %{customdata[0]}, weight %{customdata[1]}: %{customdata[2]:.4f}<br>λ = %{x:.1e}"
        "<extra></extra>",
    )  # fmt: skip


def refits(paths: pd.DataFrame, activation: str = "tanh") -> go.Figure:
    """The error with the penalty, and after a refit of the weights that it left."""
    fig = panels(
        f"Error with the penalty and after a refit ({activation})", list(NAMES.values()), STRENGTH,
        "mean squared error",
        "Three panels, one for each student: the error of the penalised fit and that of the refit against the "
        "strength, on logarithmic axes.", columns=3,
    )  # fmt: skip
    for column, student in enumerate(NAMES, start=1):
        path = _first(measures.along(paths, student, activation))
        for name, values, look in (("with the penalty", "loss", 2), ("after the refit", "refit_loss", "minimiser")):
            line(fig, path["strength"], path[values].clip(lower=FLOOR), name, look, row=1, col=column)
            fig.data[-1].showlegend = column == 1
    fig.update_yaxes(type="log", exponentformat="power", dtick=4)
    return fig.update_xaxes(type="log", exponentformat="power", dtick=3)


def slopes(certificates: pd.DataFrame) -> go.Figure:
    """The largest slope off the support in units of the strength, one mark a draw, for the most samples."""
    rows = certificates[certificates["samples"] == certificates["samples"].max()]
    strengths = sorted(rows["strength"].unique())
    fig = panels(
        "Largest slope off the support, over the strength: above 1 the support cannot stay",
        [f"λ = {s:g}" for s in strengths],
        "teacher, student", "slope / λ",
        "Marks by teacher and student, one for each draw of data, a panel for each strength, with a line at 1.",
        columns=len(strengths),
    )  # fmt: skip
    for column, strength in enumerate(strengths, start=1):
        for index, activation in enumerate(("tanh", "relu", "sigmoid")):
            # where all weights are dropped nothing is left to certify
            part = rows[(rows["strength"] == strength) & (rows["activation"] == activation)]
            part = part[part["reached"] & (part["dropped"] < part["support"])]
            labels = [f"{t.replace('_', ' ')},<br>{s}" for t, s in zip(part["teacher"], part["student"], strict=True)]
            points(fig, labels, part["largest"].clip(lower=LEAST), activation, index, row=1, col=column)
            fig.data[-1].showlegend = column == 1
        level(fig, 1.0, "", row=1, col=column)
    fig.update_yaxes(type="log", exponentformat="power", dtick=1)
    return fig.update_xaxes(tickangle=60).update_layout(height=480)


def _first(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows of the first draw."""
    return rows[rows["draw"] == rows["draw"].min()]
