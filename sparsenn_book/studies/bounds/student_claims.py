"""Claims on bounds of the L1 chapter's students."""

from __future__ import annotations

import math

import pandas as pd

from sparsenn_book.records.claims import Claim
from sparsenn_book.records.estimates import mean_interval, wilson
from sparsenn_book.studies.bounds.selected import REFINED
from sparsenn_book.studies.bounds.students import pairs

HERE = "this book"
SEEDS = 6  # whose draws are independent; fewer give a rate no lower end above one half
NO_SMALLER = 0.9  # a bound that followed the root of the number of weights left, a half and less, would be 0.7 or less


def of_students(found: pd.DataFrame) -> list[Claim]:
    """What L1 does to the bound, and whether it is its zeros that do it. Seeds are counted, not pairs."""
    free, decayed = pairs(found, REFINED, "l1", "none"), pairs(found, REFINED, "l1", "l2")
    smaller = (free["log10"] < free["other"]).groupby(free["seed"]).all()
    factors = (10 ** (decayed["log10"] - decayed["other"])).groupby(decayed["seed"]).mean()
    return [
        Claim(
            "bounds.students-l1",
            "Of students from one start that fit, the one trained with L1 has a smaller corrected bound than the one "
            "without penalty (share of seeds).",
            HERE,
            None,
            wilson(int(smaller.sum()), len(smaller)) if len(smaller) else None,
            ours=(0.5, 1.0),
            enough=SEEDS,
        ),
        Claim(
            "bounds.students-zeros",
            "It is small weights, not few: with L1 the corrected bound is no smaller than with L2, which keeps more "
            "weights (factor, at least 0.9).",
            HERE,
            None,
            mean_interval(factors) if len(factors) else None,
            ours=(NO_SMALLER, math.inf),
            enough=SEEDS,
        ),
    ]
