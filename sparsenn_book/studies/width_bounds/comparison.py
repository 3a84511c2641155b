"""Recorded counts of neurons against certified ones, setting by setting.

The study's problems have no seed, so only distributions compare: means, by Welch's interval. Counts above r_Phi r_Psi
are failures of the study's solver; they are counted apart and enter no mean.
"""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from scipy.special import ndtri, stdtrit

from sparsenn_book.records.estimates import Estimate
from sparsenn_book.studies.width_bounds.recorded import bar

COLUMN = {"dimension": "samples", "rank": "rank"}
"""What tells the settings of a figure apart."""
WELCH = "difference of means, Welch, 95%"


def compared(figure: str, certified: pd.DataFrame, solves: pd.DataFrame) -> pd.DataFrame:
    """One row a setting of the study's `figure` that has both: counts, `excess` = recorded - certified mean count with
    its interval and standard error, the same for objectives (`cost`), bounds, and recorded failures.
    """
    column = COLUMN[figure]
    certified, solves = certified[certified["version"] == "coded"], solves[solves["figure"] == figure]
    settings = [value for value in certified[column].unique() if (solves[column] == value).any()]
    rows = [_row(figure, int(v), certified[certified[column] == v], solves[solves[column] == v]) for v in settings]
    return pd.DataFrame(rows)


def _row(figure: str, setting: int, certified: pd.DataFrame, solves: pd.DataFrame) -> dict[str, object]:
    worked = solves[~solves["failed"]]
    row: dict[str, object] = {"figure": figure, "setting": setting, "bar": bar(figure, setting)}
    row |= {"count": len(worked) + len(certified), "failed": int(solves["failed"].sum())}
    row |= {"recorded": spread(worked["active"]), "certified": spread(certified["width"])}
    row |= {"mean": certified["width"].mean(), "objective": certified["objective"].mean()}
    row |= {name: int(certified[name].iloc[0]) for name in ("sharp", "product")}
    row["above"] = int((solves["active"] > row["sharp"]).sum())
    for name, first, second in (
        ("excess", worked["active"], certified["width"]),
        ("cost", worked["objective"], certified["objective"]),
    ):
        value, low, high, error = difference(first, second)
        row |= {name: value, f"{name}_low": low, f"{name}_high": high, f"{name}_error": error}
    return row


def difference(first: pd.Series, second: pd.Series) -> tuple[float, float, float, float]:
    """Mean of `first` less mean of `second`, Welch's 95 % interval, and the standard error."""
    parts = [values.var() / len(values) for values in (first, second)]
    error = math.sqrt(sum(parts))
    freedom = error**4 / sum(p**2 / (len(v) - 1) for p, v in zip(parts, (first, second), strict=True)) if error else 1.0
    half = float(stdtrit(freedom, 0.975)) * error
    value = float(first.mean() - second.mean())
    return value, value - half, value + half, error


def excess(compared: pd.DataFrame, setting: int) -> Estimate | None:
    """Recorded less certified mean count at one setting; None where this run leaves the setting out."""
    for _, row in compared.iterrows():
        if row["setting"] == setting:
            count = int(row["count"])
            return Estimate(row["excess"], row["excess_low"], row["excess_high"], count, "neurons", WELCH)
    return None


def mean_excess(*compared: pd.DataFrame) -> Estimate | None:
    """The mean of the excesses over all settings, each with the same weight; normal interval."""
    rows = pd.concat(compared)
    if rows.empty:
        return None
    value = float(rows["excess"].mean())
    half = float(ndtri(0.975)) * float(np.sqrt((rows["excess_error"] ** 2).sum())) / len(rows)
    method = f"mean over {len(rows)} settings, normal, 95%"
    return Estimate(value, value - half, value + half, int(rows["count"].sum()), "neurons", method)


def verdicts(rows: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
    """For each row of `compared`: whether the excess is within a bar of the histogram, and whether beyond it."""
    within = (rows["excess_low"] >= -rows["bar"]) & (rows["excess_high"] <= rows["bar"])
    return within, rows["excess_low"] > rows["bar"]


def spread(values: pd.Series) -> str:
    """Mean ± standard deviation (least-largest)."""
    return f"{values.mean():.2f} ± {values.std():.2f} ({values.min():g}–{values.max():g})"
