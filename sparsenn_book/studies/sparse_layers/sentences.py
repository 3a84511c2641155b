"""What the chapter says of its tables, in sentences computed from them; Markdown."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from sparsenn_book.records.words import listed
from sparsenn_book.studies.sparse_layers import cells, earlier, measures
from sparsenn_book.studies.sparse_layers.comparison import chosen_rates
from sparsenn_book.studies.sparse_layers.methods import DENSE
from sparsenn_book.studies.sparse_layers.original import CODED, FROZEN, LEARNED
from sparsenn_book.studies.sparse_layers.settings import ComparisonSettings
from sparsenn_book.studies.sparse_layers.speed import CHANNELS, CSR, FORWARD, MASKED, STEP, TWO_OF_FOUR
from sparsenn_book.studies.sparse_layers.structured import RATE

Tables = Mapping[str, pd.DataFrame]
HIGH = 0.95
MOST_NAMED = 12
"""More names than these are no sentence."""


def original(ends: pd.DataFrame, trained: pd.DataFrame) -> str:
    """The study's notebook: what is learned, and what learning would give."""
    by = {version: ends[ends["version"] == version] for version in (CODED, FROZEN, LEARNED)}
    losses = {v: trained[trained["version"] == v].set_index(["run", "step"])["loss"] for v in (CODED, FROZEN)}
    same = bool((losses[CODED] == losses[FROZEN]).all())
    return (
        f"As coded, {by[CODED]['scores_moved'].max():.0%} of the scores changed in {len(by[CODED])} runs, and the loss "
        f"at every step {'is, bit for bit, that of' if same else 'differs from that of'} a network whose random mask "
        f"was frozen before training. With straight-through gradients {by[LEARNED]['scores_moved'].mean():.0%} of the "
        f"scores moved, {by[LEARNED]['flips'].mean():.1%} of the first mask changed, and the mean test error is "
        f"{by[LEARNED]['test_loss'].mean():.2f} instead of {by[CODED]['test_loss'].mean():.2f}."
    )


def untrained(ends: pd.DataFrame) -> str:
    """What the study's evaluation script measures."""
    values = ends[ends["version"] == CODED]["untrained"]
    return (
        "The study's script `evaluate.py` makes a new network and loads no weights into it. Its mean squared error "
        f"over {len(values)} such networks is {values.mean():.2f}, between {values.min():.2f} and {values.max():.2f}; "
        "to predict 0 always gives 10."
    )


def tuning(rows: pd.DataFrame) -> str:
    """Which learning rates were taken."""
    rates = chosen_rates(rows)
    counts = rates["learning_rate"].value_counts().sort_index()
    taken = listed([f"{rate:g} ({count} times)" for rate, count in counts.items()])
    tried = listed([f"{rate:g}" for rate in sorted(rows["learning_rate"].unique())])
    largest = rows["learning_rate"].max()
    at_end = int((rates["learning_rate"] == largest).sum())
    end = f" Where it is the largest, {at_end} times, a larger one might be better still." if at_end else ""
    return f"Of the rates {tried} those taken, for each task and method, are {taken}.{end}"


def compared(errors: pd.DataFrame, task: str) -> str:
    """Who is best on a task, and by how much, at every sparsity."""
    parts = []
    for sparsity in sorted(errors[(errors["task"] == task) & (errors["method"] != DENSE)]["sparsity"].unique()):
        best = measures.best_method(errors, task, sparsity)
        values = [measures.errors_of(errors, task, m, sparsity).median() for m in (best, measures.RANDOM)]
        beside = "" if best == measures.RANDOM else f"; random {values[1]:.3g}"
        parts.append(f"at {sparsity:g} {best} ({values[0]:.3g}{beside})")
    dense = measures.errors_of(errors, task, DENSE, 0.0).median()
    return f"The least median errors, by sparsity: {'; '.join(parts)}. The dense networks' is {dense:.3g}."


def recorded_cells(rows: pd.DataFrame, again: pd.DataFrame, settings: ComparisonSettings) -> str:
    """Where the earlier comparison comes out again and where it does not, and what may be the reason."""
    parts = []
    for how, some in rows.groupby("how", sort=False):
        bad = some[some["verdict"] == cells.WORSE]
        named = [
            f"{task}: "
            + ", ".join(f"{m} at {listed([f'{s:g}' for s in own['sparsity']])}" for m, own in rest.groupby("method"))
            for task, rest in bad.groupby("task", sort=False)
        ]
        shown = f" ({'; '.join(named)})" if 0 < len(bad) <= MOST_NAMED else ""
        parts.append(f"at {how}, {len(bad)} of {len(some)} cells are worse than recorded{shown}")
    text = f"Of the recorded cells that were trained, {'; '.join(parts)}."
    tuned = rows[(rows["how"] == cells.TUNED) & (rows["verdict"] == cells.WORSE)]
    if len(tuned):
        low = (tuned["sparsity"] < HIGH).mean()
        text += (
            f" The runs of this page have {settings.steps} steps where those had {earlier.STEPS}, and one rate for all "
            f"sparsities, chosen at {HIGH}: {low:.0%} of the worse cells lie below it."
        )
    if int(again["steps"].max()) < earlier.STEPS:
        text += f" This page repeats them with {int(again['steps'].max())} steps only; at full scale it is all."
    return text


