"""What the chapter teaches, in a few sentences computed from its tables; Markdown."""

from __future__ import annotations

import pandas as pd

from sparsenn_book.records.estimates import wilson
from sparsenn_book.records.evidence import TOO_SMALL, FullScale, Tables, evidence
from sparsenn_book.records.words import listed, ten
from sparsenn_book.studies.l1_phases import measures
from sparsenn_book.studies.l1_phases.certificates import CONNECTED
from sparsenn_book.studies.l1_phases.sentences import share
from sparsenn_book.studies.l1_phases.sentences_of_ways import teachers_weights
from sparsenn_book.studies.l1_phases.students import MULTI

HALF = 0.5  # of the draws
EXACT = 1e-8  # an error that a refit has removed
FITS = ("recovered", "fitted")
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
        *_of_samples(tables["phases"]),
        *_of_ways(tables),
        "**Take to your own training.** Choose the strength for the support and refit without it until it has "
        f"converged: the zeros stay.{_of_refits(tables)} Ask `recovery.support_certificate` before you "
        "ask why L1 misses a support, and climb a path from weak penalties to strong ones: units that have died "
        "do not come back on the way down.",
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
    points = [*(f"{part.removesuffix('.').split('. ')[0]}." for part in parts), *_of_samples(tables["phases"])]
    return "\n".join(
        [f"Measured {where}; intervals are of 95 %.\n", *(f"- {point}" for point in points), "", open_ends]
    )


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
    at = f"at strength {ten(float(case['strength'].iloc[0]), 0)} and with {case['samples'].iloc[0]:,} samples"
    head = (
        f"With full connections L1 {'cannot' if never else 'may or may not'} keep exactly this teacher's weights, {at}"
    )
    ratio = case["largest"].median()
    end = (
        " Where it is so, no minimum near the teacher has exactly its weights, however long one trains."
        if never
        else ""
    )
    return [
        f"**{head}**. The teacher has three convolutions, {teachers_weights()} weights in all. Fit these alone, the "
        "others at zero. The *slope* of such a zero weight is the derivative of the error by it, in size; above the "
        "strength, the weight leaves zero. In "
        f"{share(found)} draws with tanh the largest slope is above the strength (median ratio {ratio:.2g}), or a "
        f"weight of the teacher is dropped; {listed(others)}.{end}"
    ]


def _of_paths(tables: Tables) -> list[str]:
    paths = tables["paths"]
    spans = {a: measures.spans(paths, MULTI, a) for a in ("tanh", "relu")}
    met = [span for each in spans.values() for span in each if span[2]]
    if not met:
        return ["**Along no path was the teacher's support met.**"]
    mine = paths[paths["exact"] & (paths["student"] == MULTI)]
    each = [
        f"{a} {ten(least[1], 0)} to {ten(least[2], 0)}"
        for a, found in spans.items()
        if (least := min((s for s in found if s[2]), default=None))
    ]
    worse = int((mine["objective"] > mine["zero_objective"]).sum())
    local = (
        f" On these paths {len(mine)} points have it; at {worse} of them all weights zero would cost less."
        if worse
        else ""
    )
    return [
        "**With the teacher's own convolutions a minimum that is followed along the path keeps exactly the teacher's "
        f"support over {min(met)[0]:.1f} powers of ten of the strength or more**, on {len(met)} of "
        f"{sum(map(len, spans.values()))} paths of the student of 52 weights (each draw of data with tanh and "
        f"with relu). The shortest ranges of strengths are {listed(each)}. "
        f"A refit then leaves an error of {ten(float(mine['refit_loss'].max()), 0)} at most.{local}"
    ]


