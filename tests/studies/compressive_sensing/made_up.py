"""Tables with a known answer, as the chapter's functions would make them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from sparsenn_book.studies import compressive_sensing as cs
from sparsenn_book.studies.compressive_sensing.estimators import REFITTING, WEIGHTED
from sparsenn_book.studies.compressive_sensing.recorded import LARGE, SMALL

FAMILIES = ("n = 100, p = 10, s = 5", "n = 50, p = 1000, s = 5")
SNRS = (0.5, 6.0, 20.0)
METHODS = (*cs.METHODS, cs.ORACLE, cs.TOGETHER, cs.STUDY, *cs.VARIANTS)
ALL = (*METHODS, *(f"{m}, ridge" for m in cs.REFITTED), *(f"{m}{cs.FEW}" for m in (*cs.METHODS, cs.TOGETHER)))
RIDGED = "EGP, ridge"
GRADIENTS = (*WEIGHTED, *REFITTING)


def wiggle(draw: int, size: float = 0.01) -> float:
    """What sets draws apart: a few values around zero."""
    return size * (draw % 5 - 2)


def estimates(
    errors: Mapping[str, float],
    *,
    wrong: Mapping[str, float] | None = None,
    snrs: Sequence[float] = SNRS,
    families: Sequence[str] = FAMILIES,
    repetitions: int = 10,
) -> pd.DataFrame:
    """`errors` by method (1 for others), the same at all ratios but for a little that differs from draw to draw, and
    support errors `wrong` (0 for others).
    """
    rows = []
    for family in families:
        for repetition in range(repetitions):
            for snr in snrs:
                for i, method in enumerate(ALL):
                    error = 1.5 * errors.get(method, 1.0) * np.exp(wiggle(repetition + i))
                    missed = (wrong or {}).get(method, 0.0)
                    rows.append(
                        {
                            "family": family, "snr": snr, "repetition": repetition, "method": method, "rte": error,
                            "rr": error - 1, "pve": 0.5, "nnz": 5.0, "asre": missed + (repetition % 2) * (missed > 0),
                            "validation": error, "candidates": 10, "proposed_truth": 1.0,
                        }
                    )  # fmt: skip
    return pd.DataFrame(rows)


def objectives(values: Mapping[str, float], *, missed: int = 0, repetitions: int = 20) -> pd.DataFrame:
    """Objectives by method, with the true support at 1 and below EGP's on the first `missed` draws at one ratio."""
    rows = []
    for family in FAMILIES:
        for repetition in range(repetitions):
            for snr in SNRS[:2]:
                for share in (0.01, 0.1, 1.0):
                    fails = missed > repetition and family == FAMILIES[0] and snr == SNRS[0] and share == 0.1
                    least = min(values.values())
                    all_values = {**values, cs.ORACLE: least * (0.9 if fails else 1.1)}
                    for method, value in all_values.items():
                        rows.append(
                            {
                                "family": family, "snr": snr, "repetition": repetition, "method": method,
                                "lambda0_share": share, "objective": value * np.exp(wiggle(repetition, 0.001)),
                            }
                        )  # fmt: skip
    return pd.DataFrame(rows)


def searches(undecided: float, repetitions: int = 10) -> pd.DataFrame:
    """So many gates of each column undecided."""
    return pd.DataFrame(
        [
            {
                "family": family, "snr": snr, "repetition": repetition, "epochs": 150, "undecided": 0.0,
                "undecided_gates": undecided * (1 + wiggle(repetition)), "supports": 10,
            }
            for family in FAMILIES for repetition in range(repetitions) for snr in SNRS
        ]
    )  # fmt: skip


def identity(difference: float) -> pd.DataFrame:
    """The identity off by `difference` on one of 20 draws."""
    return pd.DataFrame({"draw": range(20), "difference": [difference] + [0.0] * 19})


