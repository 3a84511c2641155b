"""Carrying one network from near a minimum to a stationary point, in float64.

The objective is smooth(w) + sum_i l1_i |w_i|. With w = p - q and p, q >= 0 it becomes a smooth function with bounds,
which L-BFGS-B minimises; coordinates end on their bounds, that is exactly at zero. Newton steps on the non-zero
weights then take the residual down to rounding.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from scipy.optimize import minimize
from torch import Tensor

Smooth = Callable[[Tensor], Tensor]

ROUND = 150  # quasi-Newton iterations before Newton is tried


def polish(smooth: Smooth, w: np.ndarray, l1: np.ndarray, iterations: int, tolerance: float) -> np.ndarray:
    """From w [d] to a stationary point: L-BFGS-B finds which weights are zero, Newton the values of the others.

    The two take turns, `ROUND` quasi-Newton iterations at a time, until the residual is at most `tolerance` or
    `iterations` are used up; l1 [d] is the strength on each weight.
    """
    for _ in range(max(1, iterations // ROUND)):
        w = newton(smooth, quasi_newton(smooth, w, l1, ROUND), l1, tolerance)
        if stationarity(value_and_gradient(smooth, w)[1], w, l1) <= tolerance:
            break
    return w


def value_and_gradient(smooth: Smooth, w: np.ndarray) -> tuple[float, np.ndarray]:
    """smooth(w) and its gradient as numpy, for w [d]."""
    leaf = torch.from_numpy(w).requires_grad_()
    with torch.enable_grad():
        value = smooth(leaf)
        (gradient,) = torch.autograd.grad(value, leaf)
    return value.item(), gradient.numpy()


def stationarity(gradient: np.ndarray, w: np.ndarray, l1: np.ndarray) -> float:
    """The largest entry of the shortest subgradient of smooth + l1 |w|, given the gradient of the smooth part."""
    at_zero = np.maximum(np.abs(gradient) - l1, 0)
    return float(np.where(w == 0, at_zero, np.abs(gradient + l1 * np.sign(w))).max())


def quasi_newton(smooth: Smooth, w: np.ndarray, l1: np.ndarray, iterations: int) -> np.ndarray:
    """L-BFGS-B on w (no l1) or on its positive and negative parts, from w [d]."""
    options = {"maxiter": iterations, "maxfun": 2 * iterations, "ftol": 0.0, "gtol": 1e-11, "maxcor": 20}
    if not l1.any():
        return minimize(lambda v: value_and_gradient(smooth, v), w, jac=True, method="L-BFGS-B", options=options).x

    def split(parts: np.ndarray) -> tuple[float, np.ndarray]:
        p, q = np.split(parts, 2)
        value, gradient = value_and_gradient(smooth, p - q)
        return value + float(l1 @ (p + q)), np.concatenate([gradient + l1, l1 - gradient])

    start = np.concatenate([np.maximum(w, 0), np.maximum(-w, 0)])
    # weights without l1 may have either sign; splitting them too is harmless, their parts only drift together
    found = minimize(split, start, jac=True, method="L-BFGS-B", bounds=[(0, None)] * len(start), options=options).x
    p, q = np.split(found, 2)
    return p - q


def newton(smooth: Smooth, w: np.ndarray, l1: np.ndarray, tolerance: float, steps: int = 8) -> np.ndarray:
    """Damped Newton steps on the non-zero weights while the residual falls; signs and zeros are kept."""
    _, gradient = value_and_gradient(smooth, w)
    residual = stationarity(gradient, w, l1)
    damping = 0.0
    for _ in range(steps):
        support = np.flatnonzero((w != 0) | (l1 == 0))
        if residual <= tolerance or not len(support):
            break
        curvature = _hessian(smooth, w, support)
        force = (gradient + l1 * np.sign(w))[support]
        trial = w.copy()
        # the floor keeps flat directions (a symmetry of the network, an unused unit) from blowing the step up
        floor = max(damping, 1e-12) * max(float(np.abs(np.diag(curvature)).max()), 1e-300)
        trial[support] -= np.linalg.lstsq(curvature + floor * np.eye(len(support)), force, rcond=None)[0]
        trial[(np.sign(trial) != np.sign(w)) & (l1 > 0)] = 0.0
        _, trial_gradient = value_and_gradient(smooth, trial)
        trial_residual = stationarity(trial_gradient, trial, l1)
        if trial_residual < residual:
            w, gradient, residual, damping = trial, trial_gradient, trial_residual, damping / 10
        else:
            damping = max(10 * damping, 1e-8)
    return w


def _hessian(smooth: Smooth, w: np.ndarray, support: np.ndarray) -> np.ndarray:
    """The Hessian of `smooth` in the coordinates `support`, by one backward pass for each of them."""
    full = torch.from_numpy(w)
    index = torch.from_numpy(support)
    with torch.enable_grad():
        leaf = full[index].requires_grad_()
        (gradient,) = torch.autograd.grad(smooth(full.index_copy(0, index, leaf)), leaf, create_graph=True)
        rows = [torch.autograd.grad(g, leaf, retain_graph=True)[0] for g in gradient]
    matrix = torch.stack(rows).numpy()
    return (matrix + matrix.T) / 2
