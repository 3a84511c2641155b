"""The study of the small chapter: tables, figures and claims of a second."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd
import plotly.graph_objects as go

from sparsenn_book import figures
from sparsenn_book.records import Claim, exact, wilson


@dataclass(frozen=True)
class CurveSettings:
    steps: int


def curves(settings: CurveSettings) -> pd.DataFrame:
    """Loss of gradient descent on a parabola, for three learning rates."""
    rows = [(rate, t, (1 - rate) ** (2 * t) + 1e-3) for rate in (0.1, 0.3, 0.5) for t in range(1, settings.steps + 1)]
    return pd.DataFrame(rows, columns=["rate", "epoch", "loss"])


def wide_table() -> pd.DataFrame:
    """A table wider than a phone."""
    rows = [[0.123456 * i * j for j in range(14)] for i in range(4)]
    return pd.DataFrame(rows, columns=[f"quantity {j}" for j in range(14)])


def loss(rows: pd.DataFrame) -> go.Figure:
    """The loss over time, with a band and recorded points."""
    fig = figures.figure(
        "Loss of the reference schedule against the minimiser, from the same initial weights, for three learning rates",
        "training time (epochs)",
        "mean squared error (1)",
        "The loss falls by a constant factor in each epoch until it meets the minimum.",
    )
    for i, (rate, part) in enumerate(rows.groupby("rate")):
        name = f"learning rate {rate}"
        figures.line(fig, part.epoch, part.loss, name, i)
        figures.band(fig, part.epoch, part.loss * 0.7, part.loss * 1.4, name, i)
    epochs = rows.epoch.unique()[::3]
    figures.points(fig, epochs, [0.5 * 0.8**t for t in epochs], "recorded", "recorded")
    figures.level(fig, 1e-3, "minimum")
    return fig.update_yaxes(type="log")


def recovery() -> go.Figure:
    """Three panels side by side, with intervals."""
    grid = figures.panels(
        "Rates by activation",
        ["relu", "sigmoid", "tanh"],
        r"$\lambda$",
        "runs that recover the teacher (fraction)",
        "Recovery is more frequent for small penalties.",
        columns=3,
    )
    for column in (1, 2, 3):
        rates = [0.9 - 0.2 * column, 0.5, 0.1]
        low, high = [r - 0.08 for r in rates], [r + 0.08 for r in rates]
        x = [1e-4, 1e-3, 1e-2]
        figures.points(grid, x, rates, "minimiser", "minimiser", low=low, high=high, row=1, col=column)
    return grid.update_xaxes(type="log").update_traces(showlegend=False)


def claims(tables: Mapping[str, pd.DataFrame], settings: CurveSettings) -> list[Claim]:
    """One claim of every verdict; two are headlines, and one is stated in other words by each profile."""
    steps = len(tables["curves"]) // 3
    return [
        Claim(
            "small.optimum",
            r"The minimum of the penalised loss is $9.169\cdot 10^{-5}$, and the *norm* $\|w\|$ of its weights is 1.",
            "the study, Table 1",
            "9.2e-5",
            exact(9.169e-5),
            said=(9.15e-5, 9.25e-5),
            headline=True,
        ),
        Claim(
            "small.recovery",
            "Most runs recover the teacher.",
            "the study, abstract",
            "9 of 10 runs",
            wilson(3, 64),
            said=(0.5, 1.0),
            ours=(0.0, 0.2),
            headline=True,
        ),
        Claim("small.rate", "Half of the runs fit.", "the study", "50 %", wilson(5, 10), said=(0.45, 0.55)),
        Claim("small.collapse", "No run collapses.", "the study, Section 3", None, wilson(30, 64), said=(0.0, 0.05)),
        Claim(
            "small.bound",
            f"The loss of all {steps} steps is below the bound $(1-\\eta)^{{2t}}$ of the text, in all runs.",
            "this book",
            None,
            wilson(500, 500),
            ours=(0.99, 1.0),
        ),
        Claim("small.scale", "The rate holds at full scale.", "the study", "yes", None, said=(0.9, 1.0)),
    ]