def course(rows: pd.DataFrame) -> str:
    """How much masks change and what reaches the scores."""
    churn = rows[rows["name"] == "churn"].groupby("method")["value"].mean()
    gradient = rows[rows["name"] == "gradient"].groupby("method")["value"].mean()
    moving = [f"{method} {churn[method]:.1%}" for method in churn.index if churn[method] > 0]
    still = [str(method) for method in churn.index if churn[method] == 0]
    reaching = [f"{method} {gradient[method]:.2g}" for method in gradient.index if gradient[method] > 0]
    return (
        f"In 50 steps these shares of the mask change, on average over sparsities and training: {listed(moving)}. "
        f"{listed([f'*{name}*' for name in still]) or 'None'} never change. The gradient that reaches the scores has "
        f"the mean norm {listed(reaching)}, and is zero for all others, which have no scores that are trained."
    )


def unread(counts: pd.DataFrame, errors: pd.DataFrame) -> str:
    """The formula, draws, and what learned masks leave out."""
    worst = measures.scored(counts).abs().max()
    own = errors[(errors["task"] == "linear") & (errors["method"] != DENSE)]
    top = own["sparsity"].max()
    means = 20 - own[own["sparsity"] == top].groupby("method")["read"].mean()
    kept = [
        f"{method} {means[method]:.1f}" for method in (measures.RANDOM, "gradual", "RigL", "straight-through", "soft")
    ]
    return (
        f"Over {len(counts)} shapes and sparsities the mean of the draws is at most {worst:.1f} standard errors from "
        f"the formula. At sparsity {top:g} the trained masks leave out, of 20 inputs: {listed(kept)}. Each costs an "
        "error of 1, the variance of an input, and no training of the weights that are left can win it back."
    )


def found(errors: pd.DataFrame) -> str:
    """Whether the inputs that matter are found."""
    rows = errors[(errors["task"] == "nonlinear") & (errors["method"] != DENSE)]
    top = min(rows["sparsity"].unique(), key=lambda s: abs(s - HIGH))
    means = rows[rows["sparsity"] == top].groupby("method")[["on_true", "found"]].mean()
    parts = [
        f"{m} {means['on_true'][m]:.0%}"
        for m in (measures.RANDOM, "gradual", "SET", "RigL", "straight-through", "soft")
    ]
    return (
        f"At sparsity {top:g} these shares of the weights that are left lie on the 5 inputs that matter, a tenth of "
        f"all: {listed(parts)}. So much is left for them to compute with; the rest fits noise."
    )


def structures(rows: pd.DataFrame) -> str:
    """What structure costs at the highest sparsity that all have."""
    top = rows[rows["structure"] == "channel"]["sparsity"].max()
    near = rows[np.isclose(rows["sparsity"], top, atol=0.02)]
    means = near.groupby("structure")["error"].mean().sort_values()
    told = listed(
        [f"{name if name != 'gradual' else 'single weights (gradual)'} {value:.1%}" for name, value in means.items()]
    )
    fixed = rows[rows["structure"].str.contains(":")].groupby(["sparsity", "structure"])["error"].mean()
    return (
        f"At a sparsity of about {top:.2g}, all at the rate {RATE:g}, the mean test error is: {told}. N:M has a "
        "sparsity of its own: "
        f"{listed([f'{name} (sparsity {sparsity:.3g}) {value:.1%}' for (sparsity, name), value in fixed.items()])}."
    )


def outcomes(rows: pd.DataFrame) -> str:
    """How far the penalties went."""
    parts = []
    for method, some in rows.groupby("method", sort=False):
        best = some.loc[some["error"].idxmin()]
        low, high = some["sparsity"].min(), some["sparsity"].max()
        parts.append(
            f"{method} {low:.2f} to {high:.2f} with strengths from {some['strength'].min():g} to "
            f"{some['strength'].max():g}, and its run of least error has {best['error']:.3g} at "
            f"{best['sparsity']:.2f}"
        )
    return f"Sparsities reached: {'; '.join(parts)}."


def speed(rows: pd.DataFrame) -> str:
    """Is sparse faster?"""
    own = measures.speedups(rows)
    masked = own[own["form"] == MASKED]["times"]
    parts = []
    for form, phase in ((CSR, FORWARD), (CSR, STEP), (CHANNELS, FORWARD), (CHANNELS, STEP)):
        some = own[(own["form"] == form) & (own["phase"] == phase)]
        spans = [
            f"{t['times'].min():.2g} to {t['times'].max():.2g} at {s:g}" for s, t in some.groupby("sparsity", sort=True)
        ]
        parts.append(f"{form}, {phase}: {listed(spans)}")
    cuda = own[own["form"] == TWO_OF_FOUR]
    half = (
        f"2:4 in half precision: {cuda['times'].min():.2g} to {cuda['times'].max():.2g}."
        if len(cuda)
        else "2:4 layouts are for CUDA devices and were not timed here."
    )
    return (
        "How many times as fast as the dense layer each form is, least to largest over sizes and batches; *at 0.5* is "
        f"at sparsity 0.5. Masked, forward and training step, at all sparsities: {masked.min():.2g} to "
        f"{masked.max():.2g}. {'; '.join(parts)}. "
        f"{half} All forms agree with the masked layer to "
        f"{rows[rows['form'] != TWO_OF_FOUR]['difference'].max():.0e} of the largest output."
    )
