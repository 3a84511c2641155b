"""Carrying one network from near a minimum to a stationary point of a penalised loss, in float64.

The objective is loss(f(w), y) + l2 . w^2 + l1 . |w|, with a strength of each kind for every weight and the mean squared
error or the cross-entropy as the loss. Stages:

1. L-BFGS-B. With w = p - q and p, q >= 0 the objective becomes smooth with bounds; weights end on their bounds, that
   is exactly at zero.
2. Proximal Newton steps with Levenberg-Marquardt damping: the smooth part is replaced by a quadratic, which leaves a
   small lasso that coordinate descent solves exactly; zeros stay exact. First with the cheap Gauss-Newton curvature,
   then a few with the true Hessian, which the flat directions under a weak L2 penalty need. Where that is indefinite it
   is shifted until it is not.

All of this takes the loss to be smooth. A relu network's is not: where a sample lies on the edge of a unit, gradients
jump, no quadratic fits both sides, and the steps are damped to nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from scipy.optimize import minimize
from torch import Tensor
from torch.func import grad, hessian, vmap

from sparsenn_core.training.curvature import Criterion

Array = np.ndarray
Model = Callable[[Tensor, Tensor], Tensor]
"""(weights [d], inputs [n, ...]) -> outputs [n, out]."""

QUASI_NEWTON_ITERATIONS = 100


@dataclass(frozen=True)
class Problem:
    """loss(model(w, x), y) + sum l2 w^2 + sum l1 |w| for w [d]; l1 and l2 are [d]."""

    model: Model
    x: Tensor
    y: Tensor
    l1: Array
    l2: Array
    loss: Criterion

    def fit(self, w: Tensor) -> Tensor:
        """The loss alone."""
        return self.loss.value(self.model(w, self.x), self.y)

    def smooth(self, w: Array) -> tuple[float, Array]:
        """The value and gradient without the l1 term."""
        leaf = torch.from_numpy(w).requires_grad_()
        with torch.enable_grad():
            value = self.fit(leaf)
            (gradient,) = torch.autograd.grad(value, leaf)
        return value.item() + float(self.l2 @ w**2), gradient.numpy() + 2 * self.l2 * w

    def value(self, w: Array) -> float:
        """The objective."""
        with torch.no_grad():
            fit = self.fit(torch.from_numpy(w)).item()
        return fit + float(self.l2 @ w**2 + self.l1 @ np.abs(w))

    def residual(self, w: Array, gradient: Array) -> float:
        """The largest entry of the shortest subgradient, given the gradient of the smooth part."""
        at_zero = np.maximum(np.abs(gradient) - self.l1, 0)
        return float(np.where(w == 0, at_zero, np.abs(gradient + self.l1 * np.sign(w))).max())

    def hessian(self, w: Array) -> Array:
        """The Hessian of the smooth part; about 50 times the cost of `gauss_newton` for 52 weights."""
        return hessian(self.fit)(torch.from_numpy(w)).numpy() + np.diag(2 * self.l2)

    def gauss_newton(self, w: Array) -> Array:
        """The Gauss-Newton matrix J' H J + 2 l2, H the Hessian of the loss in the outputs."""
        weights = torch.from_numpy(w)
        with torch.no_grad():
            outputs = self.model(weights, self.x)
        matrix = np.diag(2 * self.l2)
        for part in self.loss.curvature((self._jacobian(weights, u) for u in range(outputs.shape[1])), outputs):
            matrix += part
        return matrix

    def _jacobian(self, weights: Tensor, unit: int) -> Array:
        """The gradient of one output at every sample, [n, d]."""

        def output(weights: Tensor, sample: Tensor) -> Tensor:
            return self.model(weights, sample.unsqueeze(0))[0, unit]

        return vmap(grad(output), in_dims=(None, 0))(weights, self.x).numpy()


