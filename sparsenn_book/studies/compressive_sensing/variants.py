"""What EGP's parts are worth: EGP against itself with something left out or changed."""

from __future__ import annotations

import pandas as pd

from sparsenn_book.studies.compressive_sensing.comparison import STUDY, VARIANTS
from sparsenn_book.studies.compressive_sensing.differences import REGIONS, overall

ALL_VARIANTS = (*VARIANTS, STUDY, "EGP, ridge")


def by_variant(estimates: pd.DataFrame) -> pd.DataFrame:
    """EGP against each of its variants below and above a ratio of 1: columns variant, region, value, low, high, count.

    The value is the mean log ratio of the errors, below 0 where EGP as it is used here is better.
    """
    rows = []
    for region, ends in REGIONS.items():
        if not estimates["snr"].between(*ends).any():
            continue
        for variant in ALL_VARIANTS:
            found = overall(estimates, "EGP", variant, ends)
            interval = {"value": found.value, "low": found.low, "high": found.high, "count": found.count}
            rows.append({"variant": variant, "region": region, **interval})
    return pd.DataFrame(rows)
