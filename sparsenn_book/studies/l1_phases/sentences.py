"""Sentences of the chapter, computed from its tables; Markdown."""

from __future__ import annotations

import pandas as pd

from sparsenn_book.records.estimates import Estimate, wilson
from sparsenn_book.records.words import listed, number, ten
from sparsenn_book.studies.l1_phases import measures
from sparsenn_book.studies.l1_phases.certificates import CHANNELS, CONNECTED
from sparsenn_book.studies.l1_phases.students import BASELINE, FULL, MULTI

NAMES = {BASELINE: "7 weights", MULTI: "52 weights", FULL: "58 weights, fully connected"}


def share(estimate: Estimate) -> str:
    """`7 of 16 (44 %, 23 % to 67 %)`."""
    hits = round(estimate.value * estimate.count)
    return f"{hits} of {estimate.count} ({estimate.low:.0%} to {estimate.high:.0%})"


def of_paths(paths: pd.DataFrame) -> str:
    """Where the support is the teacher's, for each student."""
    said = []
    for student in (MULTI, FULL):
        for activation in ("tanh", "relu"):
            spans = [span for span in measures.spans(paths, student, activation) if span[2]]
            if spans:
                width, low, high = min(spans)
                draws = len(measures.spans(paths, student, activation))
                meets = f"from {ten(low, 0)} to {ten(high, 0)}, {width:.1f} powers of ten"
                meets += f" (the least of {draws} draws)" if draws > 1 else ""
            else:
                meets = "at none of the strengths" + _closest(measures.along(paths, student, activation))
            said.append(f"{NAMES[student]}, {activation}: {meets}")
    return f"Exactly the teacher's weights are left: {'; '.join(said)}."


def _closest(rows: pd.DataFrame) -> str:
    """The point with all of the teacher's weights and the fewest others, in words."""
    whole = rows[rows["needed_kept"] == rows["needed"]]
    if whole.empty:
        return ""
    best = whole.loc[whole["others_kept"].idxmin()]
    others = int(best["others_kept"])
    if not others:
        return ""
    return f" (the fewest others beside them: {others}, at {ten(float(best['strength']), 0)})"


def of_collapse(paths: pd.DataFrame) -> str:
    """What happens at strong penalties: the branch outlives its use."""
    parts = []
    for student in (BASELINE, FULL):
        path = measures.along(paths, student, "tanh")
        path = path[path["draw"] == path["draw"].min()]
        last = measures.last_alive(path)
        worse = path[(path["nonzero"] > 0) & (path["objective"] > path["zero_objective"])]
        if last is None:
            continue
        text = f"with {NAMES[student]} a fit is followed up to {ten(float(last['strength']), 0)}"
        if len(worse):
            first = worse.iloc[0]
            text += (
                f"; from {ten(float(first['strength']), 0)} on its objective, {first['objective']:.3g}, is above that "
                f"of all weights zero, {first['zero_objective']:.3g}"
            )
        parts.append(text)
    return f"In tanh networks {'; '.join(parts)}."


def of_way_back(paths: pd.DataFrame) -> str:
    """Whether the path is the same in both directions."""
    up, back = (measures.along(paths, FULL, "tanh", direction) for direction in ("up", "back"))
    if back.empty:
        return "Nothing was left to go back from."
    both = up.merge(back, on=["draw", "strength"], suffixes=("_up", "_back"))
    ratio = (both["objective_back"] / both["objective_up"]).max()
    errors = both.loc[both["strength"].idxmin(), ["refit_loss_up", "refit_loss_back"]]
    if ratio < 1 + 1e-6:
        return (
            "Back from the last strength with a weight left, the path of the fully connected student takes the same "
            "values: no unit had been lost on this grid of strengths."
        )
    before, after = (ten(float(error), 0) for error in errors)
    return (
        "Back from the last strength with a weight left, the path of the fully connected student does not find its "
        f"way: its objective is up to {number(float(ratio), 3)} times that of the way up, and at the weakest strength "
        f"a refit of what is left has the error {after} in place of {before}. Units whose weights are all zero do not "
        "come back."
    )


