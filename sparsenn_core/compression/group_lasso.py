"""Whole channels at once: the penalised problem where a neuron has several inputs, solved with a certificate.

    min_V ||V Phi - Psi||_F^2 / (n D) + strength sum_k ||V_k||_F,    V_k [D, size] the columns of neuron k.

With amplitudes a_k >= 0, ||V_k|| = min_a (||V_k||^2 / a_k + a_k) / 2. The best V for given a is V_k = a_k L Phi_k' with
L = B G(a)^-1, so that only phi(a) = (tr(B G^-1 B') + sum a) / 2 is left, which is convex: its derivative by a_k is
(1 - ||L Phi_k'||^2) / 2, its second ones are the sums of (U'U) * (Phi' G^-1 Phi) over the entries of two neurons. An
interior-point method walks there; L, divided by max(1, max_k ||L Phi_k'||), is feasible for the dual and bounds the
optimum from below. For neurons of one input this is what `lasso.solve` solves.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

Array = NDArray[np.float64]
GAP = 1e-10
"""Relative duality gap at which to stop."""
STEPS = 100
CENTRE = 0.1
"""Each step aims at a tenth of the complementarity reached."""
BOUNDARY = 0.99
"""Share of the way to a zero amplitude that is gone."""


@dataclass(frozen=True)
class GroupSolution:
    """V [D, F], exactly zero for neurons that are not in use; L [D, n]; the gap relative to the objective."""

    coef: Array
    dual: Array
    objective: float
    gap: float


def certificate(coef: Array, dual: Array, features: Array, targets: Array, strength: float, size: int) -> GroupSolution:
    """Objective of V [D, F] and its gap to the bound that L [D, n] gives, on features [F, n], targets [D, n].

    L is scaled until it is feasible. Cost O(D F n).
    """
    entries = targets.size
    objective = float(((coef @ features - targets) ** 2).sum() / entries + strength * group_norms(coef, size).sum())
    dual = dual / max(1.0, float(group_norms(dual @ features.T, size).max(initial=0.0)))
    bound = float(strength * (targets * dual).sum() - entries * strength**2 / 4 * (dual**2).sum())
    return GroupSolution(coef, dual, objective, (objective - bound) / objective if objective > 0 else 0.0)


def group_norms(columns: Array, size: int) -> Array:
    """||V_k||_F [F / size] of the columns [D, F] of each neuron."""
    return np.sqrt((columns**2).sum(0).reshape(-1, size).sum(1))


def solve_groups(features: Array, targets: Array, strength: float, size: int) -> GroupSolution:
    """The solution for neurons of `size` inputs: features [F, n], targets [D, n], as `data_from_gram` gives them.

    About 25 steps of O(F n^2) for n <= F + 1; memory O(F n).
    """
    root = np.sqrt(targets.size)
    state = _State(features / root, _rows_that_matter(targets) / root, strength / 2, size)
    amplitudes, dual = _interior_point(state)
    amplitudes = _without_zeros(state, amplitudes, dual)
    weighted = np.repeat(amplitudes, size)
    # L of all targets, not only of a basis of their rows
    dual = scipy.linalg.cho_solve(state.factor(amplitudes), (targets / root).T).T
    coef = (dual @ state.features.T) * weighted
    return certificate(coef, dual / root, features, targets, strength, size)


@dataclass(frozen=True)
class _State:
    """The problem scaled: Phi and B, both divided by sqrt(n D), and ridge = strength / 2; B = Psi in few rows."""

    features: Array
    targets: Array
    ridge: float
    size: int

    def factor(self, amplitudes: Array) -> tuple[Array, bool]:
        """Cholesky factor of G(a) = ridge I + sum_k a_k Phi_k Phi_k', [n, n]."""
        weighted = self.features * np.repeat(amplitudes, self.size)[:, None]
        gram = self.features.T @ weighted
        gram[np.diag_indices_from(gram)] += self.ridge
        factor: tuple[Array, bool] = scipy.linalg.cho_factor(gram, lower=True, check_finite=False)
        return factor

    def value(self, amplitudes: Array, factor: tuple[Array, bool]) -> float:
        """phi(a)."""
        half = scipy.linalg.solve_triangular(factor[0], self.targets.T, lower=True, check_finite=False)
        return 0.5 * (float((half**2).sum()) + float(amplitudes.sum()))

    def gap(self, amplitudes: Array, dual: Array) -> float:
        """Relative gap of V(a) to the bound of L, both on this scale: ||V Phi - B||^2 + 2 ridge sum ||V_k||."""
        u = dual @ self.features.T
        norms = group_norms(u, self.size)
        coef = u * np.repeat(amplitudes, self.size)
        primal = float(((coef @ self.features - self.targets) ** 2).sum() + 2 * self.ridge * (amplitudes * norms).sum())
        dual = dual / max(1.0, float(norms.max(initial=0.0)))
        bound = float(2 * self.ridge * (self.targets * dual).sum() - self.ridge**2 * (dual**2).sum())
        return (primal - bound) / primal if primal > 0 else 0.0

    def derivatives(self, factor: tuple[Array, bool]) -> tuple[Array, Array, Array]:
        """L [D, n], gradient [K] and Hessian [K, K] of phi."""
        dual = scipy.linalg.cho_solve(factor, self.targets.T, check_finite=False).T
        u = dual @ self.features.T
        half = scipy.linalg.solve_triangular(factor[0], self.features.T, lower=True, check_finite=False)
        product = (u.T @ u) * (half.T @ half)
        count = len(product) // self.size
        hessian = product.reshape(count, self.size, count, self.size).sum((1, 3))
        return dual, (1 - group_norms(u, self.size) ** 2) / 2, hessian


