"""Solutions of the multi-task lasso with a certificate each: reduce, interior point, polish, verify on the data."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from .certificate import Array, evaluate
from .interior import Reduced, interior_point
from .newton import solve_right
from .polish import first_support, independent_atoms, metric, near_columns, polish
from .reduction import RANK_TOLERANCE, Reduction, checked, reductions
from .solution import Batch, Solution

CERTIFIED = 1e-12
BOUNDARY = 1e-9
ATTEMPTS = ((1e-10, 0.9), (1e-13, 0.0))  # (gap at which the polish takes over, norm below which to prune)


def solve(
    features: ArrayLike, targets: ArrayLike, strength: float | None = None, *, rtol: float = RANK_TOLERANCE
) -> Solution:
    """The solution V [D, K] of the multi-task lasso on features Phi [K, N] and targets Psi [D, N], float64.

    `strength` None: minimise sum_k ||v_k||_2 subject to V Phi = Psi. A positive strength: minimise
    ||V Phi - Psi||_F^2 / (N D) + strength sum_k ||v_k||_2 (sklearn's and skglm's alpha is strength D / 2).
    `rtol`: singular values of Phi below this share of the largest count as zero (constrained case).
    A bias is the caller's: subtract it from Psi. Raises `InputError` for NaN, shapes that do not match, and
    constraints that no V satisfies, with their residual. About 10 steps of O(K^3), less after pruning; memory O(K^2).
    """
    return solve_batch(np.asarray(features)[None], np.asarray(targets)[None], strength, rtol=rtol)[0]


def solve_batch(
    features: ArrayLike, targets: ArrayLike, strength: ArrayLike | None = None, *, rtol: float = RANK_TOLERANCE
) -> Batch:
    """`solve` for R problems of one shape at once: features [R, K, N], targets [R, D, N], strength None, one or [R].

    Made for thousands of tiny problems. Each problem is solved as `solve` would, up to rounding.
    """
    phi, psi, each = checked(features, targets, strength)
    batch = _zero_solutions(phi, psi, each)
    needed = ~_zero_is_optimal(phi, psi, each)
    for group in reductions(phi, psi, each, rtol):
        open_ = np.flatnonzero(needed[group.members])
        for tol, clear in ATTEMPTS:
            if not len(open_):
                break
            _solve_group(batch, _members(group, open_), tol, clear)
            open_ = open_[~(np.abs(batch.gap[group.members[open_]]) < CERTIFIED)]
    return batch


def _zero_is_optimal(features: Array, targets: Array, strength: Array | None) -> NDArray[np.bool_]:
    """V = 0 solves (Q) exactly if strength >= 2 max_k ||Psi phi_k|| / (ND), and (P) only for zero targets."""
    if strength is None:
        return ~np.any(targets != 0, axis=(1, 2))
    reach = np.linalg.norm(targets @ features.swapaxes(1, 2), axis=1).max(-1)
    return np.asarray(strength >= 2 * reach / targets[0].size)


def _zero_solutions(features: Array, targets: Array, strength: Array | None) -> Batch:
    """The batch to be filled, with V = 0 and the dual that proves it where it is optimal; gap nan elsewhere."""
    count, width, _ = features.shape
    coef = np.zeros((count, targets.shape[1], width))
    dual = np.zeros_like(targets) if strength is None else 2 * targets / (targets[0].size * strength)[:, None, None]
    values = evaluate(coef, dual, features, targets, strength)
    zero = _zero_is_optimal(features, targets, strength)
    boundary = values.norms > 1 - BOUNDARY
    return Batch(
        coef=coef,
        dual=values.dual,
        objective=values.objective,
        gap=np.where(zero, values.gap, np.nan),
        residual=values.residual,
        support=np.zeros((count, width), dtype=bool),
        boundary=boundary,
        unique=np.ones(count, dtype=bool),
        margin=1 - values.norms.max(-1),
        strength=strength,
        features=features,
        targets=targets,
    )


def _members(group: Reduction, index: NDArray) -> Reduction:
    if len(index) == len(group.members):
        return group
    return Reduction(*(getattr(group, name)[index] for name in Reduction.__dataclass_fields__))


def _solve_group(batch: Batch, group: Reduction, tol: float, clear: float) -> None:
    """Solve the problems of a group and write what improves the certificates into the batch."""
    tensors = (torch.from_numpy(np.ascontiguousarray(t)) for t in (group.rows, group.targets, group.ridge))
    problem = Reduced(*tensors)
    near, columns, amplitudes, dual = near_columns(problem, interior_point(problem, tol, clear))
    _write(batch, group, problem, near, columns, *polish(near, amplitudes, dual))
    if not (np.abs(batch.gap[group.members]) < CERTIFIED).all():
        # nearly dependent atoms: Newton's method is lost where the interior iterate is not
        _write(batch, group, problem, near, columns, first_support(near, amplitudes, dual), dual)


def _write(
    batch: Batch,
    group: Reduction,
    problem: Reduced,
    near: Reduced,
    columns: torch.Tensor,
    amplitudes: torch.Tensor,
    dual: torch.Tensor,
) -> None:
    """Certify amplitudes of the near columns with a reduced dual on the data; keep what is better than before."""
    norms = (problem.rows @ dual.mT).norm(dim=-1)
    boundary = norms > 1 - BOUNDARY
    unique = independent_atoms(near, amplitudes, dual, boundary.gather(1, columns)).numpy()
    full = torch.zeros_like(norms).scatter(1, columns, amplitudes)
    coef = _coefficients(batch, group, problem, full, dual)
    mine = group.members
    strength = None if batch.strength is None else batch.strength[mine]
    values = evaluate(coef, group.dual(dual.numpy()), batch.features[mine], batch.targets[mine], strength)
    old, new = np.abs(batch.gap[mine]), np.abs(values.gap)
    better = (new < old) | (np.isnan(old) & np.isfinite(new))
    support = full.numpy() > 0
    off = np.where(support, -np.inf, values.norms).max(-1)
    margin = np.where(np.isfinite(off), 1 - off, 1.0)
    for name, value in (
        ("coef", coef),
        ("dual", values.dual),
        ("objective", values.objective),
        ("gap", values.gap),
        ("residual", values.residual),
        ("support", support),
        ("boundary", boundary.numpy()),
        ("unique", unique),
        ("margin", margin),
    ):
        getattr(batch, name)[mine[better]] = value[better]


def _coefficients(
    batch: Batch, group: Reduction, problem: Reduced, amplitudes: torch.Tensor, dual: torch.Tensor
) -> Array:
    """V [R, D, K] = Q L x_k a_k, with one correction of the constraint's rounding error on the data themselves."""
    mine = group.members
    weighted = amplitudes[..., None] * problem.rows
    coef = group.basis @ (weighted @ dual.mT).mT.numpy()
    if batch.strength is not None:
        return coef
    miss = batch.targets[mine] - coef @ batch.features[mine]
    reduced = torch.from_numpy(miss @ group.lift.swapaxes(1, 2))
    return coef + (weighted @ solve_right(reduced, metric(problem, amplitudes)).mT).mT.numpy()
