"""What the compressive sensing chapter teaches, in a few sentences computed from its tables; Markdown."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Protocol

import pandas as pd

from sparsenn_book.records.estimates import Estimate
from sparsenn_book.records.words import listed
from sparsenn_book.studies.compressive_sensing import measures
from sparsenn_book.studies.compressive_sensing.comparison import FEW, TOGETHER
from sparsenn_book.studies.compressive_sensing.differences import REGIONS, overall
from sparsenn_book.studies.compressive_sensing.findings import change, faster, many, price, steps
from sparsenn_book.studies.compressive_sensing.methods import BASELINES, METHODS, ORACLE
from sparsenn_core.errors import InputError

Tables = Mapping[str, pd.DataFrame]


class FullScale(Protocol):
    """What a chapter knows of the full profile: its tables, and in words how old they are."""

    tables: Tables

    @property
    def age(self) -> str:
        """Empty if they are as today's code would make them."""


COLUMNS = {
    "estimates": {"family", "snr", "repetition", "method", "rte", "asre"},
    "descents": {"family", "repetition", "method", "step", "objective", "price"},
    "objectives": {"family", "snr", "repetition", "method", "lambda0_share", "objective"},
    "sizes": {"family", "snr", "p", "repetition", "method", "rte", "seconds"},
}
"""What the lessons are told from."""
MAIN = "first, rho = 0.35"
"""Of the variations the one with the correlation and coefficients of the main comparison."""


def quotable(full: FullScale, here: Tables, profile: str) -> tuple[Tables, str] | None:
    """The tables to tell findings from and where they hold: the full profile's where they are there and legible, else
    this run's; None where this run is no evidence.
    """
    tables = full.tables
    try:
        if all(name in tables and columns <= set(tables[name].columns) for name, columns in COLUMNS.items()):
            return tables, "at full scale" + (f" ({full.age})" if full.age else "")
    except InputError:  # tables that are there and cannot be read
        pass
    return (here, f"on this page's draws (profile {profile})") if profile not in ("smoke", "custom") else None


def lessons(told: tuple[Tables, str] | None) -> str:
    """What we learned, as a list; the last entry is for practice. Heads and texts follow the tables."""
    if told is None:
        return (
            "*This run is too small, or too much its reader's own, to learn from: no finding is reported from it, and "
            "no tables of the full profile are there.*"
        )
    tables, where = told
    rows, descents = tables["estimates"], tables["descents"]
    entries = [
        _loud(rows),
        *([f"{_elsewhere(tables['variations'])} {many(tables['sizes'])}"] if "variations" in tables else []),
        _quiet(rows),
        _supports(rows),
        steps(descents),
        "**Take to your own training.** To learn a mask, train weights and gates together, look at the masks along "
        f"training, and let a validation set choose among them. {_noisy(rows)} {_cost(tables['sizes'])}",
    ]
    return "\n".join([f"Numbers here are measured {where}; intervals are of 95 %.\n", *(f"- {e}" for e in entries)])


def answer(told: tuple[Tables, str] | None) -> str:
    """The question's answer, longer, and what stays open."""
    if told is None:
        return lessons(told)
    tables, where = told
    rows, objectives = tables["estimates"], tables["objectives"]
    few = change(overall(rows, f"EGP{FEW}", TOGETHER + FEW, REGIONS["above 1"]))
    many = change(overall(rows, "EGP", TOGETHER, REGIONS["above 1"]))
    quiet = "it is " + change(overall(rows, "EGP", TOGETHER, REGIONS["below 1"]))
    scarce = change(overall(rows, f"EGP{FEW}", TOGETHER + FEW, REGIONS["below 1"]))
    missed = measures.misses(objectives, "EGP")
    excess = measures.excess_objectives(objectives).groupby("method")["value"].mean()
    why = (
        f"The true support's objective is {excess[ORACLE]:.0%} above the best known, averaged over all ratios and "
        "$\\lambda_0$; where another support has the lower objective, a better search would not find the true one"
        if excess[ORACLE] > excess["EGP"]
        else "The true support has on average the lower objective"
    )
    return (
        f"Measured {where}: where the signal is stronger than the noise, EGP's test error is {many} than that of the "
        f"four other methods together, of which validation picks one; {few} if only as many samples validate as train. "
        f"Where noise is stronger, {quiet} with 500 validation samples and {scarce} with n. On "
        f"{int(missed.sum())} of {len(missed)} draws the true support has, at some ratio and $\\lambda_0$, a lower "
        f"objective than all that EGP proposed; on average EGP is {excess['EGP']:.1%} above the best known objective. "
        f"{why}.{_behind(tables)} {faster(tables['descents'])}\n\n"
        "Open: designs that are not Gaussian; the study's way of averaging columns and training again, in whose place "
        "a convex refit stands here; whether straight-through gates also choose supports as good; and the study's own "
        "draws, which are not published."
    )


