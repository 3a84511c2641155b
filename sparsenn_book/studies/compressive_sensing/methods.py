"""The five methods on one regression: rows of metrics, seconds, and the supports that they proposed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sparsenn_book.studies.compressive_sensing import baselines
from sparsenn_book.studies.compressive_sensing.pruning import Grid, Proposals, propose
from sparsenn_book.studies.compressive_sensing.regressions import Array, Regression, Selected, metrics
from sparsenn_book.studies.compressive_sensing.settings import Paths
from sparsenn_book.studies.compressive_sensing.supports import Refits, Support, refit

BASELINES = ("lasso", "relaxed lasso", "forward stepwise", "IHT")
METHODS = ("EGP", *BASELINES)
ORACLE = "true support"  # least squares on it; no method knows it
REFITTED = ("EGP", "forward stepwise", "IHT")  # methods that propose supports, so that ridge can refit them


@dataclass(frozen=True)
class Solved:
    """One regression solved by `METHODS` and `ORACLE`: a row of metrics for each, `seconds` of path, refits and choice,
    the `fits` of those that propose supports, EGP's `proposals` and the lasso's two `paths` [p, count].
    """

    rows: list[dict[str, Any]]
    seconds: dict[str, float]
    fits: dict[str, Refits]
    proposals: Proposals
    paths: dict[str, Array]


def solve(regression: Regression, grid: Grid, paths: Paths, seed: int, device: str = "cpu") -> Solved:
    """All methods, each timed alone; seconds are CPU seconds, or those of the clock where EGP trains on a GPU."""
    x, y, largest = regression.design, regression.response, regression.family.largest
    rows: list[dict[str, Any]] = []
    seconds: dict[str, float] = {}
    fits: dict[str, Refits] = {}
    known: dict[str, Array] = {}
    for name in BASELINES[:2]:
        start = time.process_time()
        chosen, known[name] = _lasso(name, regression, paths)
        seconds[name] = time.process_time() - start
        candidates = paths.lasso_penalties if name == "lasso" else paths.relaxed_penalties * paths.relaxed_mixes
        rows.append(row(regression, name, chosen, candidates))
    proposed: dict[str, Callable[[], Iterable[Support]]] = {
        "forward stepwise": lambda: baselines.forward_stepwise(x, y, largest),
        "IHT": lambda: baselines.thresholding_path(x, y, min(paths.thresholding_size, largest)),
    }
    for name, path in proposed.items():
        start = time.process_time()
        fits[name] = refit(regression, path())
        chosen = fits[name].best()
        seconds[name] = time.process_time() - start
        rows.append(row(regression, name, chosen, len(fits[name].supports), fits[name].supports))
    clock = time.process_time if device == "cpu" else time.perf_counter
    start = clock()
    proposals = propose(regression, grid, seed, device)
    fits["EGP"] = refit(regression, proposals.supports)
    chosen = fits["EGP"].best(size_weight=grid.size_weight)
    seconds["EGP"] = clock() - start
    rows.append(row(regression, "EGP", chosen, len(fits["EGP"].supports), fits["EGP"].supports))
    fits[ORACLE] = refit(regression, [regression.truth])
    rows.append(row(regression, ORACLE, fits[ORACLE].selected(1), 1))
    return Solved(rows, seconds, fits, proposals, known)


def row(
    regression: Regression, name: str, chosen: Selected, candidates: int, supports: Sequence[Support] | None = None
) -> dict[str, Any]:
    """What a table keeps of what a method chose from so many candidates; `supports` are those it proposed."""
    return {
        "method": name,
        **metrics(regression, chosen.coefficients),
        "validation": chosen.validation,
        "candidates": candidates,
        "proposed_truth": np.nan if supports is None else float(regression.truth in set(supports)),
    }


def _lasso(name: str, regression: Regression, paths: Paths) -> tuple[Selected, Array]:
    if name == "lasso":
        _, path = baselines.lasso_path(regression.design, regression.response, paths.lasso_penalties)
        return baselines.lasso(regression, path), path
    _, path = baselines.lasso_path(regression.design, regression.response, paths.relaxed_penalties)
    return baselines.relaxed_lasso(regression, path, paths.relaxed_mixes), path
