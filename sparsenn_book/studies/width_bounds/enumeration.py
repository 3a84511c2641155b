"""The sparsest solution by trying every set of neurons: the study's brute force, for problems of a few neurons."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from sparsenn_core.errors import InputError
from sparsenn_core.lasso.solver import solve_batch

Array = NDArray[np.float64]
Objectives = Callable[[Array, Array], Array]
MOST_PATTERNS = 20_000


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