def _of_refits(tables: Tables) -> str:
    """What a refit reaches on the paths, and after the short runs."""
    exact = tables["phases"][tables["phases"]["exact"]]
    if exact.empty:
        return ""
    fit = int(exact["outcome"].isin(FITS).sum())
    on_paths = tables["paths"].loc[tables["paths"]["exact"], "refit_loss"].max()
    gone = " On the paths the error that the penalty adds goes, too." if on_paths < EXACT else ""
    return (
        f"{gone} After the few steps without penalty of the phase diagrams {fit} of {len(exact)} "
        f"students with the right support fit."
    )


def _of_samples(phases: pd.DataFrame) -> list[str]:
    """The support by samples and by channels."""
    rows = phases[phases["diagram"] == "samples x channels"]
    said = []
    for activation, mine in rows.groupby("activation", sort=False):
        cells = measures.cells(phases, "samples x channels", str(activation))
        best = cells.loc[cells["share"].idxmax()]
        parts = []
        for axis in ("samples", "channels"):  # the same runs, counted twice
            counts = mine.groupby(axis)["exact"].agg(["sum", "size"])
            told = [f"{r['sum']} of {r['size']} with {value:,}" for value, r in counts.iterrows()]
            parts.append(f"by {axis}, {listed(told)}")
        channels = f"{best['channels']} channel{'s' if best['channels'] > 1 else ''}"
        said.append(
            f"Of {len(mine)} {activation} students these find the support: {'; the same runs '.join(parts)} (best "
            f"cell, {best['samples']:,} samples and {channels}: {share(wilson(int(best['found']), int(best['runs'])))})"
        )
    place = f"strength {measures.FIXED['strength']:g} and initial scale {measures.FIXED['scale']:g}"
    return [f"**Samples and channels**, at {place}. {'. '.join(said)}."] if said else []


def _of_phases(tables: Tables) -> list[str]:
    rows = tables["phases"]
    grid = rows[rows["diagram"] == "strength x scale"]
    said = []
    for activation in rows["activation"].unique():
        cells = measures.cells(rows, "strength x scale", str(activation))
        best = cells.loc[cells["share"].idxmax()]
        found = wilson(int(best["found"]), int(best["runs"]))
        said.append(
            f"with {activation} {share(found)} students at strength {best['strength']:g}, scale {best['scale']:g} "
            f"(how the {best['runs']} of this cell end: {best['outcomes']})"
        )
    return [
        "**Whether a short training finds the support is a matter of strength and start**: at best "
        f"{listed(said)}. *Scale* multiplies the initial weights; *fitted* and *recovered* students fit fresh inputs, "
        "*partial* ones fit them in part (R² from 0.01 to 0.99), *dead* ones give zero. Over both activations and all "
        f"scales {_found(grid, 'strength')}. Over all strengths {_found(grid, 'scale')}."
    ]


def _found(grid: pd.DataFrame, axis: str) -> str:
    """Who finds the support at the least value of an axis, what is left of their weights, and how many are dead."""
    rows = grid[grid[axis] == grid[axis].min()]
    found = share(wilson(int(rows["exact"].sum()), len(rows)))
    name = {"strength": "the weakest penalty", "scale": "the smallest start"}[axis]
    return (
        f"{found} find it under {name} ({axis} {rows[axis].iloc[0]:g}), with {rows['nonzero'].median():g} weights left "
        f"in the median; {int((rows['outcome'] == 'dead').sum())} of {len(rows)} students are dead"
    )


def _of_ways(tables: Tables) -> list[str]:
    rows = tables["sparsifiers"]
    said = []
    for way, mine in rows.groupby("way", sort=False):
        error = ten(float(mine["mse"].median()), 1)
        left = mine["nonzero"].median()
        weights = f", {left:g} weights left in the median" if left > teachers_weights() else ""
        said.append(f"{way} {share(wilson(int(mine['exact'].sum()), len(mine)))}, error {error}{weights}")
    return (
        [
            "**At equal compute**, runs that find the support, apart from weights without effect, and the median of "
            f"the mean squared error on fresh inputs: {'; '.join(said)}. The teacher has "
            f"{teachers_weights()} weights."
        ]
        if said
        else []
    )
