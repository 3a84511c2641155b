"""Time and errors of the methods against the number of coefficients."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from sparsenn_book.studies.compressive_sensing.methods import solve
from sparsenn_book.studies.compressive_sensing.pruning import Grid
from sparsenn_book.studies.compressive_sensing.regressions import Family, draw
from sparsenn_book.studies.compressive_sensing.settings import Paths

SAMPLES, NONZEROS = 100, 10  # as in the study's benchmark of run times, whose predictors are independent


@dataclass(frozen=True)
class Sizes:
    """Regressions of n = 100, s = 10 and independent predictors with each p of `size_coefficients`, drawn
    `size_repetitions` times at the signal-to-noise ratio `size_snr`.
    """

    size_coefficients: tuple[int, ...]
    size_repetitions: int
    size_snr: float
    seed: int


def sizes(wanted: Sizes, grid: Grid, paths: Paths, device: str = "cpu") -> pd.DataFrame:
    """One row for each p, draw and method, with its seconds and metrics; all methods of a draw run one after another,
    so that they meet the same machine.
    """
    rows: list[dict[str, Any]] = []
    # not recorded: what libraries do at their first call must not count as a method's time
    solve(draw(Family(20, 20, 2, rho=0.0), wanted.size_snr, 0, wanted.seed), grid, paths, wanted.seed, device)
    for repetition in range(wanted.size_repetitions):
        for p in wanted.size_coefficients:
            family = Family(SAMPLES, p, NONZEROS, rho=0.0)
            solved = solve(draw(family, wanted.size_snr, repetition, wanted.seed), grid, paths, wanted.seed, device)
            where = {"family": family.name, "p": p, "snr": wanted.size_snr, "repetition": repetition}
            rows += [where | row | {"seconds": solved.seconds.get(row["method"])} for row in solved.rows]
    return pd.DataFrame(rows).astype({"seconds": float})
