"""Sentences of the compressive sensing chapter, computed from its tables; Markdown."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from sparsenn_book.records.estimates import Estimate, mean_interval, median_interval, wilson
from sparsenn_book.records.words import listed
from sparsenn_book.studies.compressive_sensing import measures, recorded
from sparsenn_book.studies.compressive_sensing.comparison import FEW, STUDY, TOGETHER
from sparsenn_book.studies.compressive_sensing.differences import REGIONS, overall
from sparsenn_book.studies.compressive_sensing.methods import BASELINES, METHODS, ORACLE, REFITTED
from sparsenn_book.studies.compressive_sensing.pruning import Grid
from sparsenn_book.studies.compressive_sensing.speedups import EARLY, early_gaps, finals, speedups


def change(found: Estimate) -> str:
    """A mean log ratio as people say it: `4.1 % lower (1.3 to 6.8 %)`."""
    value, low, high = (100 * math.expm1(end) for end in (found.value, found.low, found.high))
    if low > 0 or high < 0:
        ends = sorted(abs(end) for end in (low, high))
        return f"{_side(value)} ({ends[0]:.1f} to {ends[1]:.1f} %)"
    return f"{_side(value)} (between {_side(low)} and {_side(high)})"


def errors(rows: pd.DataFrame) -> str:
    """Who has the lowest median where, and where EGP is furthest from the true support."""
    medians = rows.groupby(["family", "snr", "method"])["rte"].median().unstack("method")
    lowest = medians[list(METHODS)].idxmin(axis=1)
    counts = listed([f"{method} in {int((lowest == method).sum())}" for method in METHODS])
    gap = np.log(medians["EGP"] / medians[ORACLE])
    family, snr = gap.idxmax()
    worse = int((medians[ORACLE] > 1 + medians.index.get_level_values("snr")).sum())
    return (
        "The error is 1 at best and $\\nu + 1$ when all coefficients are set to zero. Of "
        f"{len(medians)} cells (a family at a ratio) the lowest median is that of {counts}. These medians are not "
        "paired: the next section compares methods draw by draw. EGP is furthest above "
        f"least squares on the true support at {family}, $\\nu$ = {snr:g}: {medians.loc[(family, snr), 'EGP']:.2f} "
        f"against {medians.loc[(family, snr), ORACLE]:.2f}. In {worse} cells, those of the lowest ratios, even least "
        "squares on the true support does worse than setting all to zero."
    )


def wins(cells: pd.DataFrame) -> str:
    """In how many comparisons EGP wins and loses beyond the interval."""
    counts = cells["verdict"].value_counts().reindex(["better", "worse", "same", "open"], fill_value=0)
    lost = cells[cells["verdict"] == "worse"]
    losses = listed([f"{row.other} at {row.family}, ν = {row.snr:g}, by {_lost(row)}" for row in lost.itertuples()])
    return (
        f"Of {len(cells)} comparisons, each of {int(cells['count'].min())} draws, EGP's error is lower beyond the "
        f"interval in {counts['better']} and higher in {counts['worse']}" + (f" (against {losses})" if losses else "")
        + f"; in {counts['same']} the draws tie exactly, because both methods choose the same support; in "
        f"{counts['open']} the interval holds both."
    )  # fmt: skip


def against(rows: pd.DataFrame) -> pd.DataFrame:
    """EGP's error against that of each method, by region of ratios and number of validation samples, in words."""
    found: dict[str, dict[str, str]] = {}
    for samples, suffix in (("500 validation samples", ""), ("n validation samples", FEW)):
        for region, ends in REGIONS.items():
            if rows["snr"].between(*ends).any():
                found[f"ratios {region}, {samples}"] = {
                    other: change(overall(rows, "EGP" + suffix, other + suffix, ends))
                    for other in (*BASELINES, TOGETHER)
                }
    return pd.DataFrame(found).rename_axis("EGP's error against")


def ridged(rows: pd.DataFrame) -> pd.DataFrame:
    """The same with ridge refits for all methods that select a subset."""
    others = ["lasso", "relaxed lasso", *(f"{name}, ridge" for name in REFITTED[1:])]
    return pd.DataFrame(
        {
            f"ratios {region}": {other: change(overall(rows, "EGP, ridge", other, ends)) for other in others}
            for region, ends in REGIONS.items()
            if rows["snr"].between(*ends).any()
        }
    ).rename_axis("error of EGP with a ridge refit against")


