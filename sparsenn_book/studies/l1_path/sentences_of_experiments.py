"""Sentences about experiments 3 to 6, pairs of activations and the study's records, computed from tables; Markdown."""

from __future__ import annotations

import pandas as pd

from sparsenn_book.records.words import ten
from sparsenn_book.studies.l1_path.all_recorded import FITS, literal
from sparsenn_book.studies.l1_path.claims_of_experiments import (
    best_of_pairs,
    cases_here,
    least_solved,
    recorded_over_least,
)
from sparsenn_book.studies.l1_path.experiments import NEED


def solved_table(solved: pd.DataFrame) -> pd.DataFrame:
    """The least found in each case, for display."""
    best = least_solved(solved)
    ratio = recorded_over_least(solved)
    rows = []
    for case in cases_here(solved):
        row, (experiment, activation) = best.loc[case], case
        random = solved[(solved["experiment"] == experiment) & (solved["activation"] == activation)]
        random = random[random["origin"] == "random"]
        near = int((random["objective"] <= 1.01 * row["objective"]).sum())
        rows.append(
            {
                "experiment": experiment,
                "activation": activation,
                "least found": f"{row['objective']:.4e}",
                "residual": f"{row['residual']:.0e}",
                "recorded / least": f"{ratio[case]:.3f}" if case in ratio.index else "no run",
                "starts within 1 %": f"{near} of {len(random)}",
                "R²": f"{row['r2']:.4f}",
                "kept": _layers(row, "0"),
                "kept ≥ 0.01": _layers(row, "0.01"),
                "teacher": "/".join(str(n) for n in NEED[experiment]),
            }
        )
    return pd.DataFrame(rows).set_index(["experiment", "activation"])


def _layers(row: pd.Series, threshold: str) -> str:
    return "/".join(str(int(row[f"kept_{i}_{threshold}"])) for i in (1, 2, 3))


def of_solved(solved: pd.DataFrame) -> str:
    """Whether recorded runs lie above the least found, from which start it came, and what it keeps."""
    best, ratio = least_solved(solved), recorded_over_least(solved)
    from_random = int((best["origin"] == "random").sum())
    teacher = {case: "/".join(map(str, NEED[case[0]])) for case in cases_here(solved)}
    tree = sum(_layers(best.loc[case], "0.01") == need for case, need in teacher.items())
    exact = sum(_layers(best.loc[case], "0") == need for case, need in teacher.items())
    lowest, span = ratio.idxmin(), f"{ratio.min():.3f} to {ratio.max():.3f}"
    return (
        f"{len(best)} cases are solved here. The least recorded loss is {span} times the least found, lowest in "
        f"experiment {lowest[0]} with {lowest[1]}. In {from_random} of {len(best)} cases the least came from a "
        "random start, in the others from the teacher put inside the student. With weights below 0.01 taken away, "
        f"{tree} of these minimisers have as many weights in every layer as the teacher has there; without a threshold "
        f"{exact} do."
    )


def of_fit(solved: pd.DataFrame) -> str:
    """What the least minimisers explain, by activation: where it is not all, the objective gives up some of the fit."""
    best = least_solved(solved)["r2"].groupby("activation").min()
    said = ", ".join(f"{r2:.4f} with {activation}" for activation, r2 in best.items())
    return f"On fresh inputs the least minimisers explain at least this share of the variance (R²): {said}."


def of_pairs(crossed: pd.DataFrame) -> str:
    """How many pairs fit with each read-out."""
    best = best_of_pairs(crossed)
    other = best[[t != s for t, s in best.index]]
    own = best[[t == s for t, s in best.index]]

    def count(r2: pd.Series) -> str:
        return f"{int((r2 >= FITS).sum())} of {len(r2)}"

    floor = crossed[crossed["read_out"] == "same"].groupby(["teacher_activation", "activation"])["range_floor"].first()
    barred = int((floor[[t != s for t, s in floor.index]] > 0).sum())
    return (
        f"With the study's last layer {count(other['same'])} pairs of different activations fit, and {barred} of them "
        f"cannot: outputs of the student's range are too far from the teacher's. With linear last layers and biases "
        f"{count(other['linear'])} fit, R² at least {other['linear'].min():.4f} (pairs of one activation: "
        f"{count(own['same'])} and {count(own['linear'])}). Each pair had "
        f"{int(crossed['start'].max())} start{'s' if crossed['start'].max() > 1 else ''}."
    )


def of_records(recorded: pd.DataFrame) -> str:
    """How many recorded runs had the wrong teacher, and what is left of one comparison."""
    wrong = recorded[~recorded["teacher_is_literal"]]
    per = wrong.groupby("experiment").size()
    said = ", ".join(f"{n} of experiment {e}" for e, n in per.items())
    right = literal(recorded).query("same")
    counts = right["outcome"].value_counts()
    none = right[(right["penalty"] == "none") & right["experiment"].isin([3, 4, 5])]
    return (
        f"Of {len(recorded):,} recorded runs {len(wrong)} did not see the study's teacher, whose weights had stayed "
        f"at their random start: {said}. Of runs without a penalty in experiments 3 to 5 that saw it, with its own "
        f"activation, {len(none)} are left. Of the {len(right)} "
        f"runs of the right teacher and its activation {counts.get('fitted', 0)} fit, {counts.get('partial', 0)} "
        f"explain {right.loc[right['outcome'] == 'partial', 'r2'].min():.0%} to 99 % of the variance, and "
        f"{counts.get('collapsed', 0)} are no better than a constant."
    ).replace("% to", " % to")


def of_distances(recorded: pd.DataFrame) -> str:
    """Where the study's distance puts students that fit and students that collapsed."""
    runs = literal(recorded).query("same and experiment in (3, 4)")
    median = {o: float(runs.loc[runs["outcome"] == o, "reference_distance"].median()) for o in ("fitted", "collapsed")}
    return (
        f"In experiments 3 and 4 the median distance is {median['fitted']:.2f} for students that fit and "
        f"{median['collapsed']:.2f} for those that collapsed: the smaller the distance, the better, and here it is "
        f"{'smaller' if median['collapsed'] < median['fitted'] else 'larger'} for the collapsed."
    )


def of_source(own: pd.DataFrame, full: pd.DataFrame, profile: str) -> str:
    """Whose tables are shown, those of the full profile or this page's, and what this page solved itself."""
    if profile == "full" or full.empty:
        return f"Shown is what this page solved, profile {profile}: {_starts(own)}."
    best = least_solved(own)["objective"]
    values = ", ".join(f"{ten(best[case])} in experiment {case[0]} with {case[1]}" for case in cases_here(own))
    return (
        f"Shown are the tables of the full profile: {_starts(full)}. This page itself solved {_starts(own)}, and found "
        f"{values}, on fewer inputs."
    )


def _starts(solved: pd.DataFrame) -> str:
    cases = cases_here(solved)
    experiments = ", ".join(str(e) for e in sorted({e for e, _ in cases}))
    random = solved[solved["origin"] == "random"].groupby(["experiment", "activation"]).size()
    return f"experiments {experiments} with {random.max()} random starts of each activation and one from the teacher"
