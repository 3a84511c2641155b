"""What the chapter says of its tables, in sentences computed from them; Markdown."""

from __future__ import annotations

import pandas as pd

from sparsenn_book.records.words import listed, number
from sparsenn_book.studies.compression import measures
from sparsenn_book.studies.compression.comparison import LASSO, METHODS
from sparsenn_book.studies.compression.measures import LAST
from sparsenn_book.studies.compression.study import RECORDED

TENTH = 0.1


def networks(rows: pd.DataFrame) -> str:
    """The networks before anything is removed."""
    parts = [
        f"{task}: {len(own)} networks, test accuracy {own['accuracy'].median():.1%} "
        f"({own['accuracy'].min():.1%} to {own['accuracy'].max():.1%}), test loss {own['loss'].median():.3g}"
        for task, own in rows.groupby("task", sort=False)
    ]
    return f"Before anything is removed, medians and ranges over runs. {'; '.join(parts)}."


def refit(ways: pd.DataFrame, task: str, layer: str) -> str:
    """What a refit does to the best and worst way."""
    share = measures.nearest(ways["share"], TENTH)
    own, fitted = (measures.medians(ways, "loss", task, layer, share, refit) for refit in (False, True))
    return (
        f"With {share:.0%} of the neurons the median test losses lie between {own.min():.2f} ({own.index[0]}) and "
        f"{own.max():.2f} ({own.index[-1]}) with the weights as they are, and between {fitted.min():.3f} "
        f"({fitted.index[0]}) and {fitted.max():.3f} ({fitted.index[-1]}) once refitted."
    )


def ways(rows: pd.DataFrame, task: str) -> str:
    """Which way has the least loss and the least error in each layer, at about a tenth of the neurons."""
    share = measures.nearest(rows["share"], TENTH)
    parts = []
    for layer in dict.fromkeys(rows[rows["task"] == task]["layer"]):
        loss, error = (measures.medians(rows, column, task, layer, share, True) for column in ("loss", "error"))
        parts.append(f"{layer}: loss {_ends(loss)}; relative error of the layer's outputs {_ends(error)}")
    return f"Medians with {share:.0%} of the neurons, refitted. {'. '.join(parts)}."


def path(rows: pd.DataFrame, task: str) -> str:
    """How exact the path is, and where widths end."""
    own = rows[rows["task"] == task]
    ends = own.groupby("layer", sort=False)["width"].agg(["min", "max"])
    parts = [f"{layer} from {row['min']} to {row['max']}" for layer, row in ends.iterrows()]
    return (
        f"Over all strengths and runs the neurons kept go, for {listed(parts)}. The largest relative duality gap of "
        f"the {len(own) // 2} solutions is {number(float(own['gap'].abs().max()), 1)}."
    )


def removed(neurons: pd.DataFrame, layers: pd.DataFrame, rows: pd.DataFrame, task: str, layer: str) -> str:
    """What goes: dead neurons first, then those that others can stand in for."""
    own = neurons[(neurons["task"] == task) & (neurons["layer"] == layer)]
    dead = layers[(layers["task"] == task) & (layers["layer"] == layer)]["dead"]
    rms = own.groupby("kept")["rms"].median()
    why = ": a neuron with large outputs needs small weights, which cost little" if rms[True] > rms[False] else ""
    share = measures.nearest(rows["share"], TENTH)
    here = rows[(rows["task"] == task) & (rows["layer"] == layer) & (rows["share"] == share)]
    common = here.groupby("method")["common"].median()
    parts = [f"{method} {common[method]:.0%}" for method in METHODS if method != LASSO]
    return (
        f"Of {len(own)} neurons {dead.min()} to {dead.max()}, by network, are zero on all training images. In the "
        f"network shown the lasso keeps {int(own['kept'].sum())}. The median of their root mean squares is "
        f"{rms[True]:.2f}, that of the others {rms[False]:.2f}{why}. Share of each other way's chosen "
        f"neurons that the lasso chooses as well, with {share:.0%} kept: {listed(parts)} (medians over networks)."
    )


def bounds(layers: pd.DataFrame) -> str:
    """Whether the theory says how wide the layers need be, as a table."""
    lines = [
        "| task | read by | neurons | rank Φ | rank Ψ | bound | bound below their number |",
        "|---|---|---|---|---|---|---|",
    ]
    for (task, layer), own in layers.groupby(["task", "layer"], sort=False):
        ranks = [_span(own[column]) for column in ("rank_features", "rank_targets")]
        lines.append(
            f"| {task} | {layer} | {own['neurons'].iloc[0]} | {ranks[0]} | {ranks[1]} | {own['bound'].min():,} or more "
            f"| {'no' if own['vacuous'].all() else 'in some networks'} |"
        )
    return "\n".join(lines)


