"""Summaries of the chapter's tables that claims, sentences and figures share."""

from __future__ import annotations

import numpy as np
import pandas as pd

from sparsenn_book.records.estimates import Estimate, mean_interval
from sparsenn_book.studies.sparse_layers.methods import DENSE

RANDOM = "random"
REGRESSIONS = ("linear", "nonlinear")
SPARSE_FORMS = ("masked", "CSR", "blocks", "removed channels", "2:4")


def errors_of(errors: pd.DataFrame, task: str, method: str, sparsity: float) -> pd.Series:
    """Test errors by run; of the dense networks whatever the sparsity."""
    rows = errors[(errors["task"] == task) & (errors["method"] == method)]
    if method != DENSE:
        rows = rows[np.isclose(rows["sparsity"], sparsity)]
    return rows.set_index("run")["error"].sort_index()


def log_ratios(errors: pd.DataFrame, task: str, above: str, below: str, sparsity: float) -> pd.Series:
    """ln(error of `above` / error of `below`), run by run on the same data; runs that diverged are left out."""
    first, second = (errors_of(errors, task, method, sparsity) for method in (above, below))
    ratios = np.log(first / second)
    return ratios[np.isfinite(ratios)]


def times_better(errors: pd.DataFrame, task: str, above: str, below: str, sparsity: float) -> Estimate | None:
    """How many times the error of `above` is that of `below`: geometric mean with its interval, None without runs."""
    ratios = log_ratios(errors, task, above, below, sparsity)
    if ratios.empty:
        return None
    return geometric_mean(ratios)


def geometric_mean(logarithms: pd.Series) -> Estimate:
    """How many times, from logarithms of ratios, with the interval of their mean."""
    found = mean_interval(logarithms)
    value, low, high = (float(np.exp(v)) for v in (found.value, found.low, found.high))
    return Estimate(value, low, high, found.count, "times", f"geometric mean, {found.method}")


def centre(errors: pd.DataFrame) -> pd.DataFrame:
    """Median and the range of the middle 80 % of runs: task, method, sparsity, low, middle, high."""
    finite = errors[np.isfinite(errors["error"])]
    found = finite.groupby(["task", "method", "sparsity"], sort=False)["error"].quantile([0.1, 0.5, 0.9]).unstack()
    return found.rename(columns={0.1: "low", 0.5: "middle", 0.9: "high"}).reset_index()


def best_method(errors: pd.DataFrame, task: str, sparsity: float) -> str:
    """The sparse method of least median error."""
    rows = centre(errors)
    rows = rows[(rows["task"] == task) & np.isclose(rows["sparsity"], sparsity) & (rows["method"] != DENSE)]
    return str(rows.loc[rows["middle"].idxmin(), "method"])


def speedups(speed: pd.DataFrame) -> pd.DataFrame:
    """The table of times with `times`: how many times faster than the dense layer."""
    return speed.assign(times=speed["dense"] / speed["seconds"])


def scored(counts: pd.DataFrame) -> pd.Series:
    """How many standard errors each mean of draws is from the exact expectation; that of the expectation itself where
    no draw left an input out.
    """
    poisson = np.sqrt(counts["expected"] / counts["draws"])
    return (counts["mean"] - counts["expected"]) / np.maximum(counts["error"], poisson)
