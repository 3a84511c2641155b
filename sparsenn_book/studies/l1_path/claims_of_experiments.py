"""Claims about experiments 3 to 6, pairs of activations, and what the study recorded of all six experiments."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from sparsenn_book.records.claims import Claim
from sparsenn_book.records.estimates import Estimate, exact, median_interval, wilson
from sparsenn_book.studies.l1_path.all_recorded import FITS, all_recorded, literal
from sparsenn_book.studies.l1_path.claims import STUDY
from sparsenn_book.studies.l1_path.experiments import NEED
from sparsenn_book.studies.l1_path.settings import ACTIVATIONS

Tables = Mapping[str, pd.DataFrame]

EVERY = 12
"""Cases of experiments 3 to 6: four experiments, three activations."""


def claims_of_experiments(tables: Tables) -> list[Claim]:
    """Every claim of this part; those about minimisers only where all cases were solved."""
    recorded = all_recorded()
    return [*about_solved(tables), *about_pairs(tables), *about_records(recorded)]


def solved_of(tables: Tables) -> pd.DataFrame:
    """All rows of the tables `solved_<experiment>_<activation>`, empty where there are none."""
    parts = [table for name, table in tables.items() if name.startswith("solved_") and "objective" in table]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


def least_solved(solved: pd.DataFrame) -> pd.DataFrame:
    """The start with the least objective in each case, indexed by experiment and activation."""
    return solved.sort_values("objective", kind="stable").groupby(["experiment", "activation"]).first()


def recorded_over_least(solved: pd.DataFrame) -> pd.Series:
    """In each case the least recorded L1 objective (right teacher, same activation) over the least found here."""
    recorded = literal(all_recorded()).query("same and penalty == 'l1'")
    least = recorded.groupby(["experiment", "student_activation"])["objective"].min()
    least.index.names = ["experiment", "activation"]
    return (least / least_solved(solved)["objective"]).dropna()


def about_solved(tables: Tables) -> list[Claim]:
    """Whether the least found is the least known, and whether it is the teacher."""
    solved = solved_of(tables)
    known = not solved.empty and len(least_solved(solved)) == EVERY
    ratio = recorded_over_least(solved) if known else pd.Series(dtype=float)
    best = least_solved(solved) if known else solved
    wide = best.loc[[3, 4]] if known else best
    tree = [_keeps(row, "0.01") for _, row in wide.iterrows()] if known else []
    more = [_more(row) for _, row in wide.iterrows()] if known else []
    return [
        Claim(
            key="l1.least-found-3-to-6",
            statement="In experiments 3 to 6 no recorded L1 run lies below the least value found here by more than "
            "0.5 %; least values of two draws of the data differ by less.",
            source="this book", measured=exact(float(ratio.min()), len(ratio), "cases") if known else None,
            ours=(0.995, float("inf")), enough=EVERY, check=True,
        ),
        Claim(
            key="l1.tree-in-fcn",
            statement="Of fully connected students of the 7-weight teacher the least L1 minimisers found keep exactly "
            "12, 4 and 2 weights of at least 0.01 in their layers, the teacher's tree, in all six cases (experiments "
            "3 and 4, three activations).",
            source=f"{STUDY}, README: near-perfect sparsity with the same activation",
            recorded="5 of the 5 tanh runs of experiment 4 at initial scale 0.2, none of the 8 of experiment 3",
            measured=exact(int(sum(tree)), len(tree), "cases") if known else None, said=(6, 6), enough=6,
        ),
        Claim(
            key="l1.not-the-support",
            statement="None of these six minimisers has only the teacher's weights: some others, smaller than 0.01, "
            "are not zero.",
            source="this book, from the certificate of chapter 03",
            measured=exact(int(sum(more)), len(more), "cases") if known else None, ours=(6, 6), enough=6,
        ),
    ]  # fmt: skip


def _keeps(row: pd.Series, threshold: str) -> bool:
    return tuple(int(row[f"kept_{i}_{threshold}"]) for i in (1, 2, 3)) == NEED[int(row.name[0])]


def _more(row: pd.Series) -> bool:
    return sum(int(row[f"kept_{i}_0"]) for i in (1, 2, 3)) > sum(NEED[int(row.name[0])])


def best_of_pairs(crossed: pd.DataFrame) -> pd.DataFrame:
    """The largest R2 of each pair and read-out over its starts: one row a pair, one column a read-out."""
    best = crossed.groupby(["teacher_activation", "activation", "read_out"])["r2"].max()
    return best.unstack("read_out")


def about_pairs(tables: Tables) -> list[Claim]:
    """Does a student need its teacher's activation?"""
    crossed = tables.get("crossed", pd.DataFrame())
    here = not crossed.empty
    best = best_of_pairs(crossed) if here else pd.DataFrame(columns=["same", "linear"])
    other = best[[t != s for t, s in best.index]] if here else best
    starts = int(crossed["start"].max()) if here else 0
    # of starts enough that a pair which fits in one of three is missed with 1 % at most: (2/3)^12
    tested = here and starts >= 12
    recorded = literal(all_recorded()).query("not same")
    return [
        Claim(
            key="l1.same-activation",
            statement="A student of another activation than its teacher's does not fit (R² < 0.99): none of the six "
            "pairs, at the least L1 objective of 52 weights.",
            source=f"{STUDY}, README: the same activation matters",
            recorded=f"none of {len(recorded)} runs, at best R² = {recorded['r2'].max():.3f}",
            measured=_fitting(other["same"]) if tested else None, said=(0, 0), enough=6,
        ),
        Claim(
            key="l1.same-activation-free",
            statement="A student of another activation than its teacher's does not fit even where nothing bounds its "
            "output, with linear last layers in both and biases in the student: none of the six pairs.",
            source=f"{STUDY}, README: the same activation matters; the linear layers are this book's",
            measured=_fitting(other["linear"]) if tested else None, said=(0, 0), enough=6,
            headline=True,
        ),
    ]  # fmt: skip


