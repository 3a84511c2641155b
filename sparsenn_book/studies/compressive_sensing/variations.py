"""The methods on other correlations of the predictors and other kinds of coefficients."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from sparsenn_book.studies.compressive_sensing.methods import solve
from sparsenn_book.studies.compressive_sensing.pruning import Grid
from sparsenn_book.studies.compressive_sensing.regressions import Family, draw
from sparsenn_book.studies.compressive_sensing.settings import Paths

SAMPLES, COEFFICIENTS, NONZEROS = 50, 1000, 5
USUAL = (0.35, "first")


@dataclass(frozen=True)
class Variations:
    """Regressions of n = 50, p = 1000 and s = 5: each correlation of `rhos` with ones in front, and each kind of
    coefficients of `kinds` (see `Family.places`) with correlation 0.35, drawn `variation_repetitions` times and shown
    at each of `variation_snrs`.
    """

    rhos: tuple[float, ...]
    kinds: tuple[str, ...]
    variation_snrs: tuple[float, ...]
    variation_repetitions: int
    seed: int


def variations(wanted: Variations, grid: Grid, paths: Paths, device: str = "cpu") -> pd.DataFrame:
    """One row for each correlation and kind (the usual one once), ratio, draw and method; columns as `estimates`, and
    rho and places. Draws are the same for all.
    """
    kinds = dict.fromkeys([*((rho, USUAL[1]) for rho in wanted.rhos), *((USUAL[0], kind) for kind in wanted.kinds)])
    rows: list[dict[str, Any]] = []
    for rho, places in kinds:
        family = Family(SAMPLES, COEFFICIENTS, NONZEROS, rho=rho, places=places)
        for repetition in range(wanted.variation_repetitions):
            for snr in wanted.variation_snrs:
                solved = solve(draw(family, snr, repetition, wanted.seed), grid, paths, wanted.seed, device)
                where = {"rho": rho, "places": places, "family": f"{places}, rho = {rho:g}"}
                rows += [where | {"snr": snr, "repetition": repetition} | row for row in solved.rows]
    return pd.DataFrame(rows)
