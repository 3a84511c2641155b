"""Figures of experiments A, B and C."""

from __future__ import annotations

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from sparsenn_book.figures.theme import figure, line, panels, points
from sparsenn_book.studies.rebound.figures.looks import (
    PRECISIONS,
    VARIANTS_OF_C,
    mean_and_band,
    normalised,
    one_legend,
    wide,
)
from sparsenn_book.studies.rebound.published import published

NAMES = {"squared_distance": "squared distance", "train_loss": "training loss", "test_loss": "test loss"}
COLUMNS = ("l2_normalized", "train_loss_normalized", "test_loss_normalized")


def study_curves(rows: pd.DataFrame, experiment: str) -> go.Figure:
    """Experiment "A" or "B": normalised distance and losses over epochs, the published curves laid over.

    `rows`: experiment, precision, run, epoch, name (squared_distance, train_loss, test_loss), value.
    """
    fig = panels(
        f"Experiment {experiment}: each run scaled to [0, 1], then averaged",
        list(NAMES.values()),
        "training time (epochs)",
        "scaled",
        f"Three panels over training time for experiment {experiment}: squared distance to the teacher, training loss "
        "and test loss, each run scaled to between 0 and 1, mean and middle 80 percent of runs for each precision; the "
        "published curves are dotted.",
        columns=3,
    )
    own, recorded = rows[rows.experiment == experiment], published(experiment)
    for col, (name, column) in enumerate(zip(NAMES, COLUMNS, strict=True), start=1):
        for precision, part in own.groupby("precision", sort=False):
            mean_and_band(fig, normalised(wide(part, name)), precision, PRECISIONS[precision], row=1, col=col)
        line(fig, recorded.epoch, recorded[column], "published", "recorded", row=1, col=col)
    return one_legend(fig)


def raw_beside_normalised(rows: pd.DataFrame) -> go.Figure:
    """Squared distance of one experiment divided by its start, beside the same runs scaled to [0, 1] each.

    `rows`: precision, run, epoch, name, value, with epoch 0.
    """
    fig = panels(
        "Experiment A on two scales",
        ["divided by its start", "each run scaled to [0, 1]"],
        "training time (epochs)",
        "squared distance, relative",
        "Squared distance over training time, a line and a band of runs for float32 and float64. Left, divided by its "
        "value at the start; right, the same runs scaled to between 0 and 1 each.",
        columns=2,
    )
    for precision, part in rows[rows.name == "squared_distance"].groupby("precision", sort=False):
        start = part[part.epoch == 0].set_index("run").value
        table = wide(part, "squared_distance")
        mean_and_band(fig, table / start, precision, PRECISIONS[precision], row=1, col=1)
        mean_and_band(fig, normalised(table), precision, PRECISIONS[precision], row=1, col=2)
    return one_legend(fig).update_yaxes(range=[-0.05, 1.05])


def b_variants(rows: pd.DataFrame) -> go.Figure:
    """Variants of B, scaled as published, the published curve laid over. `rows`: variant, run, epoch, name, value."""
    names = list(dict.fromkeys(rows.variant))
    fig = panels(
        "Experiment B with and without penalty and projection",
        names,
        "training time (epochs)",
        "squared distance, scaled",
        "Four panels, one for each variant of experiment B, with the published curve dotted in each.",
        columns=2,
    )
    recorded = published("B")
    for place, name in enumerate(names):
        at = {"row": place // 2 + 1, "col": place % 2 + 1}
        table = normalised(wide(rows[rows.variant == name], "squared_distance"))
        mean_and_band(fig, table, "float64", PRECISIONS["float64"], **at)
        line(fig, recorded.epoch, recorded.l2_normalized, "published", "recorded", **at)
    return one_legend(fig)


def noise_scaling(rows: pd.DataFrame, levels: pd.DataFrame) -> go.Figure:
    """Experiment C: mean final squared distance divided by the square of the noise, so that exponent 2 is level.

    `rows`: variant, sigma, run, value; `levels`: variant, run, value at noise 1 in closed form.
    """
    fig = figure(
        "Experiment C: final squared distance over noise squared",
        "standard deviation of the noise σ",
        "squared distance / σ²",
        "Squared distance over noise squared against the noise, on logarithmic axes: float32, float64 twice, the "
        "published points, and two level lines of the closed form, for the learning rates of title and code.",
    )
    for variant, part in rows.groupby("variant", sort=False):
        mean = part.groupby("sigma").value.mean()
        points(fig, mean.index, mean / mean.index**2, variant, VARIANTS_OF_C[variant])
    ends = [rows.sigma.min(), rows.sigma.max()]
    for variant, part in levels.groupby("variant", sort=False):
        line(fig, ends, [part.value.mean()] * 2, "closed form", "theory")
        height = float(np.log10(part.value.mean()))
        fig.add_annotation(x=-2.5, y=height, yanchor="bottom", text=variant, showarrow=False)
    recorded = published("C")
    level = 10 ** (recorded.log10_squared_l2 - 2 * recorded.log10_sigma)
    points(fig, 10**recorded.log10_sigma, level, "published", "recorded")
    return one_legend(fig).update_xaxes(type="log", dtick=1).update_yaxes(type="log", dtick=1)
