"""Figures of where students turn back, and why."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

from sparsenn_book.figures.palette import style
from sparsenn_book.figures.theme import figure, line, panels, points
from sparsenn_book.records.estimates import wilson
from sparsenn_book.studies.rebound.figures.looks import EXPECTED, OTHERS, PRECISIONS, mean_and_band, one_legend

FATES = ("only comes nearer", "turns back, no rebound", "rebounds")


def rebound_map(rows: pd.DataFrame) -> go.Figure:
    """Share of runs that rebound, with Wilson's interval: a panel for each rule, displacements across as categories.

    `rows`: rule, precision, perturbation, run, rebounded.
    """
    rules = list(dict.fromkeys(rows.rule))
    columns = min(3, len(rules))
    fig = panels(
        "Which runs come nearer and leave again",
        rules,
        "displacement",
        "share of runs",
        "One panel for each rule of training: displacements across, a point for each precision that was run, its "
        "height the share of runs that rebound, with interval.",
        columns=columns,
    )
    sizes = [f"{size:g}" for size in sorted(rows.perturbation.unique())]
    for place, rule in enumerate(rules):
        at = {"row": place // columns + 1, "col": place % columns + 1}
        for precision in (p for p in PRECISIONS if p in set(rows.precision)):
            part = rows[(rows.rule == rule) & (rows.precision == precision)]
            if len(part):
                fig.add_trace(_rates(part, precision), **at)
    fig.update_layout(scattermode="group")
    fig.update_xaxes(type="category", categoryorder="array", categoryarray=sizes)
    return one_legend(fig).update_yaxes(range=[-0.05, 1.05])


def _rates(part: pd.DataFrame, precision: str) -> go.Scatter:
    rates = {f"{size:g}": wilson(int(r.sum()), len(r)) for size, r in part.groupby("perturbation").rebounded}
    values = [rate.value for rate in rates.values()]
    bars = {
        "type": "data",
        "symmetric": False,
        "array": [rate.high - rate.value for rate in rates.values()],
        "arrayminus": [rate.value - rate.low for rate in rates.values()],
        "thickness": 1.2,
        "width": 3,
    }
    look = PRECISIONS[precision]
    return go.Scatter(
        x=list(rates), y=values, name=precision, legendgroup=precision, offsetgroup=precision, mode="markers",
        marker={"color": look.color, "symbol": look.marker, "size": 8}, error_y=bars,
    )  # fmt: skip


def fates(rows: pd.DataFrame) -> go.Figure:
    """Stacked bars of what became of runs. `rows`: perturbation, precision, run, turned, rebounded."""
    fig = figure(
        "Of many students in experiment A, how many turn back",
        "displacement and precision",
        "share of runs",
        "Stacked bars, one for each displacement and precision: the shares of students that only come nearer, that "
        "turn back, and that rebound by more than 0.05 percent.",
    )
    groups = list(rows.groupby(["perturbation", "precision"], sort=True))
    names = [f"{size:g}<br>{precision.replace(', ', ',<br>')}" for (size, precision), _ in groups]
    for place, fate in enumerate(FATES):
        shares = [_fate(part).eq(fate).mean() for _, part in groups]
        fig.add_trace(go.Bar(x=names, y=shares, name=fate, marker={"color": style(OTHERS + place).color}))
    return fig.update_layout(barmode="stack").update_yaxes(range=[0, 1])


def _fate(part: pd.DataFrame) -> pd.Series:
    turned = part.turned.map({True: FATES[1], False: FATES[0]})
    return turned.mask(part.rebounded, FATES[2])


def precision_ledger(rows: pd.DataFrame) -> go.Figure:
    """Share of parameters that stand still although their gradient is not 0. `rows`: precision, run, epoch, value."""
    fig = figure(
        "Parameters that a step leaves as they are",
        "training time (epochs)",
        "share of parameters standing still",
        "Share of parameters that stand still over training time, a line and a band of runs for each precision of "
        "weights and arithmetic.",
    )
    for precision, part in rows.groupby("precision", sort=False):
        table = part.pivot(index="epoch", columns="run", values="value")
        mean_and_band(fig, table, precision, PRECISIONS[precision])
    return fig.update_yaxes(range=[-0.03, 1.03])


def predicted_curves(rows: pd.DataFrame, runs: int = 3) -> go.Figure:
    """Simulated squared distances and their closed form, a few runs; one panel for each experiment.

    `rows`: experiment, run, epoch, simulated, predicted, expected (over noise).
    """
    experiments = list(dict.fromkeys(rows.experiment))
    fig = panels(
        "Training in float64 and its closed form",
        experiments,
        "training time (epochs)",
        "squared distance to the teacher",
        "Squared distance over training time for three runs in each of two experiments: lines of the simulation, "
        "marks of the closed form with the noise that was drawn, and the mean over noise.",
    )
    for row, experiment in enumerate(experiments, start=1):
        own = rows[(rows.experiment == experiment) & (rows.epoch > 0) & (rows.run < runs)]
        for _, part in own.groupby("run"):
            line(fig, part.epoch, part.simulated, "simulated", PRECISIONS["float64"], row=row, col=1)
            thin = part.iloc[:: max(1, len(part) // 12)]
            points(fig, thin.epoch, thin.predicted, "closed form, with the noise drawn", "theory", row=row, col=1)
        mean = own.groupby("epoch").expected.mean()
        line(fig, mean.index, mean, "closed form, mean over noise", EXPECTED, row=row, col=1)
    return one_legend(fig).update_yaxes(matches=None)


def stopping_times(rows: pd.DataFrame) -> go.Figure:
    """Epoch of least distance, simulated against predicted, one point a run, on logarithmic axes of epoch + 1.

    `rows`: run, simulated, predicted, expected.
    """
    fig = figure(
        "When a student is closest to its teacher",
        "predicted before training (epoch + 1)",
        "in training (epoch + 1)",
        "Epoch of the least distance in training against the one predicted, one point for each run, and the diagonal: "
        "predictions with the noise that was drawn, and with its mean.",
    )
    ends = [1, int(rows[["simulated", "predicted", "expected"]].to_numpy().max()) + 1]
    line(fig, ends, ends, "equal", "recorded")
    points(fig, rows.expected + 1, rows.simulated + 1, "mean over noise", EXPECTED)
    points(fig, rows.predicted + 1, rows.simulated + 1, "with the noise drawn", "theory")
    return fig.update_xaxes(type="log").update_yaxes(type="log")
