"""What the chapter teaches, in a few sentences computed from its tables; Markdown."""

from __future__ import annotations

import pandas as pd

from sparsenn_book.records.estimates import wilson
from sparsenn_book.records.evidence import TOO_SMALL, FullScale, Tables, evidence
from sparsenn_book.records.words import listed, ten
from sparsenn_book.studies.l1_phases import measures
from sparsenn_book.studies.l1_phases.certificates import CONNECTED
from sparsenn_book.studies.l1_phases.sentences import share
from sparsenn_book.studies.l1_phases.students import MULTI

HALF, WIDE = 0.5, 3.0
"""Of the draws; powers of ten over which a strength need not be known well."""
NEEDED = ("certificates", "paths", "phases", "sparsifiers")


def told(full: FullScale, here: Tables, profile: str) -> tuple[Tables, str] | None:
    """The tables to tell findings from, and where they hold; None where this run is no evidence."""
    return evidence(full, here, profile, NEEDED)


def learned(source: tuple[Tables, str] | None) -> str:
    """What we learned, a list; the last entry is for practice."""
    if source is None:
        return TOO_SMALL
    tables, where = source
    entries = [
        *_of_certificates(tables),
        *_of_paths(tables),
        *_of_phases(tables),
        *_of_ways(tables),
        "**Take to your own training.** Choose the strength for the support and refit without it: the error that the "
        "penalty adds goes, the zeros stay. Ask `recovery.support_certificate` before you ask why L1 misses a support, "
        "and climb a path from weak penalties to strong ones: units that have died do not come back on the way down.",
    ]
    return "\n".join([f"Measured {where}; intervals are of 95 %.\n", *(f"- {entry}" for entry in entries)])


def answer(source: tuple[Tables, str] | None) -> str:
    """The question's answer, and what stays open."""
    open_ends = (
        "Open: whether the minimum followed is the least (certificates are of stationarity alone); teachers drawn at "
        "random; noise in the targets; hard-concrete gates and schedules whose strength falls; widths beyond these."
    )
    if source is None:
        return open_ends
    tables, where = source
    parts = [*_of_certificates(tables), *_of_paths(tables), *_of_phases(tables)]
    plain = " ".join(part.replace("**", "") for part in parts)
    return f"Measured {where}. {plain}\n\n{open_ends}"


def _of_certificates(tables: Tables) -> list[str]:
    rows = tables["certificates"]
    found = measures.violated(rows, teacher="baseline", student=CONNECTED, activation="tanh")
    if found is None:
        return []
    case = measures.of_case(rows, teacher="baseline", student=CONNECTED, activation="tanh")
    others = []
    for activation in ("relu", "sigmoid"):
        other = measures.violated(rows, teacher="baseline", student=CONNECTED, activation=activation)
        if other is not None:
            others.append(f"with {activation} {share(other)}")
    never = found.low > HALF
    head = "With full connections L1 cannot keep this teacher" if never else "Whether L1 can keep this teacher is open"
    ratio = case["largest"].median()
    end = " However long one trains, no minimum near the teacher has its support." if never else ""
    return [
        f"**{head}**: in {share(found)} draws with tanh the slope on a weight that should stay zero exceeds the "
        f"strength, or a weight of the support is dropped (slope over strength {ratio:.2g}, median); "
        f"{listed(others)}.{end}"
    ]


def _of_paths(tables: Tables) -> list[str]:
    spans = [span for a in ("tanh", "relu") for span in measures.spans(tables["paths"], MULTI, a)]
    least = min((span for span in spans if span[2]), default=None)
    if least is None:
        return ["**Along no path was the teacher's support met.**"]
    paths = tables["paths"]
    worst = paths.loc[paths["exact"] & (paths["student"] == MULTI), "refit_loss"].max()
    wide = least[0] >= WIDE
    head = "the strength hardly matters" if wide else "the strength matters"
    return [
        f"**With the teacher's own convolutions {head}**: on {sum(s[2] > 0 for s in spans)} of {len(spans)} paths of "
        "the student of 52 weights exactly the teacher's 7 are left over a row of strengths, at the least from "
        f"{ten(least[1], 0)} to {ten(least[2], 0)}; a refit then leaves an error of {ten(float(worst), 0)} at most."
    ]


def _of_phases(tables: Tables) -> list[str]:
    rows = tables["phases"]
    grid = rows[rows["diagram"] == "strength x scale"]
    said = []
    for activation in rows["activation"].unique():
        cells = measures.cells(rows, "strength x scale", str(activation))
        best = cells.loc[cells["share"].idxmax()]
        found = wilson(int(best["found"]), int(best["runs"]))
        said.append(
            f"with {activation} {share(found)} students at strength {best['strength']:g}, scale {best['scale']:g}"
        )
    return [
        "**Whether a short training finds the support is a matter of strength and start**: at best "
        f"{listed(said)}. Over both activations and all scales {_found(grid, 'strength')}; over all strengths "
        f"{_found(grid, 'scale')}."
    ]


def _found(grid: pd.DataFrame, axis: str) -> str:
    """Who finds the support at the least value of an axis, what is left of their weights, and how many are dead."""
    rows = grid[grid[axis] == grid[axis].min()]
    found = share(wilson(int(rows["exact"].sum()), len(rows)))
    name = {"strength": "the weakest penalty", "scale": "the smallest start"}[axis]
    return (
        f"{found} do under {name} ({axis} {rows[axis].iloc[0]:g}), with {rows['nonzero'].median():g} weights left in "
        f"the median and {int((rows['outcome'] == 'dead').sum())} dead"
    )


def _of_ways(tables: Tables) -> list[str]:
    rows = tables["sparsifiers"]
    said = []
    for way in ("reweighted L1", "L1", "magnitude", "hard thresholding"):
        mine = rows[rows["way"] == way]
        if len(mine):
            error = ten(float(mine["mse"].median()), 1)
            said.append(f"{way} {share(wilson(int(mine['exact'].sum()), len(mine)))}, error {error}")
    return (
        [f"**At equal compute**, runs that find the support, and the median error: {'; '.join(said)}."] if said else []
    )
