"""What the L1 chapter learned, in a few sentences computed from its tables: of full scale where they are there."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from sparsenn_book.records.estimates import wilson
from sparsenn_book.studies.l1_path.all_recorded import FITS
from sparsenn_book.studies.l1_path.claims import NEED, UNFINISHED, least
from sparsenn_book.studies.l1_path.claims_of_experiments import (
    best_of_pairs,
    cases_here,
    least_solved,
    recorded_over_least,
    solved_of,
)
from sparsenn_book.studies.l1_path.sentences import WIDE, share
from sparsenn_book.studies.l1_path.settings import ACTIVATIONS

COLUMNS = {
    "runs": {"student", "activation", "penalty", "init_scale", "seed", "status", "epochs", "outcome", "exact_zeros"},
    "minima": {"student", "activation", "penalty", "objective", "nonzero", "outcome"},
    "wakes": {"penalty", "seed", "woke_epoch", "outcome"},
}
"""The tables and columns that are read here."""

TREE = (12, 4, 2)
"""The teacher's weights inside a fully connected student, layer by layer."""

Tables = Mapping[str, pd.DataFrame]


def complete(tables: Tables) -> bool:
    """Whether all that is read here is there."""
    # names first: tables of older code may no longer be readable
    return set(COLUMNS) <= set(tables) and all(
        columns <= set(tables[name].columns) for name, columns in COLUMNS.items()
    )


def learned(full: Tables, age: str, here: Tables, profile: str) -> str:
    """The answer to the chapter's question: from the tables of the full profile, else from those of this page."""
    if profile == "full" and complete(here):
        return _points(here, "At full scale")
    if complete(full):
        date = full["runs"].attrs.get("provenance", {}).get("date", "")[:10]
        known = ", ".join(part for part in (f"tables of {date}" if date else "", age) if part)
        return _points(full, "At full scale" + (f" ({known})" if known else ""))
    if profile == "smoke":
        return "No tables of full scale are kept, and this page trains too little to learn from (profile smoke)."
    if complete(here):
        return _points(here, f"No tables of full scale are kept, so this is from this page's own, profile {profile}")
    return "No tables of full scale are kept; the end of this page answers from its own."


def _points(tables: Tables, where: str) -> str:
    runs, minima, wakes = tables["runs"], tables["minima"], tables["wakes"]
    wider = [*of_wider(solved_of(tables)), *of_pairs(tables.get("crossed", pd.DataFrame()))]
    points = [_of_objective(minima), *wider, _of_training(runs), _of_fate(runs), _of_waking(wakes), _of_practice()]
    return "\n".join([f"{where}:", "", *(f"- {point}" for point in points)])


def _of_objective(minima: pd.DataFrame) -> str:
    wide = least(minima).loc[WIDE].xs("l1", level="penalty")
    teacher = wide[(wide["nonzero"] == sum(NEED)) & (wide["outcome"] == "recovered")].index
    kept = ", ".join(f"{int(wide.loc[a, 'nonzero'])} with {a}" for a in ACTIVATIONS)
    return (
        f"**The objective asks for the teacher**: the least L1 minimisers found keep {kept} of 52 weights, and in "
        f"{len(teacher)} of {len(wide)} cases they are the teacher's seven, up to symmetry."
    )


def of_wider(solved: pd.DataFrame) -> list[str]:
    """Of fully connected students of the 7-weight teacher, where both experiments are solved with all activations."""
    cases = [case for case in cases_here(solved) if case[0] in (3, 4)]
    if len(cases) < 6:
        return []
    best, ratio = least_solved(solved).loc[cases], recorded_over_least(solved)[cases]
    need = "/".join(map(str, TREE))
    tree = sum("/".join(str(int(row[f"kept_{i}_0.01"])) for i in (1, 2, 3)) == need for _, row in best.iterrows())
    extra = (best[[f"kept_{i}_0" for i in (1, 2, 3)]].sum(axis=1) - sum(TREE)).astype(int)
    return [
        f"**Fully connected students hold the teacher as a tree of {need} weights**: above 0.01 the least L1 "
        f"minimisers (11,296 and 18,048 weights) keep exactly so many in {tree} of {len(cases)} cases; {extra.min()} "
        f"to {extra.max()} smaller ones are not zero. The study's best runs end at {ratio.min():.2f} to "
        f"{ratio.max():.2f} times these losses."
    ]