def supports(rows: pd.DataFrame) -> str:
    """How often the support is exact at a ratio of 20, or the highest there is below."""
    snr = max(value for value in set(rows["snr"]) if value <= 20)
    hits = measures.exact_supports(rows, snr)
    found = {name: wilson(int(hits[name].sum()), len(hits)) for name in METHODS}
    shares = listed([f"{n} {e.value:.0%} ({e.low:.0%} to {e.high:.0%})" for n, e in found.items()])
    return (
        f"At $\\nu$ = {snr:g} the chosen support is exactly the true one in {shares} of {len(hits)} draws. A lasso "
        "penalty that removes all false coefficients also shrinks the true ones, so validation prefers a smaller one."
    )


def search(objectives: pd.DataFrame, rows: pd.DataFrame) -> str:
    """Who reaches the lowest objective, who the lowest error, and how often the truth beats what EGP proposed."""
    excess = measures.excess_objectives(objectives).groupby("method")["value"].mean()
    some = rows[rows["method"].isin(REFITTED)]
    error = np.log(some.pivot(index=["family", "snr", "repetition"], columns="method", values="rte")).mean()
    missed = {name: measures.misses(objectives, name) for name in REFITTED}
    found = wilson(int(missed["EGP"].sum()), len(missed["EGP"]))
    others = listed([f"{int(missed[name].sum())} for {name}" for name in REFITTED[1:]])
    return (
        f"On average EGP is {excess['EGP']:.1%} above the best known value, IHT {excess['IHT']:.1%} and forward "
        f"stepwise selection {excess['forward stepwise']:.1%}; the true support is {excess[ORACLE]:.1%} above it. Of "
        f"the three, {excess[list(REFITTED)].idxmin()} has the lowest objective and {error.idxmin()} the lowest test "
        f"error. On {int(missed['EGP'].sum())} of {found.count} draws ({others}) there is a ratio and a $\\lambda_0$ "
        "at which the true support has a lower objective than all that EGP proposed. On the others it "
        "proposed the truth, or supports with no higher objective; that need not be the lowest objective."
    )


def parts(rows: pd.DataFrame) -> str:
    """What leaving parts out does to the error, in the last region of ratios."""
    region = rows["region"].iloc[-1]
    last = rows[rows["region"] == region].set_index("variant")

    def of(variant: str) -> str:
        entry = last.loc[variant]
        return change(Estimate(-entry["value"], -entry["high"], -entry["low"], int(entry["count"])))

    return (
        f"At ratios {region} the error without columns with an L1 term is {of('EGP, lambda1 = 0')}; with initial "
        f"weights of one size {of('EGP, one size of weights')}; with the last gates only {of('EGP, last gates only')}; "
        f"with the study's fixed strengths {of(STUDY)}; with a ridge refit {of('EGP, ridge')}."
    )


def gradients(descents: pd.DataFrame, ends: pd.DataFrame) -> str:
    """How many times fewer steps, and what each kind of gradient ends with."""
    first = str(descents["family"].iloc[0])
    some = descents[descents["family"] == first]
    truths = ends[(ends["method"] == ORACLE) & (ends["family"] == first)]
    truth = truths.set_index(["family", "repetition"])["objective"]
    above = finals(some).div(truth, axis=0).median().sort_values()
    comes = (speedups(some) > 0).sum().sort_values(ascending=False)
    draws = len(truth)
    return (
        f"{steps(descents)} On {draws} draws of {first} the objective at the end, over that of the true support, is "
        + listed([f"{value:.2f} with {name}" for name, value in above.items()])
        + " (medians). The objective at which the best of the four ends is reached, to within the price of one "
        "coefficient $\\lambda/n$, by " + listed([f"{name} on {count} draws" for name, count in comes.items()]) + "."
    )


def sizes(rows: pd.DataFrame) -> str:
    """How time grows, who is slowest, and EGP's error at the largest p."""
    exponents = {name: mean_interval(measures.time_exponents(rows, name)) for name in ("EGP", *BASELINES)}
    grown = listed([f"{name} {found.value:.2f}" for name, found in exponents.items()])
    return f"{price(rows)} Slopes of the lines, 1 where time is proportional to $p$: {grown}. {many(rows)}"


def many(rows: pd.DataFrame) -> str:
    """EGP's error with the most coefficients, against the method that comes nearest."""
    last = rows[rows["p"] == rows["p"].max()]
    name, found = measures.strongest(last)
    open_ = ", which does not decide between them" if found.low <= 0 <= found.high else ""
    return (
        f"With {int(last['p'].iloc[0]):,} coefficients EGP's test error is {change(found)} than that of {name}, the "
        f"strongest other method, on {found.count} draws{open_}."
    )


