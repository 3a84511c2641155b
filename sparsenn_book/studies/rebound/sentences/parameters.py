"""Sentences and tables of parameter space: curvature, symmetry, pruning."""

from __future__ import annotations

import pandas as pd

from sparsenn_book.records.words import number, ten
from sparsenn_book.studies.rebound import distances, pruning
from sparsenn_book.studies.rebound.sentences.words import bounds, percent


def spectrum(rows: pd.DataFrame, horizon: float) -> str:
    """Under the spectrum."""
    learned = {b: (part.value * horizon > 1).groupby(part.run).sum().mean() for b, part in rows.groupby("biases")}
    return (
        f"Of {rows['index'].max()} directions {learned['tiny']:.1f} are learned in the time of A and B with the "
        f"study's tiny biases and {learned['uniform']:.1f} with biases of U(−1, 1) (means over teachers). Along all "
        "others the student stays where it starts, or drifts with the noise."
    )


def margins(rows: pd.DataFrame) -> str:
    """Under the conditions of identifiability."""
    largest = rows.groupby("biases")[["bias", "ratio"]].max()
    answer = (
        "So the theorem does not say of these networks, with weights known to the digits of float32, that the function "
        "determines the weights."
        if largest.ratio.max() < 2.0**-23
        else "So the condition on ratios can be told from its violation in float32, for some teacher."
    )
    return (
        f"Some ratio of weights of each teacher is {ten(largest.ratio.max(), 0)} or less from a simple fraction, with "
        f"tiny and large biases; float32 tells numbers near 1 apart by {ten(2.0**-23, 0)}. The smallest bias of each "
        f"teacher is {ten(largest.bias['tiny'], 0)} or less in size where biases are tiny, and "
        f"{ten(largest.bias['uniform'], 0)} or less where they are large. {answer}"
    )


def symmetry(rows: pd.DataFrame) -> str:
    """Under the distances."""
    strangers, at_teacher = rows[rows.experiment == distances.RANDOM], rows[rows.experiment == "B"]
    near = rows[~rows.experiment.isin([distances.FAR, distances.RANDOM])]
    gap = ((near.raw - near["quotient"]) / near.raw).abs().max()
    return (
        f"Near the teacher the squared distance as it is and up to symmetry differ by {percent(gap)}. For "
        f"random students the squared distance is {number(round(strangers.raw.median(), 1))} as it is and "
        f"{bounds(strangers)} up to symmetry; their mean squared error on test inputs is "
        f"{ten(strangers.function.median(), 0)}. The study's normal form sorts units by biases of about "
        f"1e-6; B's students, at a squared distance of {ten(at_teacher.raw.median(), 0)} as they are, are at "
        f"{number(round(at_teacher.normal_form.median(), 0))} in it (medians)."
    )


def distance_table(rows: pd.DataFrame) -> pd.DataFrame:
    """Medians over runs of every squared distance, and the share of runs whose distance up to symmetry is certified."""
    columns = {
        "raw": "as it is", "quotient_lower": "up to symmetry, at least", "quotient": "up to symmetry, at most",
        "normal_form": "study's normal form", "fisher": "Fisher-weighted", "function": "error on test inputs",
    }  # fmt: skip
    groups = rows.groupby("experiment", sort=False)
    table = groups[list(columns)].median().rename(columns=columns)
    return table.assign(**{"share certified": groups.certified.mean()})


def pruning_table(rows: pd.DataFrame) -> pd.DataFrame:
    """Medians over runs, a strength and way of pruning a row."""
    names = {
        "weights": "weights left", "error": "error on test inputs", "norm": "squared norm",
        "quotient_lower": "squared distance up to symmetry, at least", "quotient": "at most",
    }  # fmt: skip
    return rows.groupby(["strength", "variant"], sort=False)[list(names)].median().rename(columns=names)


def pruned(rows: pd.DataFrame) -> str:
    """Under the pruned students."""
    strong, weak = (rows[rows.strength == s].set_index("variant") for s in (rows.strength.max(), rows.strength.min()))
    left = strong.loc[[pruning.TUNED]].weights.median()
    none = strong.loc[[pruning.TUNED]].error.median()
    away = "the penalty has taken the function away with the weights, and the error on test inputs is"
    empty = f": {away} {none:.2g}" if left == 0 else ""
    middle = {v: weak.loc[[v]].median(numeric_only=True) for v in (pruning.TEACHER, pruning.FIXED, pruning.TUNED)}
    return (
        f"At strength {rows.strength.max():g} the tolerance search leaves "
        f"{left:.0f} weights{empty}. At "
        f"{rows.strength.min():g} it leaves {middle[pruning.TUNED].weights:.0f}, of a teacher with "
        f"{middle[pruning.TEACHER].weights:.0f}, with an error of {ten(middle[pruning.TUNED].error, 0)} on test "
        f"inputs; the study's fixed threshold leaves {middle[pruning.FIXED].weights:.0f} (medians)."
    )
