"""The findings of the compressive sensing chapter as claims, computed from its rows."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import torch

from sparsenn_book.records import Claim, Interval, exact, mean_interval, wilson
from sparsenn_book.studies.compressive_sensing.comparison import BASELINES, FEW, TOGETHER, Comparison
from sparsenn_book.studies.compressive_sensing.differences import CELL, overall
from sparsenn_book.studies.compressive_sensing.objective import enumerated_loss, expected_loss
from sparsenn_core.randomness import generator

CHAPTER = "06_compressive_sensing"
STUDY = "Barth and von Petersenn, arXiv 2509.15060, abstract"
NAMED = ("lasso", "relaxed lasso", "IHT")  # the methods that the abstract names
SPOKEN = dict(zip(BASELINES, ("the lasso", "the relaxed lasso", "forward stepwise selection", "IHT"), strict=True))
BELOW: Interval = (-math.inf, 0.0)
REGIONS = {"low": (0.0, 1.0), "high": (1.0, math.inf)}
"""Signal-to-noise ratios below and above 1."""


def claims(compared: Comparison) -> list[Claim]:
    """Every claim of the chapter."""
    return [*about_objective(compared), *about_methods(compared), *about_parts(compared), *about_search(compared)]


def identity_error(draws: int, seed: int) -> float:
    """The largest relative difference of the closed form and the sum over all gates on random problems of 8 gates."""
    source = generator(seed, "identity")
    worst = 0.0
    for _ in range(draws):
        design = torch.randn(6, 8, generator=source, dtype=torch.float64)
        response = torch.randn(6, generator=source, dtype=torch.float64)
        w = torch.randn(8, generator=source, dtype=torch.float64)
        gamma = torch.rand(8, generator=source, dtype=torch.float64)
        slow = enumerated_loss(design, response, w, gamma, 0.7, 0.3)
        fast = expected_loss(design, response, w[:, None], gamma[:, None], 0.7, 0.3)[0]
        worst = max(worst, float((fast / slow - 1).abs()))
    return worst


def about_objective(compared: Comparison) -> list[Claim]:
    """The closed form, and where training ends."""
    decided = 1 - compared.searches["undecided"]
    return [
        Claim(
            key="cs.identity", chapter=CHAPTER,
            statement="The closed form of the expected objective equals the sum over all gates to 12 digits.",
            source=f"{STUDY}: exact gradients without sampling",
            measured=exact(identity_error(20, 0), 20), said=(0.0, 1e-12),
        ),
        Claim(
            key="cs.vertices", chapter=CHAPTER,
            statement="Training ends near vertices: at least 95 % of the gates are exactly open or closed.",
            source="this book; the objective is linear in each gate's probability",
            measured=mean_interval(decided), ours=(0.95, 1.0), enough=10,
        ),
    ]  # fmt: skip


def about_methods(compared: Comparison) -> list[Claim]:
    """Is EGP's test error lower than each baseline's, below and above a signal-to-noise ratio of 1?"""
    found = []
    for other in BASELINES:
        for region, snrs in REGIONS.items():
            said = BELOW if other in NAMED else None
            found.append(
                Claim(
                    key=f"cs.{region}-{other.replace(' ', '-').lower()}", chapter=CHAPTER,
                    statement=f"At signal-to-noise ratios {'below' if region == 'low' else 'above'} 1, EGP's relative "
                    f"test error is lower than that of {SPOKEN[other]} (mean over settings of the log of the ratio).",
                    source=f'{STUDY}: outperforms these methods "across a wide range of settings and signal-to-noise '
                    'ratios"' if said else "this book",
                    measured=overall(compared.estimates, "EGP", other, snrs),
                    said=said, ours=(0.0, math.inf) if said else BELOW, enough=10,
                )
            )  # fmt: skip
    for key, suffix, samples in (("together", "", "500"), ("few-validation", FEW, "n")):
        found.append(
            Claim(
                key=f"cs.{key}", chapter=CHAPTER,
                statement=f"Above 1 and with {samples} validation samples EGP's error is lower than that of the four "
                "methods together, of which validation picks one.",
                source="this book", ours=BELOW, enough=10,
                measured=overall(compared.estimates, f"EGP{suffix}", TOGETHER + suffix, REGIONS["high"]),
            )
        )  # fmt: skip
    return [*found, *about_losses(compared.estimates)]


def about_losses(estimates: pd.DataFrame) -> list[Claim]:
    """Where EGP is behind: low ratios with few validation samples, exact supports at the highest ratio, and time."""
    top = estimates[estimates["snr"] == estimates["snr"].max()].assign(hit=lambda rows: rows["asre"] == 0)
    hits = top.pivot(index=CELL, columns="method", values="hit").astype(float)
    spent = estimates.pivot(index=CELL, columns="method", values="seconds")
    slowest = np.log(spent["EGP"] / spent[list(BASELINES)].max(axis=1)).groupby(level=["setting", "repetition"]).mean()
    few = [
        Claim(
            key=f"cs.few-low-{other.replace(' ', '-')}", chapter=CHAPTER,
            statement=f"With n validation samples and below 1, EGP's relative test error is higher than the {other}'s.",
            source="this book", ours=(0.0, math.inf), enough=10,
            measured=overall(estimates, f"EGP{FEW}", other + FEW, REGIONS["low"]),
        )
        for other in ("lasso", "relaxed lasso")
    ]  # fmt: skip
    return [
        *few,
        Claim(
            key="cs.exact-support", chapter=CHAPTER,
            statement="At the highest ratio forward stepwise finds the exact support on more draws than EGP.",
            source="this book", measured=mean_interval(hits["forward stepwise"] - hits["EGP"]),
            ours=(0.0, math.inf), enough=10,
        ),
        Claim(
            key="cs.time", chapter=CHAPTER,
            statement="On one CPU thread EGP takes more time than the slowest of the other methods (log of the ratio).",
            source="this book", measured=mean_interval(slowest), ours=(0.0, math.inf), enough=10,
        ),
    ]  # fmt: skip


def about_parts(compared: Comparison) -> list[Claim]:
    """What the L1 term and the choice among many columns are worth."""
    everywhere = (0.0, math.inf)
    parts = {
        "l1-columns": ("EGP, lambda1 = 0", "Columns with an L1 term lower EGP's test error."),
        "along-training": (
            "EGP, last gates only",
            "Gates met along training, not only the last ones, lower EGP's test error.",
        ),
    }
    return [
        Claim(
            key=f"cs.{key}", chapter=CHAPTER, statement=statement, source="this book",
            measured=overall(compared.estimates, "EGP", other, everywhere), ours=BELOW, enough=10,
        )
        for key, (other, statement) in parts.items()
    ]  # fmt: skip


def about_search(compared: Comparison) -> list[Claim]:
    """Does EGP find good values of the objective, and is it the search that limits it?"""
    missed = compared.searches["missed_truth"]
    found = [
        Claim(
            key="cs.search", chapter=CHAPTER,
            statement="On fewer than 1 in 10 problems the true support beats all that EGP proposes at some lambda0.",
            source="this book", measured=wilson(int(missed.sum()), len(missed)), ours=(0.0, 0.1), enough=30,
        )
    ]  # fmt: skip
    sides = {
        "forward stepwise": (
            "Averaged over lambda0 forward stepwise reaches a lower objective than EGP.",
            (0.0, math.inf),
        ),
        "IHT": ("Averaged over lambda0 EGP reaches a lower objective of best subset selection than IHT.", BELOW),
    }
    for other, (statement, ours) in sides.items():
        found.append(
            Claim(
                key=f"cs.objective-{other.replace(' ', '-').lower()}", chapter=CHAPTER, statement=statement,
                source="this book", measured=mean_interval(objective_ratios(compared.objectives, "EGP", other)),
                ours=ours, enough=10,
            )
        )  # fmt: skip
    return found


def objective_ratios(objectives: pd.DataFrame, method: str, other: str) -> pd.Series:
    """Mean over lambda0 and snr of ln(objective of `method` / of `other`): one value a setting and repetition."""
    wide = objectives.pivot(index=[*CELL, "lambda0_share"], columns="method", values="objective")
    return np.log(wide[method] / wide[other]).groupby(level=["setting", "repetition"]).mean()


def excess_objectives(objectives: pd.DataFrame) -> pd.DataFrame:
    """Objective over the least that any method or the truth reaches on the problem at that lambda0, minus 1.

    Columns setting, method, lambda0_share, value: means over problems.
    """
    keys = [*CELL, "lambda0_share"]
    least = objectives.groupby(keys)["objective"].transform("min")
    rows = objectives.assign(value=objectives["objective"] / least - 1)
    return rows.groupby(["setting", "method", "lambda0_share"], sort=False)["value"].mean().reset_index()
