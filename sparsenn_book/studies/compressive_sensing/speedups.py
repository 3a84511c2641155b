"""How many steps a gradient needs to the objective at which the best of the study's four sampled ones ends."""

from __future__ import annotations

import pandas as pd

from sparsenn_book.studies.compressive_sensing.differences import DRAW
from sparsenn_book.studies.compressive_sensing.estimators import REFITTING

ROUNDING = 1e-9
EARLY = 100  # steps


def settled(descents: pd.DataFrame, targets: pd.Series, column: str = "step") -> pd.DataFrame:
    """From which step (or other `column`) on the objective of each method stays within the price of one coefficient,
    lambda / n, of the target of its draw.

    `targets` are indexed by family and repetition. One row a draw and one column a method; NaN where never.
    """
    moved = descents[descents["step"] > 0]
    rows = moved.join(targets.rename("target"), on=DRAW).sort_values([*DRAW, "method", "step"])
    above = rows["objective"] > (rows["target"] + rows["price"]) * (1 + ROUNDING)
    # a row counts if neither it nor any later one is above the target
    later = above[::-1].groupby([rows[name][::-1] for name in (*DRAW, "method")]).cummax()[::-1]
    first = rows[~later].groupby([*DRAW, "method"])[column].min().unstack("method")
    return first.reindex(index=targets.index, columns=list(dict.fromkeys(descents["method"])))


def finals(descents: pd.DataFrame) -> pd.DataFrame:
    """The objective that each method ends with; one row a draw and one column a method."""
    last = descents.sort_values("step").groupby([*DRAW, "method"])["objective"].last()
    return last.unstack("method")


def speedups(descents: pd.DataFrame, column: str = "step") -> pd.DataFrame:
    """How many times fewer steps (or seconds) each method needs than the best of the study's four, to where that ends.

    The best of the four is, on each draw, the one that ends lowest; its own steps count only up to where it settles.
    Where it ends means to within the price of one coefficient, lambda / n, for all alike. 0 for a method that never
    comes there and stays.
    """
    four = finals(descents)[list(REFITTING)]
    best, targets = four.idxmin(axis=1), four.min(axis=1)
    steps = settled(descents, targets, column)
    own = pd.Series([steps.loc[draw, name] for draw, name in best.items()], index=best.index)
    return (1 / steps).mul(own, axis=0).fillna(0.0)


def early_gaps(descents: pd.DataFrame, method: str, other: str) -> pd.Series:
    """Of each draw, how far a method's objective is above another's after 100 steps, in prices of a coefficient."""
    early = descents[descents["step"] == EARLY]
    wide = early.pivot(index=DRAW, columns="method", values="objective")
    if early.empty:
        return pd.Series(dtype=float)
    return (wide[method] - wide[other]) / early.groupby(DRAW)["price"].first()