def to_stationary_point(problem: Problem, w: Array, steps: int, tolerance: float) -> Array:
    """From w [d] to a stationary point, until the residual is at most `tolerance` or the steps are used up."""
    w = quasi_newton(problem, w)
    w = descend(problem, w, problem.gauss_newton, steps, tolerance)
    return descend(problem, w, problem.hessian, steps // 4, tolerance)


def quasi_newton(problem: Problem, w: Array) -> Array:
    """A round of L-BFGS-B from w [d]: on w itself, or with l1 on its positive and negative parts."""
    options = {"maxiter": QUASI_NEWTON_ITERATIONS, "ftol": 0.0, "gtol": 1e-12, "maxcor": 20}
    if not problem.l1.any():
        return minimize(problem.smooth, w, jac=True, method="L-BFGS-B", options=options).x

    def split(parts: Array) -> tuple[float, Array]:
        p, q = np.split(parts, 2)
        value, gradient = problem.smooth(p - q)
        return value + float(problem.l1 @ (p + q)), np.concatenate([gradient + problem.l1, problem.l1 - gradient])

    start = np.concatenate([np.maximum(w, 0), np.maximum(-w, 0)])
    found = minimize(split, start, jac=True, method="L-BFGS-B", bounds=[(0, None)] * len(start), options=options).x
    p, q = np.split(found, 2)
    return p - q


def descend(problem: Problem, w: Array, curvature: Callable[[Array], Array], steps: int, tolerance: float) -> Array:
    """At most `steps` damped proximal Newton steps with the given curvature; the objective never rises."""
    value = problem.value(w)
    gradient = problem.smooth(w)[1]
    residual = problem.residual(w, gradient)
    if residual <= tolerance:
        return w
    matrix = _convex(curvature(w))
    damping = 1e-3
    for _ in range(steps):
        if residual <= tolerance or damping > 1e12:
            break
        shift = damping * max(float(np.diag(matrix).mean()), 1e-12)
        trial = lasso_step(matrix + shift * np.eye(len(w)), gradient, w, problem.l1)
        trial_value = problem.value(trial)
        trial_gradient = problem.smooth(trial)[1]
        trial_residual = problem.residual(trial, trial_gradient)
        falls = trial_value < value or (trial_value <= value * (1 + 1e-13) and trial_residual < residual)
        if falls and np.isfinite(trial_value):
            w, value, gradient, residual = trial, trial_value, trial_gradient, trial_residual
            matrix = _convex(curvature(w))
            damping = max(damping / 5, 1e-14)
        else:
            damping *= 4
    return w


def _convex(matrix: Array) -> Array:
    """`matrix`, with its lowest eigenvalue turned positive where it is negative: a step must not seek a saddle."""
    lowest = np.linalg.eigvalsh(matrix)[0] if np.isfinite(matrix).all() else 0.0
    # an eigenvalue of a semidefinite matrix that is negative by rounding alone
    rounding = len(matrix) * np.finfo(np.float64).eps * np.abs(np.diag(matrix)).max()
    return matrix - 2 * lowest * np.eye(len(matrix)) if lowest < -rounding else matrix


def lasso_step(matrix: Array, gradient: Array, w: Array, l1: Array, sweeps: int = 200) -> Array:
    """argmin over u of gradient . (u - w) + (u - w)' matrix (u - w) / 2 + l1 . |u|, by coordinate descent from w."""
    if not l1.any():
        return w - np.linalg.solve(matrix, gradient)
    u, slope, diagonal = w.copy(), gradient.copy(), np.diag(matrix)
    for _ in range(sweeps):
        largest = 0.0
        for i in range(len(u)):
            aim = u[i] - slope[i] / diagonal[i]
            new = np.sign(aim) * max(abs(aim) - l1[i] / diagonal[i], 0.0)
            if new != u[i]:
                slope += matrix[i] * (new - u[i])
                largest = max(largest, abs(new - u[i]))
                u[i] = new
        if largest <= 1e-13 * max(1.0, float(np.abs(u).max())):
            break
    return _on_support(matrix, gradient, w, l1, u)


def _on_support(matrix: Array, gradient: Array, w: Array, l1: Array, u: Array) -> Array:
    """The same minimum to full precision: one linear solve on the support that coordinate descent found."""
    s = np.flatnonzero(u)
    if not len(s):
        return u
    force = gradient[s] - matrix[s] @ w + l1[s] * np.sign(u[s])
    exact = np.zeros_like(u)
    exact[s] = np.linalg.solve(matrix[np.ix_(s, s)], -force)
    return exact if (np.sign(exact) == np.sign(u)).all() else u
