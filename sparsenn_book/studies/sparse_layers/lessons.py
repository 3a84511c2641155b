"""What the chapter on sparse layers teaches, in a few sentences computed from its tables; Markdown."""

from __future__ import annotations

import numpy as np
import pandas as pd

from sparsenn_book.records.estimates import Estimate, mean_interval
from sparsenn_book.records.evidence import TOO_SMALL, FullScale, Tables, evidence
from sparsenn_book.records.words import listed
from sparsenn_book.studies.sparse_layers import measures
from sparsenn_book.studies.sparse_layers.methods import DENSE
from sparsenn_book.studies.sparse_layers.original import CODED, FROZEN, LEARNED
from sparsenn_book.studies.sparse_layers.speed import CHANNELS, CSR, FORWARD, MASKED

NEEDED = ("ends", "errors", "speed")
HIGH = 0.95
PICTURES = {"fashion": "a layer of 784 inputs", "fashion_cnn": "two small convolutions"}
SPOKEN = {
    "linear": "a sum of 20 inputs",
    "nonlinear": "a task where 5 of 50 inputs matter",
    "digits": "digits",
    "fashion": "Fashion-MNIST",
    "fashion_cnn": "small convolutions for Fashion-MNIST",
}
"""Tasks for who has not read what they are called."""


def told(full: FullScale, here: Tables, profile: str) -> tuple[Tables, str] | None:
    """The tables to tell findings from, and where they hold; None where this run is no evidence."""
    return evidence(full, here, profile, NEEDED)


def learned(source: tuple[Tables, str] | None) -> str:
    """What we learned, a list; the last entry is for practice."""
    if source is None:
        return TOO_SMALL
    tables, where = source
    errors = tables["errors"]
    entries = [
        _of_the_study(tables["ends"]),
        *(_gain(errors, task) for task in measures.REGRESSIONS if _has(errors, task)),
        *([_below(errors)] if _has(errors, "digits") else []),
        *([_on_pictures(errors)] if any(_has(errors, task) for task in PICTURES) else []),
        _of_speed(tables["speed"]),
        "**Take to your own training.** " + _practice(errors, tables["speed"]),
    ]
    return "\n".join([f"Measured {where}; intervals are of 95 %.\n", *(f"- {entry}" for entry in entries)])


def answer(source: tuple[Tables, str] | None) -> str:
    """The question's answer, and what stays open."""
    open_ends = (
        "Open: larger networks, and pictures trained to the end; budgets of tuning beyond one learning rate a method; "
        "whether the order of "
        "the learned methods among themselves holds, since it changes from task to task; other machines, and sparse "
        "kernels other than PyTorch's own."
    )
    if source is None:
        return open_ends
    tables, where = source
    errors = tables["errors"]
    plain = _of_speed(tables["speed"]).replace("**", "")
    gains = []
    for task in measures.REGRESSIONS:
        if _has(errors, task):
            best = measures.best_method(errors, task, HIGH)
            gain = measures.times_better(errors, task, measures.RANDOM, best, HIGH)
            gains.append(f"on {SPOKEN[task]} {_times(gain)} that of {best}")
    return (
        f"Measured {where}: at sparsity {HIGH} a random mask's error is {listed(gains)}, the mask of least error "
        f"there. {_frozen(tables['ends'])}{_cause(errors)} Is a sparse layer faster? "
        f"{plain}\n\n{open_ends}"
    )


def _frozen(ends: pd.DataFrame) -> str:
    """Whether the study's mask does anything that a frozen random one does not."""
    final = {version: ends[ends["version"] == version].set_index("run") for version in (CODED, FROZEN)}
    same = bool((final[CODED]["test_loss"] == final[FROZEN]["test_loss"]).all())
    change = "changes no final test loss" if same else "changes test losses"
    return f"The study's own mask starts at random; freezing it before training {change}."


def _cause(errors: pd.DataFrame) -> str:
    """What of the gain the inputs explain: how many are still read, and how many of the weights lie on those that
    matter.
    """
    said = []
    for task, column in (("linear", "read"), ("nonlinear", "on_true")):
        if not _has(errors, task):
            continue
        rows = errors[(errors["task"] == task) & np.isclose(errors["sparsity"], HIGH)]
        means = rows.groupby("method")[column].mean()
        own, best = means[measures.RANDOM], measures.best_method(errors, task, HIGH)
        said.append(
            f"on the sum a random mask reads {own:.1f} of 20 inputs on average, {best} {means[best]:.1f}"
            if task == "linear"
            else f"on the other task {own:.0%} of a random mask's weights lie on the five inputs that matter, of "
            f"{best}'s {means[best]:.0%}"
        )
    return f" Part of the gain is which inputs are read: {'; '.join(said)}." if said else ""


def _has(errors: pd.DataFrame, task: str) -> bool:
    rows = errors[errors["task"] == task]
    return bool(np.isclose(rows["sparsity"], HIGH).any())


def _times(gain: Estimate | None) -> str:
    return (
        "unknown times" if gain is None else f"{_plain(gain.value)} times ({_plain(gain.low)} to {_plain(gain.high)})"
    )


