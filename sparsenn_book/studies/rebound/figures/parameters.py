"""Figures of parameter space: curvature, distances up to symmetry, pruning."""

from __future__ import annotations

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from sparsenn_book.figures.palette import style
from sparsenn_book.figures.theme import band, figure, level, line, points
from sparsenn_book.studies.rebound.figures.looks import OTHERS

WAYS = {
    "raw": "as it is",
    "quotient": "up to symmetry, at most",
    "quotient_lower": "up to symmetry, at least",
    "normal_form": "study's normal form",
}


def spectrum(rows: pd.DataFrame, horizon: float) -> go.Figure:
    """Eigenvalues of the Gauss-Newton matrix at the teachers, largest first, with the level 1 / (eta T) above which a
    direction is learned in T steps. `rows`: biases, run, index (from 1), value. `horizon` is eta T.
    """
    fig = figure(
        "Curvature of the loss at the teacher",
        "direction, stiffest first",
        "eigenvalue",
        "Eigenvalues against their rank on logarithmic axes, a line and a band of teachers for tiny and for uniform "
        "biases, and the level above which training learns a direction.",
    )
    for k, (biases, part) in enumerate(rows[rows.value > 0].groupby("biases", sort=False)):
        by = np.log10(part.value).groupby(part["index"])
        band(fig, by.min().index, 10 ** by.min(), 10 ** by.max(), f"{biases} biases", style(OTHERS + k))
        line(fig, by.median().index, 10 ** by.median(), f"{biases} biases", style(OTHERS + k))
    level(fig, 1 / horizon, "1 / (learning rate × epochs)")
    return fig.update_xaxes(type="log", dtick=1).update_yaxes(type="log", dtick=4)


def distances(rows: pd.DataFrame) -> go.Figure:
    """Squared distances of trained students by what is compared: median and range of the runs for each experiment.

    `rows`: experiment, run, raw, quotient, quotient_lower, normal_form.
    """
    fig = figure(
        "Squared distance after training, by what is compared",
        "experiment",
        "squared distance to the teacher",
        "For each experiment, marks with ranges of runs: the distance as it is, its upper and lower bound up to "
        "symmetry, and the distance in the study's normal form.",
    )
    experiments = list(dict.fromkeys(rows.experiment))
    for k, (column, name) in enumerate(WAYS.items()):
        by = rows[rows[column] > 0].groupby("experiment", sort=False)[column]
        middle, low, high = by.median(), by.min(), by.max()
        # experiments are names, not numbers: marks stand side by side
        x = [experiments.index(e) + 0.15 * (k - 1.5) for e in middle.index]
        points(fig, x, middle, name, style(2 + k), low=low, high=high)
    labels = [e.replace(" ", "<br>") for e in experiments]
    fig.update_xaxes(tickvals=list(range(len(experiments))), ticktext=labels, tickangle=0)
    return fig.update_yaxes(type="log", dtick=4)


def pruned_by_threshold(rows: pd.DataFrame, teacher: float) -> go.Figure:
    """Weights left against error on test inputs, one point a run, with a threshold to slide; a vertical line at the
    number of the teacher's weights. `rows`: strength, threshold, run, weights, error.
    """
    fig = figure(
        "Pruned at a threshold: weights left against error",
        "weights left + 1",
        "mean squared error on test inputs",
        "Weights that a threshold leaves against the error, one point for each student, for two strengths of the "
        "penalty; a slider moves the threshold.",
    )
    thresholds = sorted(rows.threshold.unique())
    shown = int(np.abs(np.log(np.array(thresholds) / 1e-3)).argmin())
    strengths = sorted(rows.strength.unique())
    for place, threshold in enumerate(thresholds):
        for k, strength in enumerate(strengths):
            part = rows[(rows.threshold == threshold) & (rows.strength == strength)]
            points(fig, part.weights + 1, part.error, f"DRR of strength {strength:g}", style(OTHERS + k))
            fig.data[-1].visible = place == shown
    steps = [
        {
            "method": "restyle",
            "label": f"{threshold:.1e}",
            "args": ["visible", [p == place for p in range(len(thresholds)) for _ in strengths]],
        }
        for place, threshold in enumerate(thresholds)
    ]
    slider = {"active": shown, "steps": steps, "currentvalue": {"prefix": "weights below "}, "pad": {"t": 50}}
    ends = [np.log10(rows.error.min()) - 0.2, np.log10(rows.error.max()) + 0.2]
    # an annotation would be placed at 10 to the x of a log axis; a shape's label is not
    label = {"text": "teacher's weights", "textposition": "end", "textangle": 0, "xanchor": "right", "yanchor": "top"}
    fig.add_vline(x=teacher + 1, line={"dash": "dot", "width": 1.5}, label=label)
    fig.update_layout(sliders=[slider], height=500)
    return fig.update_xaxes(type="log", range=[-0.1, np.log10(rows.weights.max() + 1) + 0.1]).update_yaxes(
        type="log", range=ends
    )