def _fitting(r2: pd.Series) -> Estimate:
    return exact(int((r2 >= FITS).sum()), len(r2), "pairs fit")


def about_records(recorded: pd.DataFrame) -> list[Claim]:
    """What the study's own records say once runs with the wrong teacher and runs that do not fit are told apart."""
    right = literal(recorded)
    same = right[right["same"]]
    fits = same[(same["outcome"] == "fitted") & (same["experiment"] > 1)]
    kept = {p: fits.loc[fits["penalty"] == p, "kept"] for p in ("l1", "l2", "none")}
    middle = same["outcome"] == "partial"
    near = same[middle]["r2"] > 0.85
    wide = same[same["experiment"].isin([3, 4])]
    distance = {o: wide.loc[wide["outcome"] == o, "reference_distance"] for o in ("fitted", "collapsed")}
    beaten = distance["fitted"] > distance["collapsed"].median()
    return [
        Claim(
            key="l1.kept-recorded",
            statement="In the study's records of experiments 2 to 6, among runs that fit the right teacher with its "
            "own activation the median L1 run keeps less than half of its weights (at least 1e-4); the median L2 run "
            f"keeps {kept['l2'].median():.2f} of them, one without a penalty {kept['none'].median():.2f}.",
            source=f"{STUDY}, README: L1 alone drives weights to zero",
            measured=median_interval(kept["l1"]) if len(kept["l1"]) else None, said=(0.0, 0.5), enough=30,
        ),
        Claim(
            key="l1.wrong-teacher",
            statement="More than a quarter of the recorded runs did not train on the study's teacher: its weights had "
            "stayed at their random start.",
            source="this book, from the study's checkpoints; the study does not say so",
            measured=exact(1 - len(right) / len(recorded), len(recorded), "of recorded runs"), ours=(0.25, 1.0),
        ),
        Claim(
            key="l1.all-or-nothing",
            statement="A recorded run of its teacher's activation explains more than 85 % of the variance or less than "
            "1 %: none ends between, so that a mean over runs describes none of them.",
            source="this book, from the study's records",
            measured=exact(int((~near).sum()), len(same), "runs between"), ours=(0.0, 0.0),
        ),
        Claim(
            key="l1.distance-ranks-collapse-first",
            statement="By the study's distance more than half of the recorded fully connected students that fit "
            "(experiments 3 and 4) are further from the teacher than the median collapsed one.",
            source="this book, from the study's records", recorded="the study prints distances without this comparison",
            measured=wilson(int(beaten.sum()), len(beaten)) if len(beaten) else None, ours=(0.5, 1.0), enough=20,
        ),
        *about_scales(same),
    ]  # fmt: skip


def about_scales(same: pd.DataFrame) -> list[Claim]:
    """The initial scale decides who collapses, in opposite directions (experiments 2 to 6)."""
    wide = same[same["experiment"] > 1]
    cases = (("sigmoid", "l1", 0.2, 1.0), ("relu", "l2", 1.0, 0.2))
    found = []
    for activation, penalty, bad, good in cases:
        runs = wide[(wide["student_activation"] == activation) & (wide["penalty"] == penalty)]
        rate = {s: _collapsed(runs[runs["init_scale"] == s]) for s in (bad, good)}
        gap = rate[bad].low - rate[good].high
        found.append(
            Claim(
                key=f"l1.scale-{activation}-{penalty}",
                statement=f"In the records {activation} students under {penalty.upper()} collapse more often at "
                f"initial scale {bad:g} than at {good:g}: the 95 % intervals of the two rates are apart.",
                source=f"{STUDY}, README: initialisation matters",
                recorded=f"{_said(rate[bad])} against {_said(rate[good])}",
                measured=exact(gap, sum(r.count for r in rate.values()), "between the intervals"), said=(1e-9, 1.0),
            )
        )  # fmt: skip
    return found


def _collapsed(runs: pd.DataFrame) -> Estimate:
    return wilson(int((runs["outcome"] == "collapsed").sum()), len(runs))


def _said(rate: Estimate) -> str:
    return f"{round(rate.value * rate.count)} of {rate.count}"


def cases_here(solved: pd.DataFrame) -> list[tuple[int, str]]:
    """The cases that were solved, in order."""
    if solved.empty:
        return []
    return [(int(e), a) for e in sorted(solved["experiment"].unique()) for a in ACTIVATIONS
            if ((solved["experiment"] == e) & (solved["activation"] == a)).any()]  # fmt: skip
