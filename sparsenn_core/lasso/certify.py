"""The certificate of coefficients that somebody brings."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from sparsenn_core.errors import InputError
from sparsenn_core.lasso.certificate import Certificate, evaluate
from sparsenn_core.lasso.rank_reduction import FEASIBLE, checked
from sparsenn_core.lasso.scaling import Scaling
from sparsenn_core.lasso.solver import solve


def certify(
    coef: ArrayLike,
    features: ArrayLike,
    targets: ArrayLike,
    strength: float | None = None,
    *,
    dual: ArrayLike | None = None,
) -> Certificate:
    """How far V = `coef` [D, K] is from optimal for features [K, N], targets [D, N]; see `solve` for the problems.

    Any `dual` [D, N] gives a valid bound. None: the best one, at the price of a solve. Only the arithmetic of
    `certificate.evaluate` on the data as given enters the numbers. Raises `InputError` for wrong shapes or NaN.
    """
    phi, psi, each = checked(np.asarray(features)[None], np.asarray(targets)[None], strength)
    v = _matrix(coef, "coef", (psi.shape[1], phi.shape[1]))
    if dual is None:
        witness = solve(phi[0], psi[0], strength).dual
    else:
        witness = _matrix(dual, "dual", (psi.shape[1], psi.shape[2]))
    scaling = Scaling.of(phi, psi)
    values = evaluate(scaling.coefficients(v[None]), scaling.dual(witness[None]), *scaling.data(phi, psi, each))
    residual = float(values.residual[0])
    return Certificate(
        objective=float(scaling.objective(values.objective, strength is not None)[0]),
        bound=float(scaling.objective(values.bound, strength is not None)[0]),
        gap=float(values.gap[0]),
        residual=residual,
        feasible=strength is not None or residual <= FEASIBLE,
        norms=values.norms[0],
        dual=scaling.given_dual(values.dual)[0],
    )


def _matrix(values: ArrayLike, name: str, shape: tuple[int, int]) -> np.ndarray:
    array = np.asarray(values, dtype=np.float64)
    if array.shape != shape or not np.isfinite(array).all():
        raise InputError(f"lasso: {name} must be finite with shape {shape}; its shape is {array.shape}")
    return array
