"""The findings of the compressive sensing chapter as claims, computed from its tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import pandas as pd

from sparsenn_book.records.claims import Claim, Interval
from sparsenn_book.records.estimates import Estimate, exact, mean_interval, wilson
from sparsenn_book.studies.compressive_sensing import measures
from sparsenn_book.studies.compressive_sensing.comparison import FEW, TOGETHER
from sparsenn_book.studies.compressive_sensing.differences import EVERYWHERE, REGIONS, overall, percent
from sparsenn_book.studies.compressive_sensing.gradient_claims import HIGHER, LOWER, about_gradients
from sparsenn_book.studies.compressive_sensing.methods import BASELINES
from sparsenn_book.studies.compressive_sensing.recorded import CLOSED_FORM, ERRORS, OUTPERFORMS, TIME

BOOK = "this book"
SPOKEN = dict(zip(BASELINES, ("the lasso", "the relaxed lasso", "forward stepwise selection", "IHT"), strict=True))
ENOUGH = 10  # draws
CONDITIONS = {
    "rho-00": ("first, rho = 0", "independent predictors"),
    "rho-07": ("first, rho = 0.7", "predictors of correlation 0.7"),
    "rho-09": ("first, rho = 0.9", "predictors of correlation 0.9"),
    "spread": ("spread, rho = 0.35", "ones spread over all places"),
    "fours": ("fours, rho = 0.35", "ones in front and fours spread over all places"),
}
RATIOS = {"exact-support": 20.0, "exact-support-60000": 60000.0}
MANY = 10_000  # coefficients

Tables = Mapping[str, pd.DataFrame]


def claims(tables: Tables) -> list[Claim]:
    """Every claim of the chapter."""
    return [claim for about, names in groups() for claim in about(*(tables[name] for name in names))]


def groups() -> list[tuple[Callable[..., list[Claim]], tuple[str, ...]]]:
    """The functions that state claims, in the order of the page, with the names of the tables that each is about."""
    return [
        (about_gradients, ("descents", "ends")),
        (about_objective, ("identity", "searches")),
        (about_errors, ("estimates",)),
        (about_supports, ("estimates",)),
        (about_conditions, ("variations", "sizes")),
        (about_time, ("sizes",)),
        (about_parts, ("estimates",)),
        (about_search, ("objectives",)),
    ]


def about_objective(identity: pd.DataFrame, searches: pd.DataFrame) -> list[Claim]:
    """The closed form, and where training ends."""
    return [
        Claim(
            key="cs.identity",
            statement="The closed form of the expected objective equals the sum over all gates to 12 digits.",
            source=CLOSED_FORM,
            measured=exact(identity["difference"].max(), len(identity)), said=(0.0, 1e-12),
        ),
        # with more undecided gates than true coefficients, rounding would decide on the support
        Claim(
            key="cs.vertices",
            statement="Training ends near vertices: fewer gates are neither open nor closed than there are true "
            "coefficients.",
            source=f"{BOOK}; the objective is linear in each gate's probability",
            measured=mean_interval(measures.undecided_gates(searches), unit="undecided gates a true coefficient"),
            ours=(0.0, 1.0), enough=ENOUGH, check=True,
        ),
    ]  # fmt: skip


def about_errors(estimates: pd.DataFrame) -> list[Claim]:
    """Is EGP's test error lower than that of each other method, below and above a signal-to-noise ratio of 1?"""
    found = [
        Claim(
            key=f"cs.{region_key}-{other.replace(' ', '-').lower()}",
            statement=f"Averaged over signal-to-noise ratios {region}, exact gradient pruning (EGP) has a lower "
            f"relative test error than {SPOKEN[other]}.",
            source=ERRORS if other == "forward stepwise" else OUTPERFORMS,
            measured=_error(estimates, "EGP", other, REGIONS[region]), said=LOWER, enough=ENOUGH,
            headline=other == "relaxed lasso" and region == "above 1",
        )
        for other in BASELINES
        for region_key, region in (("low", "below 1"), ("high", "above 1"))
    ]  # fmt: skip
    for key, suffix, samples in (("together", "", "500"), ("few-validation", FEW, "n")):
        found.append(
            Claim(
                key=f"cs.{key}",
                statement=f"Above 1 and with {samples} validation samples EGP's error is lower than that of the four "
                "other methods together, of which validation picks one.",
                source=BOOK, ours=LOWER, enough=ENOUGH, prior=True,
                measured=_error(estimates, f"EGP{suffix}", TOGETHER + suffix, REGIONS["above 1"]),
            )
        )  # fmt: skip
    for other in ("lasso", "relaxed lasso"):
        found.append(
            Claim(
                key=f"cs.few-low-{other.replace(' ', '-')}",
                statement=f"With n validation samples and below 1, EGP's error is higher than that of {SPOKEN[other]}.",
                source=BOOK, ours=HIGHER, enough=ENOUGH, prior=True,
                measured=_error(estimates, f"EGP{FEW}", other + FEW, REGIONS["below 1"]),
            )
        )  # fmt: skip
    return found


