"""Small parts of sentences."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from sparsenn_book.records.words import number

Tables = Mapping[str, pd.DataFrame]


def marked(text: str, profile: str) -> str:
    """A sentence as this run may say it: at the profile smoke with a warning before it."""
    return f"*(smoke: not evidence)* {text}" if profile == "smoke" else text


def finding(holds: bool, statement: str, question: str) -> str:
    """A finding in bold, if the numbers bear it out; else the question that they leave."""
    return f"**{statement}**" if holds else f"**{question}**"


def of(flags: pd.Series) -> str:
    """`17 of 20`."""
    return f"{int(flags.sum())} of {len(flags)}"


def percent(value: float, digits: int = 1) -> str:
    """A share as `0.4 %`; as many digits as are needed to show one that is not 0, or `less than 10⁻⁶ %`."""
    if 0 < abs(value) < 1e-8:
        return "less than 10⁻⁶ %"
    while value and abs(100 * value) < 10.0**-digits:
        digits += 1
    return f"{100 * value:.{digits}f} %"


def largest(tables: Tables, rule: str) -> pd.Series:
    """Which runs of a rule rebound in float64 from its largest displacement."""
    own = tables["map"][(tables["map"].rule == rule) & (tables["map"].precision == "float64")]
    return own.rebounded[own.perturbation == own.perturbation.max()]


def standing(ledger: pd.DataFrame, precision: str) -> float:
    """Mean share of parameters that stand still at the end."""
    return float(ledger.value[(ledger.precision == precision) & (ledger.epoch == ledger.epoch.max())].mean())


def bounds(rows: pd.DataFrame) -> str:
    """Where the squared distance up to symmetry of some students lies, medians of its bounds."""
    least, most = rows.quotient_lower.median(), number(round(rows["quotient"].median(), 1))
    if np.isnan(least):
        return f"at most {most} (median of an upper bound)"
    return f"between {number(round(least, 2))} and {most} (medians of a lower and of an upper bound)"
