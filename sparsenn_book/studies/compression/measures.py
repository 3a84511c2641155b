"""Summaries of the chapter's tables that claims, sentences and figures share."""

from __future__ import annotations

import numpy as np
import pandas as pd

from sparsenn_book.records.estimates import Estimate, mean_interval

LAST = "fc3"
"""The last layer of every network that is trained here."""


def values(ways: pd.DataFrame, column: str, task: str, layer: str, share: float, method: str, refit: bool) -> pd.Series:
    """One column by run, of one way at one share of the neurons; empty where it was not computed."""
    rows = ways[(ways["task"] == task) & (ways["layer"] == layer) & (ways["method"] == method)]
    rows = rows[np.isclose(rows["share"], share) & (rows["refit"] == refit)]
    return rows.set_index("run")[column].sort_index()


def centre(rows: pd.DataFrame, keys: list[str], column: str) -> pd.DataFrame:
    """Median and the range of the middle 80 % of runs: the keys, low, middle, high."""
    found = rows.groupby(keys, sort=False)[column].quantile([0.1, 0.5, 0.9]).unstack()
    return found.rename(columns={0.1: "low", 0.5: "middle", 0.9: "high"}).reset_index()


def times(above: pd.Series, below: pd.Series) -> Estimate | None:
    """How many times `above` is `below`, run by run: geometric mean with its interval; None without runs."""
    logarithms = np.log(above / below).dropna()
    if logarithms.empty:
        return None
    found = mean_interval(logarithms)
    value, low, high = (float(np.exp(v)) for v in (found.value, found.low, found.high))
    return Estimate(value, low, high, found.count, "times", f"geometric mean, {found.method}")


def difference(first: pd.Series, second: pd.Series, unit: str) -> Estimate | None:
    """The mean of `first` minus `second`, run by run; None without runs."""
    gap = (first - second).dropna()
    return None if gap.empty else mean_interval(gap, unit=unit)


def medians(ways: pd.DataFrame, column: str, task: str, layer: str, share: float, refit: bool) -> pd.Series:
    """The median over runs of every method, the least first."""
    rows = ways[(ways["task"] == task) & (ways["layer"] == layer) & np.isclose(ways["share"], share)]
    return rows[rows["refit"] == refit].groupby("method")[column].median().sort_values()


def nearest(shares: pd.Series, wanted: float) -> float:
    """The share that was compared and is nearest to the one wanted."""
    return float(min(shares.unique(), key=lambda share: abs(share - wanted)))


def above_optimum(descents: pd.DataFrame, strength: float, iteration: int) -> pd.Series:
    """The study's objective in certified optima, by run, at an iteration."""
    rows = descents[np.isclose(descents["strength"], strength) & (descents["iteration"] == iteration)].set_index("run")
    return rows["objective"] / rows["optimum"]


def ratios(sizes: pd.DataFrame, what: str) -> pd.Series:
    """After as a share of before, one number for each network."""
    rows = sizes[sizes["what"] == what]
    return rows["after"] / rows["before"]
