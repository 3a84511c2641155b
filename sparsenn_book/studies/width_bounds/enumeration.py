"""The sparsest solution by trying every set of neurons: the study's brute force, for problems of a few neurons."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sparsenn_book.studies.width_bounds.problems import small_problems
from sparsenn_book.studies.width_bounds.reference import reference_objectives
from sparsenn_core.errors import InputError
from sparsenn_core.lasso import solve_batch

Array = NDArray[np.float64]
Objectives = Callable[[Array, Array], Array]
MOST_PATTERNS = 20_000
EXACT, STUDYS = 1e-10, 1e-6  # in the objective: room for rounding, and what the study allows
CERTIFIED, CONIC = "certified solver", "study's formulation"


@dataclass(frozen=True)
class EnumerationSettings:
    """`enumerated` problems of the smallest and of the largest K in `widths` by the certified solver, and
    `enumerated_conic` of the smallest by the study's formulation.
    """

    widths: tuple[int, ...]
    enumerated: int
    enumerated_conic: int
    seed: int


@dataclass(frozen=True)
class Enumeration:
    """`best` optimal objective over the sets of each size, and the number of sets tried."""

    best: dict[int, float]
    patterns: int

    @property
    def objective(self) -> float:
        """The best of all."""
        return min(self.best.values())

    def width(self, tolerance: float) -> int:
        """The least size whose best objective is within `tolerance` of the best of all.

        The study takes 1e-6, which also accepts sets that are not optimal: a neuron with ||v_k|| of 4e-4 can be worth
        less. With exact objectives 1e-10 is enough to allow for rounding.
        """
        return min(size for size, value in self.best.items() if value <= self.objective + tolerance)


def by_certificate(features: Array, targets: Array) -> Array:
    """Optimal objectives [C] of C problems, features [C, s, N], targets [C, D, N], by `solve_batch`."""
    return solve_batch(features, targets).objective


def enumerate_supports(features: Array, targets: Array, objectives: Objectives = by_certificate) -> Enumeration:
    """Solve V Phi = Psi on every set of N to K neurons of features [K, N], targets [D, N].

    `objectives` gives the optima of many problems at once; `reference.reference_objectives` is independent of ours.
    Fewer than N neurons cannot fit targets in general position. Raises `InputError` beyond `MOST_PATTERNS` sets.
    """
    width, samples = features.shape
    count = sum(math.comb(width, size) for size in range(samples, width + 1))
    if not 0 < count <= MOST_PATTERNS:
        raise InputError(f"enumeration: {width} neurons give {count} sets; it takes 1 to {MOST_PATTERNS}")
    best = {}
    for size in range(samples, width + 1):
        members = np.array(list(combinations(range(width), size)))
        repeated = np.broadcast_to(targets, (len(members), *targets.shape))
        best[size] = float(objectives(features[members], repeated).min())
    return Enumeration(best, count)


def enumerated(settings: EnumerationSettings, small: pd.DataFrame) -> pd.DataFrame:
    """One row a search: width by trying all sets, that at the study's tolerance, the certified width, seconds."""
    first, last = settings.widths[0], settings.widths[-1]
    plan = [(first, settings.enumerated, CERTIFIED), (last, settings.enumerated, CERTIFIED)]
    plan.append((first, settings.enumerated_conic, CONIC))
    return pd.DataFrame([row for k, count, by in plan for row in _searched(k, count, by, settings.seed, small)])


def _searched(k: int, count: int, by: str, seed: int, small: pd.DataFrame) -> list[dict[str, object]]:
    # as exact as the solver that gives the objectives
    objectives, tolerance = (by_certificate, EXACT) if by == CERTIFIED else (reference_objectives, STUDYS)
    features, targets = small_problems(k, count, seed)
    known = small[small["neurons"] == k].set_index("rep")
    rows: list[dict[str, object]] = []
    for problem in range(min(count, len(known))):
        begun = time.perf_counter()
        found = enumerate_supports(features[problem], targets[problem], objectives)
        row = {"K": k, "by": by, "problem": problem, "sets": found.patterns, "seconds": time.perf_counter() - begun}
        row |= {"width": found.width(tolerance), "width_loose": found.width(STUDYS)}
        row |= {"certified": int(known.loc[problem, "width"])}
        rows.append(row | {"difference": abs(found.objective - float(known.loc[problem, "objective"]))})
    return rows
