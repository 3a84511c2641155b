"""Every method on every regression: rows of chosen coefficients, seconds, objective values, and how the search went."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from sparsenn_book.studies.compressive_sensing import baselines
from sparsenn_book.studies.compressive_sensing.methods import BASELINES, ORACLE, REFITTED, Solved, row, solve
from sparsenn_book.studies.compressive_sensing.pruning import Grid, Proposals, largest_strengths, propose
from sparsenn_book.studies.compressive_sensing.regressions import Regression, draw, families
from sparsenn_book.studies.compressive_sensing.settings import Draws, Paths
from sparsenn_book.studies.compressive_sensing.supports import Refits, refit

TOGETHER = "the four together"
FEW = ", n validation samples"
STUDY = "EGP, the study's strengths"
VARIANTS = (
    "EGP, lambda1 = 0",
    "EGP, one size of weights",
    "EGP, half of lambda0",
    "EGP, last gates only",
    "EGP, validation error alone",
)
Rows = list[dict[str, Any]]


def compared(draws: Draws, grid: Grid, paths: Paths, device: str = "cpu") -> dict[str, pd.DataFrame]:
    """All methods on all draws, in four tables whose rows begin with family, snr and repetition.

    `estimates`: a row for each method and variant, with the metrics, the validation error and the number of
    candidates. `times`: CPU seconds of each method. `objectives`: ||y - F theta||^2 + lambda0 ||theta||_0, least over
    each method's supports. `searches`: how EGP's training went.
    """
    kinds = families(draws.samples, draws.coefficients, draws.nonzeros, draws.rho, draws.places)
    # not recorded: what libraries do at their first call must not count as a method's time
    solve(draw(kinds[0], draws.snrs[0], 0, draws.seed), grid, paths, draws.seed, device)
    tables: dict[str, Rows] = {"estimates": [], "times": [], "objectives": [], "searches": []}
    for family in kinds:
        for repetition in range(draws.repetitions):
            for snr in draws.snrs:
                regression = draw(family, snr, repetition, draws.seed)
                where = {"family": family.name, "snr": snr, "repetition": repetition}
                for name, rows in _tables(regression, grid, paths, draws.seed, device).items():
                    tables[name] += [where | entry for entry in rows]
    return {name: pd.DataFrame(rows) for name, rows in tables.items()}


def _tables(regression: Regression, grid: Grid, paths: Paths, seed: int, device: str) -> dict[str, Rows]:
    solved = solve(regression, grid, paths, seed, device)
    rows = [*solved.rows, _together(solved.rows)]
    studied = refit(regression, propose(regression, grid.with_strengths("study"), seed, device).supports)
    rows.append(row(regression, STUDY, studied.best(size_weight=grid.size_weight), len(studied.supports)))
    rows += _ridged(regression, grid, solved.fits)
    rows += _variants(regression, grid, solved.fits["EGP"], solved.proposals)
    rows += _with_few(regression, grid, paths, solved)
    return {
        "estimates": rows,
        "times": [{"method": name, "seconds": seconds} for name, seconds in solved.seconds.items()],
        "objectives": _objectives(regression, grid, solved.fits),
        "searches": [_search(solved.proposals)],
    }


def _together(rows: Rows) -> dict[str, Any]:
    """One method out of `BASELINES`: the coefficients with the least validation error, from all their candidates."""
    some = [entry for entry in rows if entry["method"].removesuffix(FEW) in BASELINES]
    best = min(some, key=lambda entry: entry["validation"])
    return best | {"method": TOGETHER, "candidates": sum(entry["candidates"] for entry in some)}


def _ridged(regression: Regression, grid: Grid, fits: dict[str, Refits]) -> Rows:
    rows = []
    for name in REFITTED:
        ridged = fits[name].ridged()
        chosen = ridged.best(size_weight=grid.size_weight if name == "EGP" else 0.0)
        rows.append(row(regression, f"{name}, ridge", chosen, ridged.validation.size, ridged.supports))
    return rows


def _with_few(regression: Regression, grid: Grid, paths: Paths, solved: Solved) -> Rows:
    """The comparison when only n validation samples choose, as many as there are for training."""
    n = regression.family.n
    few = replace(
        regression,
        validation_design=regression.validation_design[:n],
        validation_response=regression.validation_response[:n],
    )
    lasso, relaxed = (solved.paths[name] for name in BASELINES[:2])
    chosen = baselines.relaxed_lasso(few, relaxed, paths.relaxed_mixes)
    rows = [
        row(few, "lasso", baselines.lasso(few, lasso), paths.lasso_penalties),
        row(few, "relaxed lasso", chosen, paths.relaxed_penalties * paths.relaxed_mixes),
    ]
    for name in REFITTED:
        fits = solved.fits[name].validated_by(few)
        weight = grid.size_weight if name == "EGP" else 0.0
        rows.append(row(few, name, fits.best(size_weight=weight), len(fits.supports)))
    rows.append(_together(rows))
    return [entry | {"method": entry["method"] + FEW} for entry in rows]


def _variants(regression: Regression, grid: Grid, fits: Refits, proposals: Proposals) -> Rows:
    """EGP with fewer columns or checks, chosen from what it proposed anyway; the empty support always remains."""
    place = {support: i for i, support in enumerate(fits.supports)}
    # supports that are too large to be refitted stand for the empty one
    known = np.array([place.get(support, 0) for support in proposals.supports])
    index = known[proposals.index].reshape(-1, *grid.shape)
    cuts = (index[:, :, [v == 0 for v in grid.lambda1_shares]], index[:, :1], index[..., ::2], index[-1:])
    rows = []
    for name, part in zip(VARIANTS[:-1], cuts, strict=True):
        among = np.unique(np.append(part.ravel(), 0))
        rows.append(row(regression, name, fits.best(size_weight=grid.size_weight, among=among), len(among)))
    rows.append(row(regression, VARIANTS[-1], fits.best(), len(fits.supports)))
    return rows


def _objectives(regression: Regression, grid: Grid, fits: dict[str, Refits]) -> Rows:
    """The least objective of best subset selection over each method's supports, at each of EGP's lambda0."""
    top = largest_strengths(regression.design, regression.response)[0]
    rows = []
    for name, found in fits.items():
        sizes = np.array([len(support) for support in found.supports])
        for share in np.logspace(np.log10(grid.lambda0_least), 0, grid.lambda0_count):
            # the oracle is the true support itself, not the better of it and none
            first = 1 if name == ORACLE else 0
            values = (found.residual + share * top * sizes)[first:]
            rows.append({"method": name, "lambda0_share": share, "objective": float(values.min())})
    return rows


def _search(proposals: Proposals) -> dict[str, Any]:
    return {
        "epochs": proposals.epochs,
        "undecided": proposals.undecided[-1],
        "undecided_gates": proposals.undecided[-1] * len(proposals.gamma),
        "supports": len(proposals.supports),
    }