def _behind(tables: Tables) -> str:
    """The other regressions on which another method is better."""
    if "variations" not in tables:
        return ""
    groups = tables["variations"].groupby("family", sort=False)
    found = {measures.spoken(str(name)): measures.strongest(some) for name, some in groups}
    lost = [f"{change(e)} than that of {other} ({name})" for name, (other, e) in found.items() if e.low > 0]
    return f" Among other correlations and coefficients EGP loses where its error is {listed(lost)}." if lost else ""


def _loud(rows: pd.DataFrame) -> str:
    found = {other: overall(rows, "EGP", other, REGIONS["above 1"]) for other in BASELINES}
    better = [other for other, estimate in found.items() if estimate.high < 0]
    who = (
        "each of the four others"
        if len(better) == len(found)
        else listed(better) or "none of the others beyond its 95 % interval"
    )
    told = listed([f"{change(estimate)} than that of {other}" for other, estimate in found.items()])
    text = f"**Averaged over ratios of signal to noise above 1, EGP predicts better than {who}.** Its error is {told}."
    if not (rows["snr"] >= 20).any():
        return text
    behind = [other for other in BASELINES if overall(rows, "EGP", other, (20.0, math.inf)).high < 0]
    lower = f"only than that of {listed(behind)}" if len(behind) < len(BASELINES) else "than that of each of them"
    if not behind:
        lower = "than that of none of them"
    return f"{text} At ratios of 20 and more its error is lower, beyond the 95 % interval, {lower}."


def _elsewhere(variations: pd.DataFrame) -> str:
    """On which other regressions EGP is ahead of each of the others, and on which it is behind one."""
    groups = variations.groupby("family", sort=False)
    found = {measures.spoken(str(name)): measures.strongest(some) for name, some in groups}
    ahead = sum(estimate.high < 0 for _, estimate in found.values())
    apart = [f"{change(e)} than that of {other} ({n})" for n, (other, e) in found.items() if e.low > 0 or e.high < 0]
    known = measures.spoken(MAIN)
    main = f" One of them, {known}, is that of the comparison above." if known in found else ""
    sizes = f" Against the strongest of the others, where the interval decides, its error is {listed(apart)}."
    sizes = sizes if apart else ""
    return (
        "**On several correlations and coefficients EGP predicts better than each of the others, beyond the 95 % "
        f"interval, in {ahead} of {len(found)} cases.**{main}{sizes}"
    )


def _quiet(rows: pd.DataFrame) -> str:
    found = {other: overall(rows, "EGP", other, REGIONS["below 1"]) for other in BASELINES}
    least, most = (pick(100 * math.expm1(e.value) for e in found.values()) for pick in (min, max))
    much = f"at most {max(abs(least), abs(most)):.1f} % apart"
    return (
        f"**Where noise is stronger, EGP and each of the others are {much} on average**, if 500 samples choose the "
        f"tuning parameters. If only as many choose as train, EGP's error is {change(_scarce(rows))} than the lasso's."
    )


def _scarce(rows: pd.DataFrame) -> Estimate:
    """EGP against the lasso where noise is stronger and few samples choose."""
    return overall(rows, f"EGP{FEW}", f"lasso{FEW}", REGIONS["below 1"])


def _noisy(rows: pd.DataFrame) -> str:
    """What exact gradient pruning is worth where noise is stronger."""
    return (
        "Where noise is stronger than the signal, the error of exact gradient pruning (EGP) is "
        f"{change(overall(rows, 'EGP', 'lasso', REGIONS['below 1']))} than a lasso's with 500 validation samples, and "
        f"{change(_scarce(rows))} with as many as train."
    )


def _cost(sizes: pd.DataFrame) -> str:
    """The price alone; the section on times says of which grid."""
    return price(sizes).partition(" Times are")[0]


def _supports(rows: pd.DataFrame) -> str:
    errors = {other: measures.support_errors(rows, other) for other in BASELINES}
    fewer = [other for other, found in errors.items() if found.high < 0]
    told = listed([f"{abs(e.value):.1f} {'fewer' if e.value < 0 else 'more'} than {o}" for o, e in errors.items()])
    who = "each of the others" if len(fewer) == len(errors) else listed(fewer) or "none of the others"
    hits = measures.exact_supports(rows, 20.0).mean()
    exact = listed([f"{name} {hits[name]:.0%}" for name in METHODS])
    return (
        f"**It has fewer wrong coefficients on average than {who}**: {told}. At a ratio of 20, "
        f"though, these shares of draws have exactly the true support: {exact}."
    )