def _plain(value: float) -> str:
    """Two significant digits, no powers of ten: `9.2`, `1,300`."""
    return f"{float(f'{value:.2g}'):,g}"


def _practice(errors: pd.DataFrame, speed: pd.DataFrame) -> str:
    """Advice, each sentence only where the tables bear it out."""
    said = []
    best = {
        task: measures.best_method(errors, task, HIGH) for task in dict.fromkeys(errors["task"]) if _has(errors, task)
    }
    gains = [
        measures.times_better(errors, task, measures.RANDOM, best[task], HIGH)
        for task in measures.REGRESSIONS
        if task in best
    ]
    if gains and all(gain is not None and gain.low > 1 for gain in gains):
        where: dict[str, list[str]] = {}
        for task, method in best.items():
            where.setdefault(method, []).append(SPOKEN[task])
        told = "; ".join(f"{method} on {listed(own)}" for method, own in where.items())
        said.append(
            f"Where 19 of 20 weights are removed, let the mask follow training. Least median errors here: {told}."
        )
    said.append("Look at which inputs are still read.")
    rows = measures.speedups(speed)
    if rows[rows["form"] == MASKED]["times"].median() < 1:
        said.append("A mask that multiplies weights costs time: for speed remove channels, or convert after training.")
    return " ".join(said)


def _of_the_study(ends: pd.DataFrame) -> str:
    rows = {version: ends[ends["version"] == version] for version in (CODED, LEARNED)}
    moved = rows[CODED]["scores_moved"].max()
    return (
        f"**The study's learned mask is not learned.** {moved:.0%} of its scores change in training; it is a fixed "
        f"random mask. Learned as described, it lowers the test error of the study's network from "
        f"{rows[CODED]['test_loss'].mean():.2f} to {rows[LEARNED]['test_loss'].mean():.2f}."
    )


def _gain(errors: pd.DataFrame, task: str) -> str:
    best = measures.best_method(errors, task, HIGH)
    gain = measures.times_better(errors, task, measures.RANDOM, best, HIGH)
    dense = measures.times_better(errors, task, DENSE, best, HIGH)
    what = {"linear": "Sum of 20 inputs", "nonlinear": "Five of fifty inputs matter"}[task]
    return (
        f"**{what}, 19 of 20 weights removed: a random mask's error is {_times(gain)} that of the best learned mask** "
        f"({best}). The dense network's is {_times(dense)} that."
    )


def _below(errors: pd.DataFrame) -> str:
    rows = errors[(errors["task"] == "digits") & np.isclose(errors["sparsity"], 0.9)]
    medians = rows.groupby("method")["error"].median().sort_values()
    pair = [measures.errors_of(errors, "digits", method, 0.9) for method in (measures.RANDOM, "soft")]
    found = mean_interval(pair[0] - pair[1])
    open_end = ", which leaves open which is better" if found.low <= 0 <= found.high else ""
    return (
        f"**On digits, nine tenths of the weights removed, the methods' median errors span "
        f"{100 * (medians.iloc[-1] - medians.iloc[0]):.1f} percentage points**: {medians.iloc[0]:.1%} "
        f"({medians.index[0]}) to {medians.iloc[-1]:.1%} ({medians.index[-1]}). A random mask's mean error less "
        f"that of a soft one is {100 * found.value:+.1f} points (95 %: {100 * found.low:+.1f} to "
        f"{100 * found.high:+.1f})"
        f"{open_end}."
    )


def _on_pictures(errors: pd.DataFrame) -> str:
    parts, gains = [], []
    for task, what in PICTURES.items():
        if _has(errors, task):
            best = measures.best_method(errors, task, HIGH)
            medians = [measures.errors_of(errors, task, m, HIGH).median() for m in (best, measures.RANDOM, DENSE)]
            gains.append(medians[1] - medians[0])
            parts.append(
                f"{what} {medians[0]:.1%} with the best mask ({best}), {medians[1]:.1%} with a random one and "
                f"{medians[2]:.1%} dense"
            )
    least, most = 100 * min(gains), 100 * max(gains)
    return (
        f"**On Fashion-MNIST the best mask is {least:.0f} to {most:.0f} percentage points better than a random one**, "
        f"by network, 19 of 20 weights removed. Median errors: {'; '.join(parts)}."
    )


def _of_speed(speed: pd.DataFrame) -> str:
    rows = measures.speedups(speed)
    nine = rows[np.isclose(rows["sparsity"], 0.9)]
    forward = {f: nine[(nine["form"] == f) & (nine["phase"] == FORWARD)]["times"] for f in (CSR, CHANNELS)}
    masked = rows[(rows["form"] == MASKED) & (rows["phase"] == FORWARD)]["times"]
    return (
        f"**Weight times mask runs at {masked.median():.2g} times the speed of dense** ({masked.min():.3g} to "
        f"{masked.max():.3g} over {len(masked)} cases); with nine tenths removed, compressed rows at "
        f"{_spread(forward[CSR])}, a layer without its removed channels at {_spread(forward[CHANNELS])}. These are "
        "medians and ranges over sizes and batches, forward, on one machine."
    )


def _spread(times: pd.Series) -> str:
    return f"{times.median():.2g} times ({times.min():.2g} to {times.max():.2g}, {len(times)} cases)"