def _span(values: pd.Series) -> str:
    low, high = values.min(), values.max()
    return f"{low}" if low == high else f"{low} to {high}"


def recorded() -> str:
    """The study's layers as a table."""
    lines = [
        "| network, layer | inputs → outputs | learning rate, λ | recorded active inputs | at iteration |",
        "|---|---|---|---|---|",
    ]
    for row in RECORDED.itertuples():
        active = "none recorded" if pd.isna(row.active) else f"{int(row.active)}"
        at = "" if pd.isna(row.iteration) else f"{int(row.iteration)}"
        lines.append(
            f"| {row.network}, {row.layer} | {row.inputs} → {row.outputs} | {row.rate:g}, {row.strength:g} | {active} "
            f"| {at} |"
        )
    return "\n".join(lines)


def descents(rows: pd.DataFrame) -> str:
    """How far the study's loop stays from its own minimum."""
    parts = []
    for strength, own in rows.groupby("strength", sort=False):
        ratio = (own["objective"] / own["optimum"]).groupby(own["iteration"]).median()
        active = own.groupby("iteration")["active"].median()
        told = [f"{ratio[i]:.2f} after {i} ({active[i]:.0f} active)" for i in ratio.index]
        parts.append(f"at λ = {strength:g} it is {listed(told)}, where the optimum has {own['width'].median():.0f}")
    return f"The objective, divided by the certified optimum, medians over networks: {'; '.join(parts)}."


def faults(rows: pd.DataFrame) -> str:
    """What the study's code reads of a network."""
    stored, distance = (row for row in rows.itertuples())
    return (
        f"Of a VGG-19 with random weights, the least output that the study's hook stores for `classifier.4` is "
        f"{stored.coded:g}; the least output there is {stored.right:.2f}. What arrives at `classifier.6` in train mode "
        f"is {distance.coded:.1f} times its own norm away from what arrives in eval mode."
    )


def whole(sizes: pd.DataFrame, kept: pd.DataFrame) -> str:
    """Whole networks, before and after, as a table of medians."""
    lines = ["| task | | before | after |", "|---|---|---|---|"]
    names = {"bytes": "bytes of the saved weights", "milliseconds": "milliseconds for 256 images"}
    formats = {"loss": ".3f", "accuracy": ".1%", "parameters": ",.0f", "bytes": ",.0f", "milliseconds": ".3g"}
    for (task, what), own in sizes.groupby(["task", "what"], sort=False):
        said = formats[str(what)]
        lines.append(
            f"| {task} | {names.get(str(what), what)} | {own['before'].median():{said}} | "
            f"{own['after'].median():{said}} |"
        )
    for (task, layer), own in kept.groupby(["task", "layer"], sort=False):
        lines.append(f"| {task} | neurons read by {layer} | {own['neurons'].iloc[0]} | {own['kept'].median():.0f} |")
    return "\n".join(lines)


def real(sizes: pd.DataFrame, tolerance: float) -> str:
    """How much smaller and faster, and whether the tolerance holds on images that did not choose."""
    losses = sizes[sizes["what"] == "loss"]
    rise = losses["after"] - losses["before"]
    speed = 1 / measures.ratios(sizes, "milliseconds")
    stored = measures.ratios(sizes, "bytes")
    batch = "one batch of 256 images"
    return (
        f"Of {len(speed)} networks {stored.min():.0%} to {stored.max():.0%} of the bytes are left, and {batch} takes "
        f"{1 / speed.max():.0%} to {1 / speed.min():.0%} of the time, on the machine that made this page. Outputs "
        f"differ from those of the network with zeroed neurons by at most {sizes['difference'].max():.0e} of the "
        f"largest. The loss may rise by {tolerance:g} on the images that choose; on the others it changes by "
        f"{rise.min():+.3f} to {rise.max():+.3f}, by more than the tolerance in {(rise > tolerance).sum()} of "
        f"{len(rise)} networks."
    )


def _ends(medians: pd.Series) -> str:
    """The least, the largest and, if it is neither, the lasso's."""
    own = "" if LASSO in (medians.index[0], medians.index[-1]) else f", the lasso's {medians[LASSO]:.3f}"
    return f"{medians.iloc[0]:.3f} ({medians.index[0]}) to {medians.iloc[-1]:.3f} ({medians.index[-1]}){own}"


def last(task_layers: pd.DataFrame, task: str) -> str:
    """The last layer of a task's networks, by name."""
    own = task_layers[task_layers["task"] == task]["layer"]
    return LAST if LAST in set(own) else str(own.iloc[-1])
