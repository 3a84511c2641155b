"""The multi-task lasso as the study states it to cvxpy: an independent oracle, and the time to compare with.

One `cp.norm2` for each column and the whole V as the variable, as in the published code; slow to compile, and its
solutions are as exact as the conic solver's tolerance. The core never uses it.
"""

from __future__ import annotations

import cvxpy as cp
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def reference_solve(
    features: Array, targets: Array, strength: float | None = None, solver: str = cp.CLARABEL, **options: float
) -> tuple[Array, float]:
    """(V [D, K], objective) of the problem of `solve`, by a conic solver that cvxpy bundles, at its tolerances."""
    v = cp.Variable((targets.shape[0], features.shape[0]))
    length = sum(cp.norm2(v[:, k]) for k in range(features.shape[0]))
    if strength is None:
        problem = cp.Problem(cp.Minimize(length), [v @ features == targets])
    else:
        problem = cp.Problem(cp.Minimize(cp.sum_squares(v @ features - targets) / targets.size + strength * length))
    problem.solve(solver=solver, **options)
    return np.asarray(v.value), float(problem.value)


def reference_objectives(features: Array, targets: Array) -> Array:
    """Optimal objectives [C] of C problems, features [C, K, N], targets [C, D, N], one after another; 10 to 30 ms each
    for a few neurons."""
    return np.array([reference_solve(x, y)[1] for x, y in zip(features, targets, strict=True)])