def of_pairs(crossed: pd.DataFrame) -> list[str]:
    """Whether the activation matters, where pairs were solved from more than one start."""
    if crossed.empty or crossed["start"].max() < 2:
        return []
    best = best_of_pairs(crossed)
    other = best[[t != s for t, s in best.index]]
    counts = {kind: int((other[kind] >= FITS).sum()) for kind in ("same", "linear")}
    return [
        f"**That only students of the teacher's activation fit is the doing of the last layer**: of {len(other)} pairs "
        f"of different activations {counts['same'] or 'none'} fit with the study's bounded last layer, and "
        f"{counts['linear']} where last layers are linear and the student has biases."
        if counts["linear"] > counts["same"]
        else f"**Students of another activation** fit in {counts['same']} of {len(other)} pairs, and in "
        f"{counts['linear']} where last layers are linear and the student has biases."
    ]


def _of_training(runs: pd.DataFrame) -> str:
    l1 = runs[(runs["penalty"] == "l1") & (runs["student"] == WIDE)]
    counts = l1["outcome"].value_counts()
    found = counts.get("recovered", 0)
    late = int(((l1["status"] == UNFINISHED) & (l1["outcome"] == "fitted")).sum())
    return (
        f"**The study's training gets there slowly, if at all**: of {len(l1)} L1 runs with 52 weights, at most "
        f"{int(runs['epochs'].max()):,} epochs long, {found} have found the teacher and {counts.get('fitted', 0)} fit "
        f"with other weights, {late} of these still training. {_of_zeros(runs)}"
    )


def _of_zeros(runs: pd.DataFrame) -> str:
    zeros, weights = int(runs["exact_zeros"].sum()), int(runs["weights"].sum())
    return f"{zeros or 'None'} of all {weights:,} trained weights {'is' if not zeros else 'are'} exactly zero."


def _of_fate(runs: pd.DataFrame) -> str:
    small = runs[(runs["penalty"] == "l1") & (runs["init_scale"] == 0.2) & (runs["activation"] == "sigmoid")]
    said = []
    for _, rows in small.groupby("student", sort=False):
        hits = int((rows["outcome"] == "collapsed").sum())
        said.append(f"{share(wilson(hits, len(rows)))} with {int(rows['weights'].iloc[0])} weights")
    epochs = f"{int(runs['epochs'].max()):,} epochs"
    where = f": after at most {epochs}, sigmoid students that start small have collapsed to a constant in "
    where = where + " and ".join(said) if said else ""
    return f"**Under L1 a run fits or is lost, and a mean over runs hides which**{where}."


def _of_waking(wakes: pd.DataFrame) -> str:
    l1 = wakes[wakes["penalty"] == "l1"]
    woke = wakes["woke_epoch"].notna()
    others = int(wakes[(wakes["penalty"] != "l1") & woke]["seed"].nunique())
    awake = l1[l1["woke_epoch"].notna()]
    rate = wilson(len(awake), len(l1))
    without = f"Without a penalty or under L2, {others or 'none'} wakes."
    if not len(awake):
        return f"**No dead relu student woke under L1** here, {share(rate)}. {without}"
    ends = ", ".join(f"{n} {name}" for name, n in awake["outcome"].value_counts().items())
    return (
        f"**L1 wakes dead relu students, not all for good**: {share(rate)} that start dead wake when training goes on, "
        f"at an epoch that their weights foretell; at the end these {len(awake)} are {ends}, as a student may die "
        f"again. {without}"
    )


def _of_practice() -> str:
    return (
        "**For your own training**: count outcomes run by run; take zeros from a proximal step or a threshold, since a "
        "subgradient makes none; and do not let patience stop a dead student under L1: it may still wake."
    )