def about_supports(estimates: pd.DataFrame) -> list[Claim]:
    """Is the support nearer to the true one, on average and exactly?"""
    found = [
        Claim(
            key=f"cs.support-{other.replace(' ', '-').lower()}",
            statement=f"EGP has fewer coefficients wrongly in or out of the support than {SPOKEN[other]}, averaged "
            "over families and ratios.",
            source=ERRORS, measured=measures.support_errors(estimates, other), said=LOWER, enough=ENOUGH,
        )
        for other in BASELINES
    ]  # fmt: skip
    for key, snr in RATIOS.items():
        hits = measures.exact_supports(estimates, snr)
        found.append(
            Claim(
                key=f"cs.{key}",
                statement=f"At a ratio of {snr:,.0f} forward stepwise selection finds the exact support on more draws "
                "than EGP.",
                source=BOOK, ours=HIGHER, enough=ENOUGH,
                measured=mean_interval(hits["forward stepwise"] - hits["EGP"], unit="of draws") if len(hits) else None,
            )
        )  # fmt: skip
    return found


def about_conditions(variations: pd.DataFrame, sizes: pd.DataFrame) -> list[Claim]:
    """Does it hold for other correlations, other coefficients, and many coefficients?"""
    found = []
    for key, (family, spoken) in CONDITIONS.items():
        rows = variations[variations["family"] == family]
        found.append(_wide_range(f"cs.{key}", f"With {spoken}", rows))
    rows = sizes[sizes["p"] == MANY]
    return [*found, _wide_range("cs.p-10000", f"With p = {MANY:,} coefficients", rows)]


def about_time(sizes: pd.DataFrame) -> list[Claim]:
    """How EGP's time grows, and how it compares. The verdicts have room for another machine's times."""
    exponents, factors = measures.time_exponents(sizes, "EGP"), measures.time_factors(sizes)
    low, high = sizes["p"].min(), sizes["p"].max()
    return [
        # nearer to 1 than to a root or to a power of 3/2
        Claim(
            key="cs.time-linear",
            statement=f"EGP's computing time grows linearly with the number of coefficients from p = {low:,} to "
            f"{high:,}: the exponent is between 0.75 and 1.25.",
            source=TIME, measured=mean_interval(exponents, unit="exponent"), said=(0.75, 1.25), enough=4,
        ),
        Claim(
            key="cs.time", 
            statement="On one CPU thread EGP takes longer than the slowest of the other methods (mean of the ratios "
            f"of times from p = {low:,} to {high:,}).",
            source=BOOK, measured=percent(mean_interval(factors)), ours=HIGHER, enough=4,
        ),
    ]  # fmt: skip


def about_parts(estimates: pd.DataFrame) -> list[Claim]:
    """What the L1 term and the choice among many columns are worth."""
    parts = {
        "l1-columns": ("EGP, lambda1 = 0", "Columns with an L1 term lower EGP's test error."),
        "along-training": (
            "EGP, last gates only",
            "Gates met along training, not only the last ones, lower EGP's test error.",
        ),
    }
    return [
        Claim(
            key=f"cs.{key}", statement=statement, source=BOOK, ours=LOWER, enough=ENOUGH, prior=True,
            measured=_error(estimates, "EGP", other, EVERYWHERE),
        )
        for key, (other, statement) in parts.items()
    ]  # fmt: skip


def about_search(objectives: pd.DataFrame) -> list[Claim]:
    """Does EGP find good values of the objective, and is it the search that limits it?"""
    missed = measures.misses(objectives, "EGP")
    found = [
        # failures on fewer draws move neither the medians nor the bands from 30 to 70 % that figures show
        Claim(
            key="cs.search",
            statement="On fewer than 1 in 10 draws, at any of their ratios, the true support has a lower objective "
            "than all that EGP proposes.",
            source=BOOK, measured=wilson(int(missed.sum()), len(missed)), ours=(0.0, 0.1), enough=30,
        )
    ]  # fmt: skip
    sides = {
        "forward stepwise": ("Averaged over lambda0 forward stepwise reaches a lower objective than EGP.", HIGHER),
        "IHT": ("Averaged over lambda0 EGP reaches a lower objective of best subset selection than IHT.", LOWER),
    }
    for other, (statement, ours) in sides.items():
        ratios = measures.objective_ratios(objectives, "EGP", other)
        found.append(
            Claim(
                key=f"cs.objective-{other.replace(' ', '-').lower()}", statement=statement, source=BOOK,
                measured=percent(mean_interval(ratios)), ours=ours, enough=ENOUGH, prior=True,
            )
        )  # fmt: skip
    return found


def _error(estimates: pd.DataFrame, method: str, other: str, snrs: Interval) -> Estimate | None:
    """By how many percent the error of `method` is above that of `other`; None where no ratio of the region was run."""
    return percent(overall(estimates, method, other, snrs)) if estimates["snr"].between(*snrs).any() else None


def _wide_range(key: str, condition: str, rows: pd.DataFrame) -> Claim:
    """That EGP's error is lower than that of each of the four, measured against the one that comes nearest."""
    measured = None
    if len(rows):
        name, found = measures.strongest(rows)
        measured = percent(found)
        measured = replace(measured, method=f"against {SPOKEN[name]}, the nearest; {measured.method}")
    return Claim(
        key=key,
        statement=f"{condition} EGP's relative test error is lower than that of each of the four other methods.",
        source=ERRORS, measured=measured, said=LOWER, enough=6,
    )  # fmt: skip