def descents(
    when: Mapping[str, float],
    level: Mapping[str, float] | None = None,
    *,
    repetitions: int = 12,
    steps: int = 1500,
    family: str = SMALL.family,
) -> pd.DataFrame:
    """Every gradient falls from 10 to its `level` (1 for others) at the step `when` (never for others)."""
    rows = []
    for repetition in range(repetitions):
        for method in GRADIENTS:
            bottom = (level or {}).get(method, 1.0)
            fall = when.get(method, np.inf) * (1 + wiggle(repetition, 0.02))
            for step in (0, 10, 50, 100, 200, 500, 1000, steps):
                at = 10.0 if step < fall else bottom
                rows.append(
                    {
                        "family": family, "repetition": repetition, "method": method, "step": float(step),
                        "seconds": step / 1e4, "objective": at * np.exp(wiggle(repetition, 0.001)), "price": 0.05,
                    }
                )  # fmt: skip
    return pd.DataFrame(rows)


def ends(flips: Sequence[float], family: str = SMALL.family) -> pd.DataFrame:
    """Ends of every gradient with an objective of 1; EGP's can be improved by so many `flips`, one entry a draw."""
    return pd.DataFrame(
        [
            {
                "family": family, "repetition": repetition, "method": method, "objective": 1.0, "open": 3.0,
                "undecided": 0.0, "support_error": 0.0, "improving_flips": found if method == "EGP" else 0.0,
            }
            for repetition, found in enumerate(flips) for method in (cs.ORACLE, *GRADIENTS)
        ]
    )  # fmt: skip


def sizes(exponent: float, factor: float, *, errors: Mapping[str, float] | None = None, repetitions: int = 6,
          coefficients: Sequence[int] = (1000, 3000)) -> pd.DataFrame:  # fmt: skip
    """Seconds of EGP that grow with p to the `exponent`, and of the others `factor` times less."""
    rows = []
    for p in coefficients:
        part = estimates(errors or {}, families=[f"n = 100, p = {p}, s = 10"], snrs=[6.0], repetitions=repetitions)
        part = part[part["method"].isin((*cs.METHODS, cs.ORACLE))]
        seconds = (p / 1000) ** exponent * np.where(part["method"] == "EGP", 1.0, 1 / factor)
        jitter = np.exp([wiggle(repetition, 0.02) for repetition in part["repetition"]])
        rows.append(part.assign(p=p, seconds=np.where(part["method"] == cs.ORACLE, np.nan, seconds * jitter)))
    return pd.concat(rows, ignore_index=True)


def variations(errors: Mapping[str, Mapping[str, float]], repetitions: int = 6) -> pd.DataFrame:
    """Errors by family and method."""
    found = [
        estimates(values, families=[family], snrs=[6.0], repetitions=repetitions) for family, values in errors.items()
    ]
    return pd.concat(found, ignore_index=True)


GOOD = {"EGP": 0.7, f"EGP{cs.FEW}": 0.8}
WORSE = {"EGP": 1.3, f"EGP{cs.FEW}": 1.3}
CONDITIONS = ("first, rho = 0", "first, rho = 0.7", "first, rho = 0.9", "spread, rho = 0.35", "fours, rho = 0.35")


def tables(**changed: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """All tables of the chapter, in which EGP does what the study says, but for those that are given."""
    known = {
        "identity": identity(1e-15),
        "descents": descents({"EGP": 40, "EGP, descent": 90, "straight-through": 40, "BitFlip-1": 1000}),
        "ends": ends([0.0] * 12),
        "estimates": estimates(GOOD, wrong=dict.fromkeys(cs.BASELINES, 3.0)),
        "objectives": objectives({"EGP": 1.0, "forward stepwise": 1.2, "IHT": 1.2}),
        "searches": searches(1.0),
        "sizes": sizes(1.0, 2.0),
        "variations": variations(dict.fromkeys(CONDITIONS, GOOD)),
    }
    return known | changed


def with_large(rows: pd.DataFrame) -> pd.DataFrame:
    """The same and the study's second problem beside."""
    return pd.concat([rows, rows.assign(family=LARGE.family)], ignore_index=True)
