"""The sparsest solution by trying every set of neurons: the study's brute force, for problems of a few neurons."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from sparsenn_core.errors import InputError

from .solver import solve_batch

Array = NDArray[np.float64]
Objectives = Callable[[Array, Array], Array]
MOST_PATTERNS = 20_000


@dataclass(frozen=True)
class Enumeration:
    """`width` of the smallest set of neurons whose optimum is the best of all, that `objective`, sets tried."""

    width: int
    objective: float
    patterns: int


def by_certificate(features: Array, targets: Array) -> Array:
    """Optimal objectives [C] of C problems, features [C, s, N], targets [C, D, N], by `solve_batch`."""
    return solve_batch(features, targets).objective


def enumerate_supports(
    features: Array, targets: Array, objectives: Objectives = by_certificate, tolerance: float = 1e-6
) -> Enumeration:
    """Solve V Phi = Psi on every set of N to K neurons of features [K, N], targets [D, N]; `tolerance` is the study's.

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
    least = min(best.values())
    return Enumeration(min(size for size, value in best.items() if value <= least + tolerance), least, count)
