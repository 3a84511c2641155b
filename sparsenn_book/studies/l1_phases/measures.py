"""What figures, sentences and claims read off the tables: cells of a diagram, spans of strengths, shares."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from sparsenn_book.records.estimates import Estimate, wilson

DIAGRAMS = ("strength x scale", "strength x samples", "samples x channels")
OUTCOMES = ("recovered", "fitted", "partial", "collapsed", "dead", "diverged")
FIXED = {"strength": 3e-2, "scale": 1.0, "samples": 1000, "channels": 4}
"""What the axes of a diagram leave fixed, as `phases` has it."""


def cells(phases: pd.DataFrame, diagram: str, activation: str) -> pd.DataFrame:
    """One row for each cell: its place, runs, how many found the support, their share with interval, outcomes."""
    x, y = diagram.split(" x ")
    rows = phases[(phases["diagram"] == diagram) & (phases["activation"] == activation)]
    found = []
    for (a, b), cell in rows.groupby([x, y]):
        share, counts = wilson(int(cell["exact"].sum()), len(cell)), cell["outcome"].value_counts()
        said = ", ".join(f"{counts[name]} {name}" for name in OUTCOMES if name in counts)
        found.append((a, b, len(cell), int(cell["exact"].sum()), share.value, share.low, share.high, said))
    return pd.DataFrame(found, columns=[x, y, "runs", "found", "share", "low", "high", "outcomes"])


def at(phases: pd.DataFrame, diagram: str, activation: str, **place: float) -> Estimate | None:
    """The share of runs that found the support in one cell; None where there is no such cell."""
    rows = phases[(phases["diagram"] == diagram) & (phases["activation"] == activation)]
    for name, value in place.items():
        rows = rows[np.isclose(rows[name], value)]
    return wilson(int(rows["exact"].sum()), len(rows)) if len(rows) else None


def along(paths: pd.DataFrame, student: str, activation: str, direction: str = "up") -> pd.DataFrame:
    """The points of a student's paths, by draw and strength."""
    rows = paths[
        (paths["student"] == student) & (paths["activation"] == activation) & (paths["direction"] == direction)
    ]
    return rows.sort_values(["draw", "strength"])


def exact_decades(path: pd.DataFrame) -> tuple[float, float, float]:
    """Of one path the longest row of neighbouring strengths with exactly the teacher's support: powers of ten it spans,
    first and last strength; zeros where there is none.
    """
    best = (0.0, 0.0, 0.0)
    group = (path["exact"] != path["exact"].shift()).cumsum()
    for _, row in path[path["exact"]].groupby(group[path["exact"]]):
        low, high = float(row["strength"].iloc[0]), float(row["strength"].iloc[-1])
        best = max(best, (math.log10(high / low), low, high))
    return best


def spans(paths: pd.DataFrame, student: str, activation: str) -> list[tuple[float, float, float]]:
    """`exact_decades` of every draw's path."""
    rows = along(paths, student, activation)
    return [exact_decades(path) for _, path in rows.groupby("draw")]


def last_alive(path: pd.DataFrame) -> pd.Series | None:
    """The point with the largest strength at which a weight is left."""
    alive = path[path["nonzero"] > 0]
    return None if alive.empty else alive.loc[alive["strength"].idxmax()]


def violated(certificates: pd.DataFrame, *, most: bool = True, **case: object) -> Estimate | None:
    """The share of draws in which L1 cannot keep the support: a slope above 1, or a weight of it dropped.

    At the weakest strength and, with `most`, the largest number of samples. Draws whose optimum on the support was not
    reached decide nothing and are left out.
    """
    rows = of_case(certificates, most=most, **case)
    rows = rows[rows["reached"]]
    return wilson(int((~rows["holds"]).sum()), len(rows)) if len(rows) else None


def of_case(certificates: pd.DataFrame, *, most: bool = True, **case: object) -> pd.DataFrame:
    """The certificates of a teacher, student and activation, at the weakest strength."""
    rows = certificates
    for name, value in case.items():
        rows = rows[rows[name] == value]
    if rows.empty:
        return rows
    rows = rows[rows["strength"] == rows["strength"].min()]
    return rows[rows["samples"] == rows["samples"].max()] if most else rows


def times_worse(sparsifiers: pd.DataFrame, way: str, other: str) -> pd.Series:
    """The fresh error of `way` over that of `other`, run by run: same start, data and order."""
    errors = sparsifiers.pivot(index="run", columns="way", values="mse")
    return (errors[way] / errors[other]).dropna()
