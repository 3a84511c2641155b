"""Paired differences: two methods on the same draw, so that the luck of the draw cancels."""

from __future__ import annotations

import numpy as np
import pandas as pd

from sparsenn_book.records import Estimate, mean_interval, median_interval
from sparsenn_core.errors import unknown

CELL = ["setting", "snr", "repetition"]


def log_ratios(estimates: pd.DataFrame, method: str, other: str) -> pd.DataFrame:
    """ln(error of `method` / error of `other`) on each problem, with error the relative test error.

    Columns setting, snr, repetition, log_ratio; below 0 where `method` is better.
    """
    wide = estimates.pivot(index=CELL, columns="method", values="rte")
    for name in (method, other):
        if name not in wide:
            raise unknown("method", name, wide.columns, where="log_ratios")
    ratios = np.log(wide[method] / wide[other]).rename("log_ratio").reset_index()
    # settings in the order of the rows, which the pivot has sorted by name
    order = {setting: i for i, setting in enumerate(estimates["setting"].unique())}
    return ratios.sort_values("setting", key=lambda names: names.map(order), kind="stable", ignore_index=True)


def by_cell(estimates: pd.DataFrame, method: str, others: list[str]) -> pd.DataFrame:
    """Median of the log ratio in each setting and at each snr, with its interval at 95 %.

    Columns setting, snr, other, value, low, high, count, and verdict: "better" where the interval is below 0, "worse"
    where it is above, "same" where all draws tie, and "open".
    """
    rows = []
    for other in others:
        for (setting, snr), some in log_ratios(estimates, method, other).groupby(["setting", "snr"], sort=False):
            found = median_interval(some["log_ratio"])
            rows.append(
                {
                    "setting": setting, "snr": snr, "other": other, "value": found.value, "low": found.low,
                    "high": found.high, "count": found.count, "verdict": _verdict(found),
                }
            )  # fmt: skip
    return pd.DataFrame(rows)


def overall(estimates: pd.DataFrame, method: str, other: str, snrs: tuple[float, float]) -> Estimate:
    """Mean log ratio over settings and all snr in the closed interval `snrs`.

    Draws at different snr share design and noise, so each setting and repetition counts once, with its mean over snr.
    """
    ratios = log_ratios(estimates, method, other)
    inside = ratios[ratios["snr"].between(*snrs)]
    units = inside.groupby(["setting", "repetition"])["log_ratio"].mean()
    return mean_interval(units, unit="ln of ratio of relative test errors")


def _verdict(found: Estimate) -> str:
    if found.low == found.high == 0:
        return "same"
    if found.high < 0:
        return "better"
    return "worse" if found.low > 0 else "open"
