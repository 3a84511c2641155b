"""Claims on whether bounds follow the gap over the grid of small networks."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pandas as pd
from scipy.stats import kendalltau

from sparsenn_book.records.claims import Claim
from sparsenn_book.records.estimates import Estimate
from sparsenn_book.studies.bounds.correlation import AXES
from sparsenn_book.studies.bounds.selected import REFINED

HERE = "this book"
NETWORKS = 16  # that certificates are compared on; the least grid with two values an axis has more
FOLLOWS = 0.5  # Kendall's tau: three of four pairs in the same order
COUNT = "parameters over samples"


def of_correlation(grid: pd.DataFrame) -> list[Claim]:
    """Whether the corrected bound follows the gap, and whether the plain count of parameters does so better."""
    wide = grid.pivot_table(index=list(AXES), columns="bound", values="log10")
    gaps = grid.drop_duplicates(list(AXES)).set_index(list(AXES))["gap"].loc[wide.index]
    norms = wide.drop(columns=COUNT)
    best = max(norms, key=lambda bound: _tau(norms[bound], gaps))
    lead = jackknife(lambda rows: _tau(wide[COUNT][rows], gaps[rows]) - _tau(wide[best][rows], gaps[rows]), len(gaps))
    return [
        Claim(
            "bounds.follows-refined",
            "The corrected bound puts three of four pairs of networks into the order of their gaps (Kendall's tau at "
            "least 0.5).",
            HERE,
            None,
            jackknife(lambda rows: _tau(wide[REFINED][rows], gaps[rows]), len(gaps)),
            ours=(FOLLOWS, 1.0),
            enough=NETWORKS,
        ),
        Claim(
            "bounds.counting-wins",
            "No bound follows the gap better than the number of parameters over samples does (its tau less the best "
            "other's).",
            HERE,
            None,
            lead,
            ours=(0.0, 2.0),
            enough=NETWORKS,
        ),
    ]


def jackknife(statistic: Callable[[np.ndarray], float], count: int) -> Estimate:
    """A statistic of networks, with the interval of 1.96 standard errors that leaving out each in turn gives (Efron,
    Tibshirani 1993, chapter 11). `statistic` takes a mask [count].
    """
    everyone = np.ones(count, dtype=bool)
    value = statistic(everyone)
    left = np.array([statistic(np.arange(count) != place) for place in range(count)])
    half = 1.96 * math.sqrt((count - 1) / count * float(((left - left.mean()) ** 2).sum()))
    return Estimate(value, value - half, value + half, count, "", "jackknife over networks, 95%")


def _tau(one: pd.Series, other: pd.Series) -> float:
    return float(kendalltau(one, other).statistic)
