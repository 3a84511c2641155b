"""Exact sparsification of a solution (Caratheodory): fewer neurons, the same outputs, the same cost.

Every solution has v_k = a_k u_k with u_k = L phi_k for one dual optimum L, so sum_k a_k u_k x_k' = B fixes all outputs
and the cost is sum_k a_k. With c in the null space of the atoms u_k x_k', a + t c keeps both (sum_k c_k = 0 follows
from <u_k x_k', L> = 1), so one neuron after another can be driven to zero until the atoms are independent. The atoms
of a problem of ranks p = rank Phi, q = rank Psi span at most pq - q(q-1)/2 dimensions: that many neurons are enough.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import scipy.linalg

from sparsenn_core.lasso.certificate import Array, evaluate
from sparsenn_core.lasso.scaling import Scaling
from sparsenn_core.lasso.solution import Solution

DEPENDENT = 1e-10  # singular values of the unit atoms below this share of the largest count as zero


def sparsify(solution: Solution) -> Solution:
    """A solution with the same outputs and objective whose atoms are independent: a vertex of the optimal set.

    Its width is at most pq - q(q-1)/2; it is the sparsest solution where the solution is unique, else a vertex,
    not necessarily the one with fewest neurons. A solution that is a vertex already comes back as it is.
    Cost O(n^2 pq) for n neurons in use.
    """
    scaling, given = _scaling(solution), solution
    solution = scaling.there(given)
    used = np.flatnonzero(solution.support)
    atoms, amplitudes = _atoms(solution, used)
    null = _null_space(atoms)
    if null.shape[1] == 0:
        return given
    vertex = _to_vertex(amplitudes, null)
    kept = vertex > 0
    wanted = amplitudes @ atoms
    correction, *_ = np.linalg.lstsq(atoms[kept].T, wanted - vertex[kept] @ atoms[kept], rcond=None)
    vertex[kept] += correction
    coef = np.zeros_like(solution.coef)
    coef[:, used[kept]] = solution.coef[:, used[kept]] * (vertex / amplitudes)[kept]
    return scaling.here(_with_coefficients(solution, coef), given)


def atom_rank(solution: Solution) -> int:
    """Dimension that the atoms of the solution's support span; its width where the solution is a vertex."""
    used = np.flatnonzero(solution.support)
    atoms, _ = _atoms(_scaling(solution).there(solution), used)
    return len(used) - _null_space(atoms).shape[1]


def _scaling(solution: Solution) -> Scaling:
    return Scaling.of(solution.features[None], solution.targets[None])


def _atoms(solution: Solution, used: np.ndarray) -> tuple[Array, Array]:
    """Unit atoms u_k (x) x_k [n, q p] in orthonormal coordinates of the features in use, and amplitudes to match."""
    if not len(used):
        return np.zeros((0, 1)), np.zeros(0)
    rows, sizes, _ = np.linalg.svd(solution.features[used], full_matrices=False)
    rows = rows[:, sizes > 1e-12 * sizes[0]]
    length = np.linalg.norm(solution.coef[:, used], axis=0)
    basis, spread, _ = np.linalg.svd(solution.coef[:, used] / length, full_matrices=False)
    u = (basis[:, spread > 1e-12 * spread[0]].T @ solution.coef[:, used] / length).T
    scale = np.linalg.norm(rows, axis=1)
    atoms = (u[:, :, None] * (rows / scale[:, None])[:, None, :]).reshape(len(used), -1)
    return atoms, length * scale


def _null_space(atoms: Array) -> Array:
    """Orthonormal c [n, d] with c' atoms = 0."""
    return scipy.linalg.null_space(atoms.T, rcond=DEPENDENT) if len(atoms) else np.zeros((0, 0))


def _to_vertex(amplitudes: Array, null: Array) -> Array:
    """Walk inside {a >= 0} along the null space, losing one neuron a step, until the null space is used up."""
    a = amplitudes.copy()
    while null.shape[1]:
        c = null[:, 0] if (null[:, 0] < 0).any() else -null[:, 0]
        ratio = np.where(c < 0, a / np.where(c < 0, -c, 1.0), np.inf)
        k = int(ratio.argmin())
        a = np.maximum(a + ratio[k] * c, 0.0)
        a[k] = 0.0
        null = _vanishing_at(null, k)
    return a


def _vanishing_at(null: Array, k: int) -> Array:
    """Orthonormal basis of the vectors in the span of `null` whose entry k is zero: a Householder reflection."""
    mirror = null[k].copy()
    mirror[0] += np.copysign(np.linalg.norm(mirror), mirror[0])
    reflected = null - np.outer(null @ mirror, 2 * mirror / (mirror @ mirror))
    reflected[k] = 0.0
    return reflected[:, 1:]


def _with_coefficients(solution: Solution, coef: Array) -> Solution:
    strength = None if solution.strength is None else np.array([solution.strength])
    values = evaluate(coef[None], solution.dual[None], solution.features[None], solution.targets[None], strength)
    return replace(
        solution,
        coef=coef,
        objective=float(values.objective[0]),
        gap=float(values.gap[0]),
        residual=float(values.residual[0]),
        support=np.linalg.norm(coef, axis=0) > 0,
        margin=float(1 - values.norms[0][~(np.linalg.norm(coef, axis=0) > 0)].max(initial=0.0)),
    )