def variations(rows: pd.DataFrame) -> str:
    """On each kind of regressions, EGP against the method that comes nearest to it."""
    entries = []
    for family, some in rows.groupby("family", sort=False):
        name, found = measures.strongest(some)
        entries.append(f"{change(found)} than that of {name} ({measures.spoken(str(family))})")
    draws = len(rows.groupby(["family", "repetition"])) // rows["family"].nunique()
    return f"Against the method that comes nearest, EGP's error is {listed(entries)}; {draws} draws of each."


def recorded_gradients() -> pd.DataFrame:
    """The study's printed table for its first problem, with the losses on one scale beside."""
    rows = [
        {
            "gradient": row.method,
            "final loss as printed": row.loss,
            "on one scale": recorded.loss_on_one_scale(recorded.SMALL, row.method),
            "support error": row.support_error,
            "seconds": row.seconds,
            "epochs to convergence": "never" if row.epochs is None else f"{row.epochs:,}",
        }
        for row in recorded.SMALL.rows
    ]
    return pd.DataFrame(rows).set_index("gradient")


def steps(descents: pd.DataFrame) -> str:
    """How many times fewer steps EGP needs than the best of the four, and whether exactness is the cause."""
    first = descents[descents["family"] == descents["family"].iloc[0]]
    factors = speedups(first)
    adam = int((factors["EGP"] > 0).sum())
    gaps = early_gaps(descents, "straight-through", "EGP").groupby("family").median()
    gaps = gaps.reindex(descents["family"].unique())  # the study's first problem first
    gap, beyond = float(gaps.iloc[0]), gaps.iloc[1:][gaps.iloc[1:] > 1]
    ends = finals(first)
    ratio = float((ends["REINFORCE with weights"] / ends["EGP"]).median())
    other = "the other that trains weights, REINFORCE,"
    cause = (
        "So there one sampled gradient does as well as the exact one; "
        if gap <= 1
        else "So there the exact gradient does better than this sampled one; "
    ) + (f"{other} ends {ratio:.1f} times as high (median)." if ratio >= 1.05 else f"{other} ends no higher either.")
    cause += "".join(f" On {name} straight-through is then {_early(v)}." for name, v in beyond.items())
    return (
        f"**{faster(descents)}** Steps are counted until the objective is, to within the price of one coefficient, "
        f"where the best of the four ends. By Adam EGP gets there on {adam} of {len(factors)} draws. "
        f"*Straight-through* samples gates too, but trains weights with them: after {EARLY} steps its objective is "
        f"{_early(gap)}. {cause}"
    )


def faster(descents: pd.DataFrame) -> str:
    """How many times fewer steps EGP needs than the best of the four, on the study's first problem."""
    first = descents[descents["family"] == descents["family"].iloc[0]]
    fast = median_interval(speedups(first)["EGP, descent"])
    return (
        f"On {first['family'].iloc[0]} EGP by plain descent needs {fast.value:.0f} times fewer steps ({fast.low:.0f} "
        f"to {fast.high:.0f}) than the best of the study's four sampled gradients."
    )


def _early(gap: float) -> str:
    if abs(gap) < 0.05:
        return "as low as EGP's (median)"
    return f"{abs(gap):.1f} times the price of a coefficient {'below' if gap < 0 else 'above'} EGP's (median)"


def price(sizes: pd.DataFrame) -> str:
    """What EGP costs at the largest p, and how many times as much as the slowest other."""
    middle = sizes.groupby(["p", "method"])["seconds"].median().unstack("method")
    last = middle.iloc[-1]
    slowest = last[list(BASELINES)].idxmax()
    grid = Grid()
    return (
        f"With {int(middle.index[-1]):,} coefficients EGP takes {last['EGP']:.1f} s on one CPU thread, "
        f"{last['EGP'] / last[slowest]:.1f} times as long as {slowest}, the slowest other method. Times are those of "
        f"{math.prod(grid.shape)} columns and {grid.epochs} steps, whatever grid the errors are from."
    )


def _lost(row: object) -> str:
    return change(Estimate(row.value, row.low, row.high, row.count))  # type: ignore[attr-defined]


def _side(value: float) -> str:
    return f"{abs(value):.1f} % {'lower' if value < 0 else 'higher'}"