def _interior_point(state: _State) -> tuple[Array, Array]:
    """Amplitudes and L with the least gap that was met."""
    count = len(state.features) // state.size
    amplitudes = _first_amplitudes(state, count)
    slack = np.full(count, 0.5)
    best, found = np.inf, (amplitudes, np.zeros_like(state.targets))
    for _ in range(STEPS):
        factor = state.factor(amplitudes)
        dual, gradient, hessian = state.derivatives(factor)
        gap = state.gap(amplitudes, dual)
        if gap < best:
            best, found = gap, (amplitudes, dual)
        if best < GAP:
            break
        level = CENTRE * float(amplitudes @ slack) / count
        try:
            system = scipy.linalg.cho_factor(hessian + np.diag(slack / amplitudes), check_finite=False)
            step = scipy.linalg.cho_solve(system, level / amplitudes - gradient, check_finite=False)
            moved = _descended(state, amplitudes, step, _reach(amplitudes, step), gradient, level, factor)
        except np.linalg.LinAlgError:
            moved = None
        if moved is None:
            break  # rounding: no step is better
        slack_step = level / amplitudes - slack - slack / amplitudes * step
        slack = slack + _reach(slack, slack_step) * slack_step
        amplitudes = moved
    return found


def _first_amplitudes(state: _State, count: int) -> Array:
    """Equal ones, of about the size that the fit without a penalty asks for."""
    energy = float((state.features**2).sum()) / count
    return np.full(count, max(np.sqrt(float((state.targets**2).sum()) / max(energy, 1e-300)) / count, 1e-12))


def _reach(at: Array, step: Array) -> float:
    """The share of `step` that keeps `at` above zero."""
    falling = step < 0
    return min(1.0, BOUNDARY * float((-at[falling] / step[falling]).min(initial=np.inf)))


def _descended(
    state: _State,
    amplitudes: Array,
    step: Array,
    reach: float,
    gradient: Array,
    level: float,
    factor: tuple[Array, bool],
) -> Array | None:
    """The first of halved steps along which phi - level sum log a falls; None if none of 30 does."""

    def barrier(a: Array, factor: tuple[Array, bool]) -> float:
        return state.value(a, factor) - level * float(np.log(a).sum())

    here = barrier(amplitudes, factor)
    slope = float((gradient - level / amplitudes) @ step)
    for _ in range(30):
        there = amplitudes + reach * step
        if barrier(there, state.factor(there)) <= here + 1e-4 * reach * slope:
            return there
        reach /= 2
    return None


def _without_zeros(state: _State, amplitudes: Array, dual: Array) -> Array:
    """Amplitudes with zeros for neurons that are not in use: there a_k is far below the slack 1 - ||L Phi_k'||."""
    norms = group_norms(dual @ state.features.T, state.size)
    used = amplitudes > (1 - np.minimum(norms, 1)) * float(amplitudes.max(initial=0.0))
    return np.where(used, amplitudes, 0.0)


def _rows_that_matter(targets: Array) -> Array:
    """Psi [q, n] with the same Psi'Psi and as few rows as its rank: all that amplitudes depend on."""
    if len(targets) <= targets.shape[1]:
        return targets
    return np.asarray(np.linalg.qr(targets, mode="r"))
