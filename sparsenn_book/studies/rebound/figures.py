"""Figures of the rebound chapter: rows in, plotly figure out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from sparsenn_book.figures.palette import Style, style
from sparsenn_book.figures.theme import band, figure, level, line, panels, points
from sparsenn_book.records import wilson

PRECISION_STYLES: dict[str, Style] = {
    "float32": style(1),
    "float64": style(0),
    "float64 weights, float32 arithmetic": style(2),
    "float32 weights, float64 arithmetic": style(3),
}


def _normalised(wide: pd.DataFrame) -> pd.DataFrame:
    """Runs (columns) scaled to [0, 1] over epochs, each by itself; constant runs to zero."""
    span = wide.max() - wide.min()
    return (wide - wide.min()) / span.where(span > 0, 1.0)


def _wide(rows: pd.DataFrame, name: str) -> pd.DataFrame:
    """One column a run, one row an epoch from 1 on, as the study logs them."""
    chosen = rows[(rows.name == name) & (rows.epoch > 0)]
    return chosen.pivot(index="epoch", columns="run", values="value").dropna()


def _mean_and_band(fig: go.Figure, wide: pd.DataFrame, name: str, which: Style, **place: int) -> None:
    """The mean over runs, and a band that holds the middle 80 % of them."""
    band(fig, wide.index, wide.quantile(0.1, axis=1), wide.quantile(0.9, axis=1), name, which, **place)
    line(fig, wide.index, wide.mean(axis=1), name, which, **place)


def study_curves(rows: pd.DataFrame, published: dict[str, pd.DataFrame], experiment: str) -> go.Figure:
    """Experiment "A" or "B": normalised distance and losses over epochs, the published curves laid over.

    `rows`: experiment, precision, run, epoch, name (squared_distance, train_loss, test_loss), value. `published` maps
    the experiment to columns epoch, l2_normalized, train_loss_normalized, test_loss_normalized.
    """
    names = {"squared_distance": "squared distance", "train_loss": "training loss", "test_loss": "test loss"}
    columns = ("l2_normalized", "train_loss_normalized", "test_loss_normalized")
    fig = panels(
        f"Experiment {experiment}: each run scaled to [0, 1], then averaged",
        list(names.values()),
        "training time (epochs)",
        "normalised",
        f"Three panels over training time for experiment {experiment}: squared distance to the teacher, training loss "
        "and test loss, each run scaled to between 0 and 1, mean and middle 80 percent of runs for each precision; the "
        "published curves are dotted.",
        columns=3,
    )
    own = rows[rows.experiment == experiment]
    for col, (name, column) in enumerate(zip(names, columns, strict=True), start=1):
        for precision, part in own.groupby("precision", sort=False):
            _mean_and_band(fig, _normalised(_wide(part, name)), precision, PRECISION_STYLES[precision], row=1, col=col)
        line(fig, published[experiment].epoch, published[experiment][column], "published", "recorded", row=1, col=col)
    return _one_legend(fig)


def raw_beside_normalised(rows: pd.DataFrame) -> go.Figure:
    """Squared distance of one experiment divided by its start, beside the same runs scaled to [0, 1] each.

    `rows`: precision, run, epoch, name, value, with epoch 0.
    """
    fig = panels(
        "The same runs on two scales",
        ["divided by its start", "each run scaled to [0, 1]"],
        "training time (epochs)",
        "squared distance, relative",
        "Left, the squared distance divided by its value at the start stays within about one percent of 1 at every "
        "precision. Right, the same runs scaled to between 0 and 1 each: in float32 a deep valley and a rise, in "
        "float64 a monotone fall.",
        columns=2,
    )
    for precision, part in rows[rows.name == "squared_distance"].groupby("precision", sort=False):
        start = part[part.epoch == 0].set_index("run").value
        wide = _wide(part, "squared_distance")
        _mean_and_band(fig, wide / start, precision, PRECISION_STYLES[precision], row=1, col=1)
        _mean_and_band(fig, _normalised(wide), precision, PRECISION_STYLES[precision], row=1, col=2)
    return _one_legend(fig).update_yaxes(range=[-0.05, 1.05])


def rebound_map(summary: pd.DataFrame, quantity: str) -> go.Figure:
    """Where the rebound lives: one panel for each rule, perturbation across, a series for each precision.

    `summary`: rule, precision, perturbation, run, rebound, rebounded. `quantity` "share" shows the share of runs that
    rebound with its Wilson interval, "size" the median of end / least - 1 in percent over the runs that rebound, with
    the middle 80 % of them.
    """
    share = quantity == "share"
    rules = list(dict.fromkeys(summary.rule))
    fig = panels(
        "Which runs come nearer and leave again" if share else "How far the runs that rebound leave",
        rules,
        "initial perturbation",
        "share of runs" if share else "end above least (%)",
        "One panel for each training rule. Under gradient descent only weights stored in float32 rebound, at small "
        "perturbations; under Adam, noise, L1 or DRR runs rebound in float64 too."
        if share
        else "The same panels with the size of the rebounds in percent of the least squared distance, from below one "
        "percent for the effect of float32 to over a hundred for noise.",
        columns=min(3, len(rules)),
    )
    precisions = [p for p in PRECISION_STYLES if p in set(summary.precision)]
    for place, rule in enumerate(rules):
        row, col = divmod(place, min(3, len(rules)))
        for shift, precision in enumerate(precisions):
            part = summary[(summary.rule == rule) & (summary.precision == precision)]
            if part.empty:
                continue
            sizes, y, low, high = [], [], [], []
            for size, runs in part.groupby("perturbation"):
                rate = wilson(int(runs.rebounded.sum()), len(runs))
                percent = 100 * runs.rebound[runs.rebounded].quantile([0.5, 0.1, 0.9])
                if not share and not rate.value:
                    continue
                # side by side, as several precisions often agree
                sizes.append(size * 1.3 ** (shift - (len(precisions) - 1) / 2))
                y.append(rate.value if share else percent.iloc[0])
                low.append(rate.low if share else percent.iloc[1])
                high.append(rate.high if share else percent.iloc[2])
            if sizes:
                points(
                    fig, sizes, y, precision, PRECISION_STYLES[precision], low=low, high=high, row=row + 1, col=col + 1
                )
    ends = [np.log10(summary.perturbation.min()) - 0.7, np.log10(summary.perturbation.max()) + 0.7]
    fig.update_xaxes(type="log", dtick=2, range=ends)
    fig.update_yaxes(**({"range": [-0.05, 1.05]} if share else {"type": "log", "dtick": 1, "matches": "y"}))
    return _one_legend(fig)


def predicted_curves(rows: pd.DataFrame, runs: Sequence[int] = (0, 1, 2)) -> go.Figure:
    """Simulated squared distances and their closed form, a few runs; one panel for each experiment.

    `rows`: experiment, run, epoch, simulated, predicted, expected (over noise).
    """
    experiments = list(dict.fromkeys(rows.experiment))
    fig = panels(
        "Training and its closed form",
        experiments,
        "training time (epochs)",
        "squared distance to the teacher",
        "Squared distance over training time for three runs in each of two experiments: the closed form with the "
        "realised noise lies on the simulated curves; the expectation over noise has their shape.",
    )
    for row, experiment in enumerate(experiments, start=1):
        own = rows[(rows.experiment == experiment) & (rows.epoch > 0)]
        for run in runs:
            part = own[own.run == run]
            line(fig, part.epoch, part.simulated, "simulated", style(0), row=row, col=1)
            thin = part.iloc[:: max(1, len(part) // 12)]
            points(fig, thin.epoch, thin.predicted, "predicted, realised noise", "theory", row=row, col=1)
        mean = own[own.run.isin(runs)].groupby("epoch").expected.mean()
        line(fig, mean.index, mean, "predicted, mean over noise", style(1), row=row, col=1)
    return _one_legend(fig).update_yaxes(matches=None)


def stopping_times(rows: pd.DataFrame) -> go.Figure:
    """Epoch of least distance, simulated against predicted, one point a run. `rows`: run, simulated, predicted."""
    fig = figure(
        "When a run is closest to its teacher",
        "predicted (epoch)",
        "simulated (epoch)",
        "Simulated against predicted epoch of the least distance, one point for each run; the points lie on the "
        "diagonal.",
    )
    ends = [0, int(rows[["simulated", "predicted"]].to_numpy().max())]
    line(fig, ends, ends, "equal", "theory")
    points(fig, rows.predicted, rows.simulated, "runs", style(0))
    return fig


def distances(rows: pd.DataFrame) -> go.Figure:
    """Squared distances of trained students by what is compared: median and range of the runs for each experiment.

    `rows`: experiment, run, name (raw, up to symmetry, study's normal form), value.
    """
    fig = figure(
        "Squared distance after training, three ways",
        "experiment",
        "squared distance to the teacher",
        "Raw distance and distance up to symmetry agree in all experiments that start near the teacher; for random "
        "students the latter is about half, and far from zero. The study's normal form makes near networks far.",
    )
    experiments = list(dict.fromkeys(rows.experiment))
    for k, name in enumerate(dict.fromkeys(rows.name)):
        part = rows[rows.name == name].groupby("experiment", sort=False).value
        middle, low, high = part.median(), part.min(), part.max()
        x = [experiments.index(e) + 0.18 * (k - 1) for e in middle.index]
        points(fig, x, middle, name, style(k), low=low, high=high)
    fig.update_xaxes(
        tickvals=list(range(len(experiments))), ticktext=[e.replace(" ", "<br>") for e in experiments], tickangle=0
    )
    return fig.update_yaxes(type="log", dtick=4)


def spectrum(rows: pd.DataFrame, horizon: float) -> go.Figure:
    """Eigenvalues of the Gauss-Newton matrix at the teachers, largest first, with the level 1 / (eta T) above which a
    direction is learned in T steps. `rows`: biases, run, index (from 1), value. `horizon` is eta T.
    """
    fig = figure(
        "Curvature of the loss at the teacher",
        "direction, stiffest first",
        "eigenvalue",
        "Eigenvalues fall by more than twenty decades over the 751 directions; three are above the level that training "
        "reaches.",
    )
    for k, (biases, part) in enumerate(rows[rows.value > 0].groupby("biases", sort=False)):
        by = np.log10(part.value).groupby(part["index"])
        band(fig, by.min().index, 10 ** by.min(), 10 ** by.max(), f"{biases} biases", style(k))
        line(fig, by.median().index, 10 ** by.median(), f"{biases} biases", style(k))
    level(fig, 1 / horizon, "1 / (learning rate × epochs)")
    return fig.update_xaxes(type="log", dtick=1).update_yaxes(type="log", dtick=4)


def precision_ledger(rows: pd.DataFrame) -> go.Figure:
    """Share of parameters that stand still although their gradient is not 0. `rows`: precision, run, epoch, value."""
    fig = figure(
        "Parameters that float32 cannot move",
        "training time (epochs)",
        "share of parameters stalled",
        "With weights stored in float32 most parameters stand still from the first epoch on, and the curves of both "
        "kinds of arithmetic coincide; with weights stored in float64 none does.",
    )
    for precision, part in rows.groupby("precision", sort=False):
        wide = part.pivot(index="epoch", columns="run", values="value")
        _mean_and_band(fig, wide, precision, PRECISION_STYLES[precision])
    return fig.update_yaxes(range=[-0.03, 1.03])


def noise_scaling(rows: pd.DataFrame, published: pd.DataFrame) -> go.Figure:
    """Experiment C: mean final squared distance against the noise, log-log, the published points laid over.

    `rows`: variant, sigma, run, value; `published`: log10_sigma, log10_squared_l2.
    """
    fig = figure(
        "Experiment C: final distance against noise",
        "standard deviation of the noise σ",
        "final squared distance",
        "Straight lines of slope 2 on logarithmic axes for all variants; the published points lie four decades below "
        "the line of the committed settings.",
    )
    for k, (variant, part) in enumerate(rows.groupby("variant", sort=False)):
        mean = part.groupby("sigma").value.mean()
        line(fig, mean.index, mean, variant, style(k))
    points(fig, 10**published.log10_sigma, 10**published.log10_squared_l2, "published", "recorded")
    return fig.update_xaxes(type="log", dtick=1).update_yaxes(type="log", dtick=4)


def _one_legend(fig: go.Figure) -> go.Figure:
    """Every name once in the legend."""
    seen: set[str] = set()
    for trace in fig.data:
        if trace.showlegend is False:
            continue
        trace.showlegend = trace.name not in seen
        seen.add(trace.name)
    return fig