def of_events(events: pd.DataFrame, paths: pd.DataFrame) -> str:
    """Entries and exits, and how well the points are certified."""
    up = events[events["direction"] == "up"]
    counts = up.groupby(["student", "event"]).size()
    said = [
        f"{NAMES[student]} {counts.get((student, 'leaves'), 0)} exits and {counts.get((student, 'enters'), 0)} entries"
        for student in (MULTI, FULL)
    ]
    whole = up["event"].eq("enters").sum()
    back = "Weights can also enter as the penalty grows, as on a path of the lasso. " if whole else ""
    rows = paths[paths["direction"] == "up"]
    sure, kinks = int(rows["converged"].sum()), int(rows["at_kink"].sum())
    spare = rows[(rows["student"] == MULTI) & (rows["others_kept"] > 0)]
    kept = (
        f" With {NAMES[MULTI]} {len(spare)} points, all at strengths of {ten(float(spare['strength'].max()), 0)} or "
        f"less, keep weights that the teacher does not have; {int(spare['converged'].sum()) or 'none'} of these "
        f"{'are' if int(spare['converged'].sum()) != 1 else 'is'} certified."
        if len(spare)
        else ""
    )
    return (
        f"Over all draws and both activations: {listed(said)}. {back}Of {len(rows)} points {sure} are certified to be "
        f"stationary (residual at most $10^{{-10}}$), {kinks} lie at a kink of a relu loss, and the rest, "
        f"{len(rows) - sure - kinks}, are as near as twenty Newton steps came.{kept}"
    )


def of_refits(paths: pd.DataFrame, activation: str = "tanh") -> str:
    """What the refit takes away."""
    said = []
    for student in (MULTI, FULL):
        rows = measures.along(paths, student, activation)
        good = rows[(rows["refit_loss"] < 1e-8) & (rows["nonzero"] > 0)]
        if good.empty:
            continue
        top = good.loc[good["strength"].idxmax()]
        said.append(
            f"{NAMES[student]}: up to {ten(float(top['strength']), 0)}, where the penalty leaves "
            f"{int(top['nonzero'])} weights and an error of {ten(float(top['loss']), 1)}, which the refit brings to "
            f"{ten(float(top['refit_loss']), 0)}"
        )
    return f"After a refit the fit is exact: {'; '.join(said)}." if said else "No refit is exact here."


def of_slopes(certificates: pd.DataFrame) -> str:
    """What the certificates say at the weakest strength."""
    said = []
    for teacher, name in (
        ("baseline", "baseline"),
        ("split_filter", "split-filter"),
        ("multi_channel", "multi-channel"),
    ):
        for activation in ("tanh", "relu", "sigmoid"):
            rows = measures.of_case(certificates, teacher=teacher, student=CONNECTED, activation=activation)
            rows = rows[rows["reached"]]
            if len(rows):
                found = wilson(int((~rows["holds"]).sum()), len(rows))
                said.append(f"{name}, {activation} {rows['largest'].median():.3g} ({share(found)})")
    missing = (certificates["teacher"] == "multi_channel").any() and not any("channel, relu" in text for text in said)
    kept = measures.of_case(certificates, teacher="baseline", student=CHANNELS, activation="tanh")
    ends = kept["largest"].max() if len(kept) else float("nan")
    return (
        "At the weakest strength and with the most samples, the median largest slope over the strength in fully "
        f"connected students, and the draws in which L1 cannot keep the support: {'; '.join(said)}. In the student "
        f"with four channels (tanh) the largest slope of any draw is {ends:.2g}."
        + (
            " Multi-channel with relu was left out: pilot runs did not reach its optimum on the support."
            if missing
            else ""
        )
    )


