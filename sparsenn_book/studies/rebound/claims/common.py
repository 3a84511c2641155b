"""What the claims of the chapter share.

Thresholds, each fixed before the draws that test it (pilot runs had other seeds):

MOST      a mean over runs shows what a single run does only if more than half of the runs do it
FEW       what twenty runs without a case can show: their 95 % interval ends at 0.16
MORE      beyond what FEW allows
RARE      the same for a hundred runs and more, whose interval ends at 0.04
CHANCE    in standard errors: exceeded at any of 500 epochs by one published mean in twenty at most (Bonferroni)
"""

from __future__ import annotations

from collections.abc import Mapping
from statistics import NormalDist

import numpy as np
import pandas as pd

from sparsenn_book.records.claims import Claim
from sparsenn_book.records.estimates import Estimate, wilson

Tables = Mapping[str, pd.DataFrame]
Interval = tuple[float, float]

STUDY = "Barth and von Petersenn, arXiv 2509.15060, abstract"
BOOK = "this book"
MOST: Interval = (0.5, 1.0)
FEW: Interval = (0.0, 0.2)
MORE: Interval = (0.2, 1.0)
RARE: Interval = (0.0, 0.05)
CHANCE = NormalDist().inv_cdf(1 - 0.025 / 500)
RUNS = 20
"""Fewer runs of an experiment than the study's are no evidence."""
COUNTED = 100
"""Runs where they are counted."""
TEACHERS = 10
"""Teachers whose curvature is taken; it hardly differs between them."""


def share(flags: pd.Series) -> Estimate:
    """The rate of a flag among independent runs."""
    return wilson(int(flags.sum()), len(flags))


def largest(values: pd.Series | np.ndarray) -> Estimate:
    """The largest of some runs' values, as it is: a statement about every one of these runs."""
    return known(max(values), len(values), "largest of the runs")


def known(value: float, count: int, method: str) -> Estimate:
    """A number that has no interval of its own: what it is compared with says how far it may scatter."""
    return Estimate(value, value, value, count, "", method)


def new(
    key: str,
    statement: str,
    measured: Estimate | None,
    ours: Interval,
    enough: int,
    *,
    headline: bool = False,
    check: bool = False,
) -> Claim:
    """A claim that this book states, before the draws that test it; nobody is quoted."""
    return Claim(f"rebound.{key}", statement, BOOK, None, measured, None, ours, enough, headline, check, prior=True)


def cell(tables: Tables, rule: str, precision: str, *, largest: bool = False) -> pd.Series:
    """Which runs of a rule and precision rebound, from its least or largest displacement: one flag a run."""
    own = tables["map"][(tables["map"].rule == rule) & (tables["map"].precision == precision)]
    size = own.perturbation.max() if largest else own.perturbation.min()
    return own.rebounded[own.perturbation == size]


def near_share(rows: pd.DataFrame) -> Estimate:
    """Share of students of which it is not proved that they are further from their teacher, up to symmetry, than a
    tenth of its norm; from the lower bound.
    """
    return share(rows.quotient_lower <= 0.01 * rows.teacher)
