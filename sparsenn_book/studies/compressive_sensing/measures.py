"""Numbers that claims, figures and sentences take from tables; each counts independent draws."""

from __future__ import annotations

import numpy as np
import pandas as pd

from sparsenn_book.records.estimates import Estimate, mean_interval
from sparsenn_book.studies.compressive_sensing.differences import CELL, DRAW, EVERYWHERE, overall
from sparsenn_book.studies.compressive_sensing.methods import BASELINES, ORACLE

ROUNDING = 1e-9
PLACES = {"first": "ones in front", "spread": "ones spread", "fours": "ones and fours", "normal": "normal in front"}


def spoken(family: str) -> str:
    """A family of the variations as people say it: `first, rho = 0.7` as `ones in front, ρ = 0.7`."""
    places, _, rho = family.partition(", rho = ")
    return f"{PLACES.get(places, places)}, ρ = {rho}"


def strongest(rows: pd.DataFrame) -> tuple[str, Estimate]:
    """Of the four other methods the one that comes nearest to EGP or beats it most, and the mean log ratio of EGP's
    error and its: if this is below 0, EGP is better than each of them.
    """
    found = {other: overall(rows, "EGP", other, EVERYWHERE) for other in BASELINES}
    name = max(found, key=lambda other: found[other].value)
    return name, found[name]


def support_errors(estimates: pd.DataFrame, other: str) -> Estimate:
    """Support error of EGP minus that of another method, a mean over families and ratios; a draw counts once."""
    wide = estimates.pivot(index=CELL, columns="method", values="asre")
    return mean_interval((wide["EGP"] - wide[other]).groupby(level=DRAW).mean(), unit="coefficients")


def exact_supports(estimates: pd.DataFrame, snr: float) -> pd.DataFrame:
    """Whether each method chose exactly the true support at one ratio: one row a draw, one column a method; empty where
    the ratio was not run.
    """
    some = estimates[estimates["snr"] == snr]
    return some.assign(hit=(some["asre"] == 0).astype(float)).pivot(index=DRAW, columns="method", values="hit")


def misses(objectives: pd.DataFrame, method: str) -> pd.Series:
    """Of each draw, whether at some ratio and lambda0 the true support has a lower objective than all that the method
    proposed: its search has failed there.
    """
    wide = objectives.pivot(index=[*CELL, "lambda0_share"], columns="method", values="objective")
    # a hair of rounding is no better objective
    return (wide[ORACLE] < wide[method] * (1 - ROUNDING)).groupby(level=DRAW).any()


def undecided_gates(searches: pd.DataFrame) -> pd.Series:
    """Of each draw, gates of a column that end neither open nor closed, for every coefficient that is not zero."""
    nonzeros = searches["family"].str.extract(r"s = (\d+)$")[0].astype(float)
    return (searches["undecided_gates"] / nonzeros).groupby([searches[name] for name in DRAW]).mean()


def objective_ratios(objectives: pd.DataFrame, method: str, other: str) -> pd.Series:
    """Of each draw, the mean over lambda0 and ratios of ln(objective of `method` / of `other`)."""
    wide = objectives.pivot(index=[*CELL, "lambda0_share"], columns="method", values="objective")
    return np.log(wide[method] / wide[other]).groupby(level=DRAW).mean()


def excess_objectives(objectives: pd.DataFrame) -> pd.DataFrame:
    """Objective over the least that any method or the truth reaches on the regression at that lambda0, minus 1.

    Columns family, method, lambda0_share, value: means over regressions.
    """
    least = objectives.groupby([*CELL, "lambda0_share"])["objective"].transform("min")
    rows = objectives.assign(value=objectives["objective"] / least - 1)
    return rows.groupby(["family", "method", "lambda0_share"], sort=False)["value"].mean().reset_index()


def time_exponents(sizes: pd.DataFrame, method: str) -> pd.Series:
    """Of each draw, the slope of ln(seconds) against ln(p): 1 where time is proportional to p."""
    wide = sizes[sizes["method"] == method].pivot(index="repetition", columns="p", values="seconds")
    x = np.log(wide.columns.to_numpy(dtype=float))
    centred = x - x.mean()
    return np.log(wide) @ (centred / (centred @ centred))


def time_factors(sizes: pd.DataFrame) -> pd.Series:
    """Of each draw, EGP's seconds over those of the slowest other method, a geometric mean over p."""
    wide = sizes.pivot(index=["repetition", "p"], columns="method", values="seconds")
    return np.log(wide["EGP"] / wide[list(BASELINES)].max(axis=1)).groupby(level="repetition").mean()
