"""Figures of experiments 3 to 6, of pairs of activations, and of what the study recorded."""

from __future__ import annotations

import math

import pandas as pd
import plotly.graph_objects as go

from sparsenn_book.figures.palette import OUTCOMES, Style
from sparsenn_book.figures.theme import figure, line, panels, points
from sparsenn_book.studies.l1_path.all_recorded import FITS, literal
from sparsenn_book.studies.l1_path.claims_of_experiments import best_of_pairs, least_solved
from sparsenn_book.studies.l1_path.figures import one_legend
from sparsenn_book.studies.l1_path.settings import ACTIVATIONS

FLOOR = 1e-10
"""Variance left unexplained below which marks are drawn at the edge: rounding of float32 in the records."""


def least_and_recorded(solved: pd.DataFrame, recorded: pd.DataFrame) -> go.Figure:
    """Loss of each recorded L1 run that is better than a constant, of each random start, and the least found.

    One panel an activation, one place an experiment. Columns of `solved`: experiment, activation, origin, objective.
    """
    experiments = sorted(int(e) for e in solved["experiment"].unique())
    title = "Loss of L1 students in experiments 3 to 6: recorded, from random starts, least found"
    if experiments != [3, 4, 5, 6]:
        named = ", ".join(map(str, experiments))
        title = f"Loss of L1 students in experiment {named}: recorded, from random starts, least found"
    alt = (
        f"{title}, on a logarithmic axis, one panel an activation: grey diamonds for recorded runs that do better than "
        "a constant, blue circles for random starts of the minimiser, a blue line at the least found."
    )
    fig = panels(title, ACTIVATIONS, "experiment", "loss with penalty", alt)
    runs = literal(recorded).query("same and penalty == 'l1' and not collapsed")
    best = least_solved(solved)["objective"]
    for row, activation in enumerate(ACTIVATIONS, start=1):
        old = runs[(runs["student_activation"] == activation) & runs["experiment"].isin(experiments)]
        places = [experiments.index(e) for e in old["experiment"]]
        points(fig, [p - 0.2 for p in places], old["objective"], "recorded", "recorded", row=row, col=1)
        new = solved[(solved["activation"] == activation) & (solved["origin"] == "random")]
        places = [experiments.index(e) for e in new["experiment"]]
        points(fig, [p + 0.2 for p in places], new["objective"], "random start", "minimiser", row=row, col=1)
        x: list[float] = []
        y: list[float] = []
        for place, experiment in enumerate(experiments):
            if (experiment, activation) in best.index:
                value = float(best[experiment, activation])
                x += [place - 0.35, place + 0.35, math.nan]  # a gap in the line
                y += [value, value, math.nan]
        line(fig, x, y, "least found", "minimiser", row=row, col=1)
    fig.update_xaxes(tickvals=list(range(len(experiments))), ticktext=[str(e) for e in experiments])
    fig.update_yaxes(type="log", exponentformat="power")
    return one_legend(fig)


def pairs(crossed: pd.DataFrame, recorded: pd.DataFrame) -> go.Figure:
    """Variance left unexplained by the best student of each pair: recorded, minimised, and where nothing bounds it."""
    best = best_of_pairs(crossed)
    order = [(t, s) for t in ACTIVATIONS for s in ACTIVATIONS]
    title = "What students of each activation leave unexplained, with bounded and with linear last layers"
    alt = (
        f"{title}: the best student of each pair on a logarithmic axis, for nine pairs of teacher's and "
        "student's activation; recorded runs, minimisers with the study's last layer, and minimisers where the last "
        "layers are linear; a line marks R² = 0.99."
    )
    fig = figure(title, "teacher → student", "variance unexplained (1 − R²)", alt)
    right = literal(recorded).query("experiment == 2 or not same")
    known = right.groupby(["teacher_activation", "student_activation"])["r2"].max()

    def left(r2: pd.Series) -> list[float]:
        return [min(max(1 - float(r2[pair]), FLOOR), 1.0) for pair in order]

    places = list(range(len(order)))
    points(fig, [p - 0.2 for p in places], left(known), "recorded, best", "recorded")
    points(fig, places, left(best["same"]), "minimised, last layer bounded", "minimiser")
    points(fig, [p + 0.2 for p in places], left(best["linear"]), "minimised, last layers linear", 0)
    line(fig, [-0.5, len(order) - 0.5], [1 - FITS] * 2, "fits below (R² = 0.99)", "theory")
    fig.update_xaxes(tickvals=places, ticktext=[f"{t} → {s}" for t, s in order], tickangle=60)
    fig.update_yaxes(type="log", exponentformat="power", range=[-10.3, 0.3])
    return fig


def distances(recorded: pd.DataFrame) -> go.Figure:
    """The study's distance of each recorded fully connected student against the variance it leaves unexplained."""
    title = "The study's distance of recorded students, against what they leave unexplained"
    alt = (
        f"{title}: one mark a run of experiments 3 to 5, teacher and student of the same activation, by outcome; runs "
        "whose teacher had the wrong weights are grey diamonds."
    )
    fig = figure(title, "the study's distance to its teacher", "variance unexplained (1 − R²)", alt)
    runs = recorded[recorded["same"] & recorded["experiment"].isin([3, 4, 5])]
    right = literal(runs)
    markers = {"fitted": "circle", "partial": "x", "collapsed": "square"}
    for outcome, marker in markers.items():
        here = right[right["outcome"] == outcome]
        look = Style(OUTCOMES[outcome][0], "solid", marker)
        points(fig, here["reference_distance"], _left(here), outcome, look)
    wrong = runs[~runs["teacher_is_literal"]]
    points(fig, wrong["reference_distance"], _left(wrong), "wrong teacher", "recorded")
    fig.update_yaxes(type="log", exponentformat="power", range=[-10.3, 1.3])
    return fig


def _left(runs: pd.DataFrame) -> pd.Series:
    return (1 - runs["r2"]).clip(lower=FLOOR)