def of_samples(certificates: pd.DataFrame) -> str:
    """Whether more samples help."""
    rows = certificates[
        (certificates["teacher"] == "baseline")
        & (certificates["student"] == CONNECTED)
        & (certificates["activation"] == "tanh")
        & (certificates["strength"] == certificates["strength"].min())
    ]
    medians = rows.groupby("samples")["largest"].median()
    told = listed([f"{m:.3g} with {n:,} samples" for n, m in medians.items()])
    text = f"With tanh the median largest slope over the strength is {told}."
    first, last = float(medians.iloc[0]), float(medians.iloc[-1])
    if len(medians) < 2:
        return text
    change = "More samples lower it here" if last < first else "More samples do not lower it here"
    return f"{text} {change}; with the most it is {'still above' if last > 1 else 'at most'} 1."


def of_diagram(phases: pd.DataFrame, which: str) -> str:
    """Where half of the runs find the support."""
    x, y = which.split(" x ")
    said = []
    for activation in phases["activation"].unique():
        found = measures.cells(phases, which, activation)
        if found.empty:
            continue
        best = found.loc[found["share"].idxmax()]
        # the best of many cells is lucky as a rule: intervals that hold for all cells at once (Bonferroni)
        each = [wilson(int(row.found), int(row.runs), 1 - 0.05 / len(found)) for row in found.itertuples()]
        sure, of_best = sum(one.low > 0.5 for one in each), each[found["share"].argmax()]
        said.append(
            f"with {activation} the best of {len(found)} cells, {x} {best[x]:g} and {y} {best[y]:g}, finds it in "
            f"{best['found']} of {best['runs']} runs ({of_best.low:.0%} to {of_best.high:.0%}); in {sure or 'no'} "
            f"cell{'' if sure == 1 else 's'} more than half find it beyond the interval"
        )
    return f"The support: {'; '.join(said)}. Intervals are such that all cells of a diagram hold at once in 95 %."


def of_outcomes(phases: pd.DataFrame) -> str:
    """How many of all runs end in which way."""
    said = []
    for activation, rows in phases.groupby("activation", sort=False):
        counts = rows["outcome"].value_counts()
        parts = [f"{counts[name]} {name}" for name in measures.OUTCOMES if name in counts]
        exact = rows["exact"]
        fits = int((exact & rows["outcome"].isin(["recovered", "fitted"])).sum())
        near = rows.loc[exact & ~rows["outcome"].isin(["recovered", "fitted"]), "r2"]
        rest = f" (the others' median R² is {near.median():.3g})" if len(near) else ""
        said.append(
            f"of {len(rows)} {activation} students {listed(parts)}; {int(exact.sum())} have the teacher's support, of "
            f"which {fits} fit at the end{rest}"
        )
    return f"Over all three diagrams, {'. And '.join(said)}."


def of_tree(tree_runs: pd.DataFrame, tree_weights: pd.DataFrame) -> str:
    """Whether the tree is found, and what lies beside it."""
    best = tree_runs[tree_runs["least"]].iloc[0]
    near = int((tree_runs["objective"] <= 1.01 * tree_runs["objective"].min()).sum())
    rows = tree_weights[(tree_weights["kind"] == "minimiser") & (tree_weights["student"] != 0)]
    needed, others = rows[rows["teacher"] != 0], rows[rows["teacher"] == 0]
    total = int((tree_weights[tree_weights["kind"] == "minimiser"]["teacher"] != 0).sum())
    text = (
        f"{near} of {len(tree_runs)} random starts end within 1 % of the least objective, "
        f"{best['minimiser_objective']:.4g} (residual {ten(float(best['minimiser_residual']), 0)}). The best "
        f"keeps {len(needed)} of the {total} weights of the teacher's tree"
    )
    if len(others):
        text += f" and {len(others)} others, of size {others['student'].abs().max():.2g} at most"
    if len(needed):
        text += f", against {needed['student'].abs().min():.2g} at least on the tree"
    return f"{text}. A refit of them has the error {ten(float(best['minimiser_refit_loss']), 0)}."
