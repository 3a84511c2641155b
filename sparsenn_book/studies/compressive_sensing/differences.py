"""Paired differences: two methods on the same draw, so that the luck of the draw cancels.

A draw is a family and a repetition. It is shown at every signal-to-noise ratio with one design and one noise, so the
ratios of a draw are no independent runs: wherever several are pooled, a draw counts once, with its mean over them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd

from sparsenn_book.records.estimates import Estimate, mean_interval, median_interval
from sparsenn_core.errors import unknown

DRAW = ["family", "repetition"]
CELL = ["family", "snr", "repetition"]
REGIONS = {"below 1": (0.0, 1.0), "above 1": (1.0, math.inf)}
"""Signal-to-noise ratios below and above 1."""
EVERYWHERE = (0.0, math.inf)
PERCENT = "%"


def log_ratios(estimates: pd.DataFrame, method: str, other: str, column: str = "rte") -> pd.DataFrame:
    """ln(error of `method` / error of `other`) on each regression; the error is the relative test error, or `column`.

    Columns family, snr, repetition, log_ratio; below 0 where `method` is better.
    """
    pair = estimates[estimates["method"].isin((method, other))]
    wide = pair.pivot(index=CELL, columns="method", values=column)
    for name in (method, other):
        if name not in wide:
            raise unknown("method", name, estimates["method"].unique(), where="log_ratios")
    ratios = np.log(wide[method] / wide[other]).rename("log_ratio").reset_index()
    # families in the order of the rows, which the pivot has sorted by name
    order = {family: i for i, family in enumerate(estimates["family"].unique())}
    return ratios.sort_values("family", key=lambda names: names.map(order), kind="stable", ignore_index=True)


def by_cell(estimates: pd.DataFrame, method: str, others: Sequence[str]) -> pd.DataFrame:
    """Median of the log ratio in each family and at each snr, with its interval at 95 %.

    Columns family, snr, other, value, low, high, count, and verdict: "better" where the interval is below 0, "worse"
    where it is above, "same" where all draws tie, and "open".
    """
    rows = []
    for other in others:
        for (family, snr), some in log_ratios(estimates, method, other).groupby(["family", "snr"], sort=False):
            found = median_interval(some["log_ratio"])
            rows.append(
                {
                    "family": family, "snr": snr, "other": other, "value": found.value, "low": found.low,
                    "high": found.high, "count": found.count, "verdict": _verdict(found),
                }
            )  # fmt: skip
    return pd.DataFrame(rows)


def overall(estimates: pd.DataFrame, method: str, other: str, snrs: tuple[float, float]) -> Estimate:
    """Mean log ratio over families and all snr in the closed interval `snrs`; each draw counts once."""
    ratios = log_ratios(estimates, method, other)
    inside = ratios[ratios["snr"].between(*snrs)]
    return mean_interval(inside.groupby(DRAW)["log_ratio"].mean(), unit="ln of ratio")


def percent(found: Estimate) -> Estimate:
    """A mean log ratio as the change in percent that it stands for: ln 0.9 as -10 %."""
    value, low, high = (100 * math.expm1(end) for end in (found.value, found.low, found.high))
    return Estimate(value, low, high, found.count, PERCENT, f"geometric mean, {found.method}")


def _verdict(found: Estimate) -> str:
    if found.low == found.high == 0:
        return "same"
    if found.high < 0:
        return "better"
    return "worse" if found.low > 0 else "open"
