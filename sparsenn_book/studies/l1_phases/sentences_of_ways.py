"""Sentences about the ways to be sparse, computed from their tables; Markdown."""

from __future__ import annotations

import pandas as pd

from sparsenn_book.records.estimates import wilson
from sparsenn_book.records.words import listed, ten
from sparsenn_book.studies.l1_phases.sentences import share
from sparsenn_core.networks import literal_teacher


def table(sparsifiers: pd.DataFrame) -> pd.DataFrame:
    """One row a way: its number, share with interval, weights and error."""
    rows = []
    for name, runs in sparsifiers.groupby("way", sort=False):
        rows.append(
            {
                "way": name,
                "number tuned": f"{runs['knob'].iloc[0]:g}",
                "support found": share(wilson(int(runs["exact"].sum()), len(runs))),
                "all weights left (median)": int(runs["nonzero"].median()),
                "fresh error (median)": ten(float(runs["mse"].median()), 1),
            }
        )
    return pd.DataFrame(rows).set_index("way")


def teachers_weights() -> int:
    """How many weights the baseline teacher has."""
    return sum(int((p != 0).sum()) for p in literal_teacher("baseline", "tanh").parameters())


def of_ways(sparsifiers: pd.DataFrame, tuning: pd.DataFrame) -> str:
    """Who finds it, who does not, and why some cannot."""
    errors = sparsifiers.groupby("way", sort=False)["mse"].median()
    sides: dict[str, list[str]] = {"more than half": [], "undecided": [], "fewer than half": []}
    for way, runs in sparsifiers.groupby("way", sort=False):
        found = wilson(int(runs["exact"].sum()), len(runs))
        side = "more than half" if found.low > 0.5 else "fewer than half" if found.high < 0.5 else "undecided"
        sides[side].append(str(way))
    parts = [f"{side}: {listed(ways)}" for side, ways in sides.items() if ways]
    return " ".join(
        [
            f"Share of runs that find the support, beyond its 95 % interval: {'; '.join(parts)}.",
            f"The least median error is that of {errors.idxmin()}, {ten(float(errors.min()), 1)}.",
            *_without_effect(sparsifiers),
            *_too_many(sparsifiers, tuning),
        ]
    )


def _without_effect(sparsifiers: pd.DataFrame) -> list[str]:
    """Runs that find the support with more weights than the teacher has."""
    size = teachers_weights()
    more = sparsifiers[sparsifiers["exact"] & (sparsifiers["nonzero"] > size)]
    return [
        f"{len(rows)} runs of {way} find it with {rows['nonzero'].median():g} weights left in the median: all but "
        f"{size} of these belong to units without effect or to equal units."
        for way, rows in more.groupby("way", sort=False)
    ]


def _too_many(sparsifiers: pd.DataFrame, tuning: pd.DataFrame) -> list[str]:
    """Ways that count weights, tuned to more than the teacher has."""
    size, told = teachers_weights(), []
    for way in ("hard thresholding", "magnitude"):
        knob = sparsifiers.loc[sparsifiers["way"] == way, "knob"]
        tries = tuning[tuning["way"] == way]
        if len(knob) and knob.iloc[0] > size and not tries["exact"].any():
            told.append(f"{way} keeps {knob.iloc[0]:g}")
    if not told:
        return []
    return [
        f"Tuned, {listed(told)} weights, where the teacher has {size}, so that a run finds the support only if all "
        "others have no effect. On the tuning runs these ways found it with none of their five numbers, and the "
        "error chose."
    ]
