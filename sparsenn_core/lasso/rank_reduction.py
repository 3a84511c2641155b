"""From data to the reduced form: checks, rank reduction, and the way back.

With Phi = X S W' (thin SVD, rank p) the constraint V Phi = Psi reads V X = Psi W S^-1, and with Q an orthonormal basis
of the targets' column space every optimal v_k lies in it (Q Q'V is feasible and no longer), so V = Q Z with q x K
unknowns. Redundant or deficient constraints disappear; infeasible ones are refused with the residual that shows it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sparsenn_core.errors import InputError

Array = NDArray[np.float64]
RANK_TOLERANCE = 1e-10  # singular values below this share of the largest count as zero
FEASIBLE = 1e-10  # relative residual up to which constraints count as feasible


@dataclass(frozen=True)
class RankReduction:
    """R problems of equal ranks: rows [R, K, p], targets [R, q, p], ridge [R].

    `basis` [R, D, q] and `lift` [R, p, N] lead back; `outside` [R, D, N] is what the penalised dual has outside the
    row space of Phi. `members` [R] are the positions of these problems in the batch they come from.
    """

    members: NDArray[np.int64]
    rows: Array
    targets: Array
    ridge: Array
    basis: Array
    lift: Array
    outside: Array

    def dual(self, reduced: Array) -> Array:
        """L [R, D, N] with L phi_k = Q (reduced x_k), from the reduced dual [R, q, p]."""
        return self.basis @ reduced @ self.lift + self.outside


def checked(features: ArrayLike, targets: ArrayLike, strength: ArrayLike | None) -> tuple[Array, Array, Array | None]:
    """The batch as float64 [R, K, N], [R, D, N], [R] or None, or an `InputError` that names what is wrong with it."""
    phi, psi = _stack(features, "features"), _stack(targets, "targets")
    if phi.shape[0] != psi.shape[0] or phi.shape[2] != psi.shape[2]:
        raise InputError(
            f"lasso: features {phi.shape[1:]} do not fit targets {psi.shape[1:]}: features are [K, N] and targets "
            f"[D, N] with one column a sample (in a batch of {phi.shape[0]} and {psi.shape[0]})"
        )
    if strength is None:
        return phi, psi, None
    each = positive(strength)
    if each.ndim and len(each) != len(phi):
        raise InputError(
            f"lasso: {len(each)} strengths for {len(phi)} problems: one number is needed, or one a problem"
        )
    return phi, psi, np.broadcast_to(each, (len(phi),)).copy()


def positive(strength: ArrayLike) -> Array:
    """One strength or a list of them, as float64, or an `InputError`."""
    each = np.asarray(strength, dtype=np.float64)
    if each.ndim > 1 or not (np.isfinite(each) & (each > 0)).all():
        raise InputError(f"lasso: strength is {strength!r}; it must be a positive number, or None for V Phi = Psi")
    return each


def _stack(values: ArrayLike, name: str) -> Array:
    array = np.asarray(values)
    if array.ndim != 3 or array.size == 0:
        shape = array.shape[1:] if array.ndim and array.shape[0] == 1 else array.shape
        raise InputError(f"lasso: {name} must be a matrix with a column for each sample; the shape is {shape}")
    if not (np.issubdtype(array.dtype, np.floating) or np.issubdtype(array.dtype, np.integer)):
        raise InputError(f"lasso: {name} must be real numbers; the type is {array.dtype}")
    array = array.astype(np.float64)
    if not np.isfinite(array).all():
        at = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
        raise InputError(f"lasso: {name} must be finite; entry {at[1:]} of problem {at[0]} is {array[at]}")
    return array


def rank_reductions(features: Array, targets: Array, strength: Array | None, rtol: float) -> list[RankReduction]:
    """Rank reduction of a checked batch, in groups of equal ranks. Problems whose targets are zero are left out.

    The constrained problem cuts singular values at `rtol`, the penalised one, where the ridge keeps every direction
    harmless, only at rounding. Cost O(KN min(K, N)) a problem.
    """
    x, s, wt = np.linalg.svd(features, full_matrices=False)
    rounding = max(features.shape[1:]) * np.finfo(np.float64).eps
    rank = (s > (rtol if strength is None else rounding) * s[:, :1]).sum(-1)
    groups = []
    for p in np.unique(rank):
        of = np.flatnonzero(rank == p)
        xs, ss, wts = x[of, :, :p], s[of, :p], wt[of, :p]
        inside = targets[of] @ wts.swapaxes(1, 2)
        outside = targets[of] - inside @ wts
        if strength is None:
            _require_feasible(outside, targets[of], of, rank[of], rtol)
            rows, reduced, lift, ridge = xs, inside / ss[:, None], wts / ss[..., None], np.zeros(len(of))
            outside = np.zeros_like(outside)
        else:
            root = np.sqrt(targets[0].size)
            rows, reduced, lift, ridge = xs * (ss / root)[:, None], inside / root, wts / root, strength[of] / 2
            # once more, since dividing by a small strength would bring rounding back into the row space
            outside = (outside - (outside @ wts.swapaxes(1, 2)) @ wts) / (root**2 * ridge)[:, None, None]
        basis, sizes, _ = np.linalg.svd(reduced, full_matrices=False)
        q_rank = (sizes > rounding * sizes[:, :1]).sum(-1) if sizes.shape[1] else np.zeros(len(of), dtype=int)
        for q in np.unique(q_rank[q_rank > 0]):
            at = np.flatnonzero(q_rank == q)
            q_basis = basis[at, :, :q]
            q_targets = q_basis.swapaxes(1, 2) @ reduced[at]
            groups.append(RankReduction(of[at], rows[at], q_targets, ridge[at], q_basis, lift[at], outside[at]))
    return groups


def _require_feasible(outside: Array, targets: Array, members: NDArray, rank: NDArray, rtol: float) -> None:
    size = np.linalg.norm(targets, axis=(1, 2))
    residual = np.linalg.norm(outside, axis=(1, 2)) / np.where(size > 0, size, 1.0)
    worst = int(residual.argmax())
    if residual[worst] > FEASIBLE:
        batch = f" (problem {members[worst]})" if members[worst] else ""
        raise InputError(
            f"lasso: no V has V @ features = targets{batch}: the nearest leaves a relative residual of "
            f"{residual[worst]:.3g} (allowed {FEASIBLE:g}); features have rank {rank[worst]} for {targets.shape[2]} "
            f"samples at rtol {rtol:g}; give a strength for the penalised problem"
        )
