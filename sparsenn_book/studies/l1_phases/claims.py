"""The claims of the chapter: functions of its tables.

Thresholds, stated before the draws of the tables (pilot runs had another seed, 7):

MOST    more than two in three draws or runs
HALF    more than half of them, or fewer
SPAN    three powers of ten: a strength that need not be known well
LESS    a third of the error
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import pandas as pd

from sparsenn_book.records.claims import Claim
from sparsenn_book.records.estimates import Estimate, exact, median_interval, wilson
from sparsenn_book.studies.l1_phases import measures
from sparsenn_book.studies.l1_phases.certificates import CHANNELS, CONNECTED
from sparsenn_book.studies.l1_phases.students import FULL, MULTI

Tables = Mapping[str, pd.DataFrame]
BOOK = "this book"
MOST, HALF, FEWER = (2 / 3, 1.0), (0.5, 1.0), (0.0, 0.5)
SPAN, LESS = (3.0, math.inf), (3.0, math.inf)
DRAWS = 10  # independent ones, below which a share is no evidence
PATHS = 4


def claims(tables: Tables) -> list[Claim]:
    """All claims of the chapter, from the tables of one profile."""
    return [
        *of_certificates(tables["certificates"]),
        *of_paths(tables["paths"]),
        *of_phases(tables["phases"]),
        *of_ways(tables["sparsifiers"]),
    ]


def of_certificates(rows: pd.DataFrame) -> list[Claim]:
    """Whether L1 can keep a support, at strength 1e-5, the most samples and over draws of data."""
    return [
        _cannot(rows, "fcn-tanh", "baseline", "tanh", headline=True),
        _cannot(rows, "fcn-relu", "baseline", "relu"),
        _cannot(rows, "fcn-sigmoid", "baseline", "sigmoid"),
        _cannot(rows, "fcn-split", "split_filter", "tanh"),
        _cannot(rows, "fcn-multi", "multi_channel", "tanh"),
        _share(
            "channels-keep",
            "A student with the same convolutions and four channels, tanh, strength 1e-5: the slope test does not rule "
            "out that L1 keeps the baseline teacher's seven weights, in more than two of three draws.",
            _kept(rows), MOST,
        ),
    ]  # fmt: skip


def of_paths(paths: pd.DataFrame) -> list[Claim]:
    """Whether a path meets the teacher's support, and over how many strengths."""
    spans = [span for a in ("tanh", "relu") for span in measures.spans(paths, MULTI, a)]
    full = paths[(paths["student"] == FULL) & (paths["direction"] == "up")]
    count = len(full.groupby(["draw", "activation"]))
    return [
        Claim(
            "phases.path-span",
            "On each path of the student of 52 weights (tanh and relu) the weights that are not zero are exactly the "
            "teacher's over at least three powers of ten of the strength.",
            BOOK, None, exact(min(span for span, _, _ in spans), len(spans), "powers of ten") if spans else None,
            ours=SPAN, enough=PATHS, prior=True,
        ),
        Claim(
            "phases.path-never",
            "On each path of the fully connected student 12-4-2-1 (tanh and relu), started at the teacher itself, they "
            "are the teacher's at none of the strengths.",
            BOOK, None, exact(int(full["exact"].sum()), count, "points") if count else None,
            ours=(0.0, 0.0), enough=PATHS, prior=True,
        ),
    ]  # fmt: skip


def of_phases(rows: pd.DataFrame) -> list[Claim]:
    """Where students find the support, over independent runs."""
    strong = measures.at(rows, "strength x scale", "tanh", strength=3e-2, scale=1.0)
    weak = measures.at(rows, "strength x scale", "tanh", strength=1e-3, scale=1.0)
    relu = measures.at(rows, "strength x scale", "relu", strength=3e-2, scale=1.0)
    small = measures.at(rows, "strength x scale", "tanh", strength=3e-2, scale=0.1)
    return [
        _share("strong", "Tanh students of 52 weights, initial scale 1, 1,000 samples, strength 0.03: more than half "
               "find exactly the teacher's support.", strong, HALF),
        _share("weak", "The same at strength 0.001: fewer than half do.", weak, FEWER),
        _share("relu", "The same at strength 0.03 with relu: fewer than half do.", relu, FEWER),
        _share("small-start", "The same with tanh at strength 0.03 and initial scale 0.1: fewer than half do.", small,
               FEWER),
    ]  # fmt: skip


def of_ways(rows: pd.DataFrame) -> list[Claim]:
    """Which ways of sparsifying find the support at equal compute."""
    ratio = measures.times_worse(rows, "L1", "reweighted L1")
    return [
        _share("reweighted", "At equal compute reweighted L1 finds exactly the teacher's support in more than half of "
               "all runs.", _found(rows, "reweighted L1"), HALF),
        _share("magnitude", "Removing the smallest weights after training finds it in fewer than half.",
               _found(rows, "magnitude"), FEWER),
        _share("hard-thresholding", "Removing them after every step finds it in fewer than half.",
               _found(rows, "hard thresholding"), FEWER),
        _share("reweighted-error", "Reweighted L1 ends with less than a third of the fresh error of L1: L1's over its, "
               "run by run, median.", median_interval(ratio) if len(ratio) else None, LESS),
    ]  # fmt: skip


def _cannot(rows: pd.DataFrame, key: str, teacher: str, activation: str, *, headline: bool = False) -> Claim:
    name = teacher.replace("_", "-")
    return _share(
        key,
        f"L1 cannot keep the support of the {name} teacher in the smallest fully connected network that holds it, "
        f"{activation}, strength 1e-5: a slope off the support exceeds the strength, or a weight of it is dropped, in "
        "more than two of three draws.",
        measures.violated(rows, teacher=teacher, student=CONNECTED, activation=activation),
        MOST,
        headline=headline,
    )


def _kept(rows: pd.DataFrame) -> Estimate | None:
    mine = measures.of_case(rows, teacher="baseline", student=CHANNELS, activation="tanh")
    mine = mine[mine["reached"]]
    return wilson(int(mine["holds"].sum()), len(mine)) if len(mine) else None


def _found(rows: pd.DataFrame, way: str) -> Estimate | None:
    mine = rows[rows["way"] == way]
    return wilson(int(mine["exact"].sum()), len(mine)) if len(mine) else None


def _share(
    key: str, statement: str, measured: Estimate | None, ours: tuple[float, float], *, headline: bool = False
) -> Claim:
    return Claim(f"phases.{key}", statement, BOOK, None, measured, None, ours, DRAWS, headline=headline, prior=True)
