"""The arithmetic of a certificate, on the data as given: objective, feasibility and duality gap of any V and L.

Constrained, (P): min sum_k ||v_k|| s.t. V Phi = Psi; its dual is max <Psi, L> s.t. ||L phi_k|| <= 1.
Penalised, (Q): min ||V Phi - Psi||_F^2 / (ND) + t sum_k ||v_k||; with the same normalised L its dual is
max t <Psi, L> - (ND t^2 / 4) ||L||_F^2 s.t. ||L phi_k|| <= 1, attained at L = 2 (Psi - V Phi) / (ND t).
Any L becomes dual feasible when divided by max(1, max_k ||L phi_k||), so any pair bounds the optimum from both sides.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Values:
    """objective, bound, gap, residual [R]; norms [R, K] = ||L phi_k|| and dual [R, D, N], both after scaling.

    `error` [R] is what the certificate leaves open: |gap| and, in the constrained case, the residual if larger.
    """

    objective: Array
    bound: Array
    gap: Array
    residual: Array
    error: Array
    norms: Array
    dual: Array


def evaluate(coef: Array, dual: Array, features: Array, targets: Array, strength: Array | None) -> Values:
    """Values of V [R, D, K] with L [R, D, N] on features [R, K, N], targets [R, D, N]. Cost O(DKN) a problem."""
    length = np.linalg.norm(coef, axis=1).sum(-1)
    norms = np.linalg.norm(dual @ features.swapaxes(1, 2), axis=1)
    return values(length, targets - coef @ features, norms, dual, targets, strength)


def values(length: Array, rest: Array, norms: Array, dual: Array, targets: Array, strength: Array | None) -> Values:
    """The same from sum_k ||v_k|| [R], Psi - V Phi [R, D, N] and ||L phi_k|| [R, K]. Cost O(DN) a problem."""
    miss = np.linalg.norm(rest, axis=(1, 2))
    size = np.linalg.norm(targets, axis=(1, 2))
    shrink = 1 / np.maximum(1.0, norms.max(-1))
    reward = (targets * dual).sum((1, 2))
    if strength is None:
        objective, bound = length, shrink * reward
    else:
        entries = targets[0].size
        cost = entries * strength / 2 * (dual * dual).sum((1, 2))
        # a multiple of L below the largest feasible one can be better
        shrink = np.minimum(shrink, np.divide(reward, cost, out=np.ones_like(cost), where=cost > 0))
        objective = miss**2 / entries + strength * length
        bound = strength * (shrink * reward - shrink**2 * cost / 2)
    gap = np.divide(objective - bound, objective, out=np.zeros_like(objective), where=objective != 0)
    residual = np.divide(miss, size, out=miss.copy(), where=size > 0)
    error = np.maximum(np.abs(gap), residual if strength is None else 0.0)
    return Values(objective, bound, gap, residual, error, norms * shrink[:, None], dual * shrink[:, None, None])


@dataclass(frozen=True)
class Certificate:
    """What is proven about given coefficients V.

    The optimum lies in [bound, objective] if V satisfies the constraints (`feasible`); `gap` is the width of that
    interval over the objective. `residual` = ||V Phi - Psi||_F / ||Psi||_F. `norms` [K] = ||L phi_k|| for the dual
    L = `dual` [D, N] behind the bound: a neuron below 1 is used by no solution.
    """

    objective: float
    bound: float
    gap: float
    residual: float
    feasible: bool
    norms: Array
    dual: Array
