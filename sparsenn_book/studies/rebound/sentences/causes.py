"""Sentences and tables of where students turn back, and why."""

from __future__ import annotations

import numpy as np
import pandas as pd

from sparsenn_book.records.words import ten
from sparsenn_book.studies.rebound import measures, rules
from sparsenn_book.studies.rebound.counting import MASTER
from sparsenn_book.studies.rebound.sentences.words import Tables, largest, of, percent, standing


def rebound_map(tables: Tables) -> str:
    """Under the map."""
    rows = tables["map"]
    least = rows[(rows.rule == rules.PLAIN) & (rows.perturbation == rows.perturbation.min())]
    stored = {p: least.rebounded[least.precision == p] for p in least.precision.unique()}
    own = rows[(rows.rule == rules.PLAIN) & (rows.precision == "float64")]
    others = "; ".join(f"{r}: {of(largest(tables, r))}" for r in rules.SCALES)
    others += f". Projection every epoch, from {rules.PROJECTED_FROM:g}: {of(largest(tables, rules.PROJECTED))}"
    return (
        f"Gradient descent from the least displacement: {of(stored['float32'])} runs rebound in float32, "
        f"{of(stored['float32 weights, float64 arithmetic'])} where only the weights are float32, "
        f"{of(stored[MASTER])} where only the arithmetic is, {of(stored['float64'])} in float64. From any "
        f"displacement, {of(measures.ever(own.rebounded, own.run))} runs rebound in float64. With other rules, in "
        f"float64 from the largest displacement: {others}."
    )


def rise_table(rows: pd.DataFrame) -> pd.DataFrame:
    """How far the runs that rebound rise, in percent of the least squared distance: median by rule and precision."""
    median = rows[rows.rebounded].groupby(["rule", "precision"], sort=False).rebound.median()
    return (100 * median).unstack().rename_axis(columns=None).map(lambda v: "" if np.isnan(v) else f"{v:.2g} %")


def scale_table() -> pd.DataFrame:
    """The other rules and how they grow with the displacement d."""
    rows = [(rule, scale.sets, f"{scale.factor:g} d") for rule, scale in rules.SCALES.items()]
    return pd.DataFrame(rows, columns=["rule", "what it sets", "for displacement d"]).set_index("rule")


def ledger(rows: pd.DataFrame) -> str:
    """Under the share of parameters that stand still."""
    shares = {p: percent(standing(rows, p), 0) for p in rows.precision.unique()}
    return (
        "Parameters that stand still at the last step, mean share: "
        + "; ".join(f"{p}: {s}" for p, s in shares.items())
        + "."
    )


def counted(rows: pd.DataFrame) -> str:
    """Under the counts."""
    text = [
        f"from {ten(float(size), 0)} in {precision}, {of(part.turned)} turn back and {of(part.rebounded)} rebound"
        for (size, precision), part in rows.groupby(["perturbation", "precision"])
    ]
    return "Of independent students, trained from each displacement: " + "; ".join(text) + "."


def closed_form(prediction: pd.DataFrame) -> str:
    """Under the closed form."""
    error = measures.closed_form_errors(prediction).groupby("experiment", sort=False).error.max()
    parts = ", ".join(f"{percent(value, 2)} in {name}" for name, value in error.items())
    return f"The largest relative difference of simulation and closed form over all runs and epochs: {parts}."


def stopping(prediction: pd.DataFrame) -> str:
    """Under the stopping times."""
    closest = measures.closest_epochs(prediction).query("experiment != 'B'")
    missed = (closest.predicted - closest.simulated).abs()
    blind = (closest.expected - closest.simulated).abs()
    return (
        "The prediction of the epoch at which a student is closest is off by "
        f"{missed.median():.0f} epochs in the median and by {missed.max():.0f} at most. For this the noise that was "
        f"drawn has to be known. From its standard deviation alone the prediction is off by {blind.median():g} epochs "
        f"in the median and by {blind.max():.0f} at most."
    )
