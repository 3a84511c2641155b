"""Claims on exact against sampled gradients, computed from the runs of `descents`."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from sparsenn_book.records.claims import Claim, Interval
from sparsenn_book.records.estimates import Estimate, mean_interval, median_interval, wilson
from sparsenn_book.studies.compressive_sensing.differences import percent
from sparsenn_book.studies.compressive_sensing.estimators import REFITTING
from sparsenn_book.studies.compressive_sensing.recorded import (
    FASTER,
    LARGE,
    OPTIMA,
    SMALL,
    STUDY,
    RecordedProblem,
    loss_on_one_scale,
    recorded_speedup,
)
from sparsenn_book.studies.compressive_sensing.speedups import EARLY, early_gaps, finals, speedups

DRASTIC: Interval = (recorded_speedup(SMALL, "EGP, descent"), math.inf)
"""By a sixth or more: the least of the factors of epochs that the study recorded for the first problem."""
TIE = 1e-6  # an exact tie is neither lower nor higher
LOWER: Interval = (-math.inf, -TIE)
HIGHER: Interval = (TIE, math.inf)
ENOUGH = 10  # draws


def about_gradients(descents: pd.DataFrame, ends: pd.DataFrame) -> list[Claim]:
    """How fast, how low, and to what kind of point; and whether exactness is what makes it fast.

    On the study's first problem, and the speed on its second as well, where they were run.
    """
    small, large = (descents[descents["family"] == problem.family] for problem in (SMALL, LARGE))
    flips = ends.loc[(ends["family"] == SMALL.family) & (ends["method"] == "EGP"), "improving_flips"]
    return [
        _speed("cs.gradient-steps", "by plain descent like the others", "EGP, descent", SMALL, small),
        _speed("cs.gradient-adam", "by Adam", "EGP", SMALL, small),
        _speed("cs.gradient-large", "by plain descent like the others", "EGP, descent", LARGE, large),
        Claim(
            key="cs.gradient-end",
            statement="EGP, by plain descent, ends at a lower objective than the best of the four sampled gradients.",
            source=f"{STUDY}: tables in the notebooks of the Monte Carlo comparison",
            recorded=_recorded_losses(), measured=_above(small, "EGP, descent", list(REFITTING)),
            said=LOWER, enough=ENOUGH,
        ),
        Claim(
            key="cs.local-optimum",
            statement="EGP mostly ends at a support that no single gate, opened or closed and refitted, improves.",
            source=OPTIMA, measured=wilson(int((flips == 0).sum()), len(flips)) if len(flips) else None,
            said=(0.5, 1.0), enough=ENOUGH,
        ),
        Claim(
            key="cs.gradient-sampled",
            statement=f"On {SMALL.family}, after {EARLY} steps, sampled gates are as good as exact ones if weights "
            "move with them: straight-through is at most the price of one coefficient above EGP, both with Adam "
            "(median).",
            source="this book", measured=_early(small, "straight-through", "EGP"),
            ours=(-math.inf, 1.0), enough=ENOUGH,
        ),
        Claim(
            key="cs.gradient-baseline",
            statement="REINFORCE on weights and gates ends above EGP, both with Adam.",
            source="this book", measured=_above(small, "REINFORCE with weights", ["EGP"]),
            ours=HIGHER, enough=ENOUGH,
        ),
    ]  # fmt: skip


def _speed(key: str, spoken: str, method: str, problem: RecordedProblem, descents: pd.DataFrame) -> Claim:
    epochs = {row.method: row.epochs for row in problem.rows}
    factors = speedups(descents)[method] if len(descents) else None
    return Claim(
        key=key,
        statement=f"On {problem.family} EGP, {spoken}, gets to the objective with which the best of four sampled "
        "gradients ends (to within the price of one coefficient) in at most a sixth of its steps.",
        source=FASTER, recorded=f"{epochs[method]:,} epochs against {epochs['UGC']:,}, read off a curve",
        measured=None if factors is None else median_interval(factors, unit="times fewer steps"),
        said=DRASTIC, enough=ENOUGH, headline=key == "cs.gradient-steps",
    )  # fmt: skip


def _recorded_losses() -> str:
    egp, ugc = loss_on_one_scale(SMALL, "EGP, descent"), loss_on_one_scale(SMALL, "UGC")
    printed = next(row.loss for row in SMALL.rows if row.method == "EGP, descent")
    return f"{printed:g} against {ugc:g}, which on one scale is {egp:g} against {ugc:g}"


def _above(descents: pd.DataFrame, method: str, others: list[str]) -> Estimate | None:
    """By how many percent a method ends above the best of others on the same draw; None without draws."""
    if descents.empty:
        return None
    last = finals(descents)
    return percent(mean_interval(np.log(last[method] / last[others].min(axis=1))))


def _early(descents: pd.DataFrame, method: str, other: str) -> Estimate | None:
    gaps = early_gaps(descents, method, other)
    return None if gaps.empty else median_interval(gaps, unit="prices of a coefficient")
