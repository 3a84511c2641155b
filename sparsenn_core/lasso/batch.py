"""Many problems at once: reduce, interior point, Newton on the support, verify on the data."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from sparsenn_core.lasso.amplitude_system import solve_right
from sparsenn_core.lasso.certificate import Array, evaluate
from sparsenn_core.lasso.interior import Reduced, interior_point
from sparsenn_core.lasso.newton_on_support import (
    first_support,
    independent_atoms,
    near_columns,
    newton_on_support,
    shifted_gram_factor,
)
from sparsenn_core.lasso.rank_reduction import RANK_TOLERANCE, RankReduction, checked, rank_reductions
from sparsenn_core.lasso.scaling import Scaling
from sparsenn_core.lasso.solution import Batch

CERTIFIED = 1e-12  # largest gap, and residual of the constraints, with which a solution is final
BOUNDARY = 1e-9  # ||L phi_k|| > 1 - BOUNDARY counts as 1
CORRECTIONS = 2  # of the rounding error of the constraints
CORRECTION_SHIFT = (
    1e-13  # smaller than that of Newton's method: these steps must converge where the support is nearly dependent
)
TOGETHER = 2**18  # entries of the K x K systems solved in one batch: what stays in cache
ATTEMPTS = (
    (1e-10, 0.9),
    (1e-13, 0.0),
)  # (gap from which Newton's method goes on, norm below which columns are set aside)


def solve_batch(
    features: ArrayLike, targets: ArrayLike, strength: ArrayLike | None = None, *, rtol: float = RANK_TOLERANCE
) -> Batch:
    """`solve` for R problems of one shape at once: features [R, K, N], targets [R, D, N], strength None, one or [R].

    Made for thousands of tiny problems. Each problem is solved as `solve` would, up to rounding.
    """
    given = checked(features, targets, strength)
    scaling = Scaling.of(*given[:2])
    phi, psi, each = scaling.data(*given)
    best = _Best(phi, psi, each)
    together = max(1, TOGETHER // phi.shape[1] ** 2)
    for group in rank_reductions(phi, psi, each, rtol):
        for tol, clear in ATTEMPTS:
            still = np.flatnonzero(best.error[group.members] >= CERTIFIED)
            for start in range(0, len(still), together):
                _solve_group(best, _members(group, still[start : start + together]), tol, clear)
    return scaling.back(best.batch, *given)


class _Best:
    """The best certified solution so far of every problem; `error` [R] is its gap or residual, inf before the first."""

    def __init__(self, features: Array, targets: Array, strength: Array | None) -> None:
        """Start with V = 0 and the dual that proves it wherever it is optimal.

        That is for zero targets in (P), and for strength >= 2 max_k ||Psi phi_k|| / (ND) in (Q).
        """
        count, width, _ = features.shape
        coef = np.zeros((count, targets.shape[1], width))
        dual = np.zeros_like(targets) if strength is None else 2 * targets / (targets[0].size * strength)[:, None, None]
        values = evaluate(coef, dual, features, targets, strength)
        self.batch = Batch(
            coef=coef,
            dual=values.dual,
            objective=values.objective,
            gap=values.gap,
            residual=values.residual,
            support=np.zeros((count, width), dtype=bool),
            boundary=values.norms > 1 - BOUNDARY,
            unique=np.ones(count, dtype=bool),
            margin=1 - values.norms.max(-1),
            strength=strength,
            features=features,
            targets=targets,
        )
        self.error = np.where(values.error < CERTIFIED, values.error, np.inf)

    def offer(self, members: NDArray[np.int64], coef: Array, dual: Array, boundary: NDArray, unique: NDArray) -> None:
        """Certify V [R, D, K] with L [R, D, N] on the data of `members`; keep it where it is better than before."""
        batch = self.batch
        strength = None if batch.strength is None else batch.strength[members]
        values = evaluate(coef, dual, batch.features[members], batch.targets[members], strength)
        support = np.any(coef != 0, axis=1)
        margin = 1 - np.where(support, 0.0, values.norms).max(-1)
        better = values.error < self.error[members]
        self.error[members[better]] = values.error[better]
        made = {"coef": coef, "support": support, "boundary": boundary, "unique": unique, "margin": margin}
        for name in ("dual", "objective", "gap", "residual"):
            made[name] = getattr(values, name)
        for name, value in made.items():
            getattr(batch, name)[members[better]] = value[better]


def _members(group: RankReduction, index: NDArray[np.int64]) -> RankReduction:
    return RankReduction(**{field.name: getattr(group, field.name)[index] for field in fields(RankReduction)})


def _solve_group(best: _Best, group: RankReduction, tol: float, clear: float) -> None:
    """Solve the problems of a group; offer what Newton's method finds and, where that fails, what it began with."""
    tensors = (torch.from_numpy(np.ascontiguousarray(t)) for t in (group.rows, group.targets, group.ridge))
    problem = Reduced(*tensors)
    near, columns, amplitudes, dual = near_columns(problem, interior_point(problem, tol, clear))
    _offer(best, group, problem, near, columns, *newton_on_support(near, amplitudes, dual))
    if (best.error[group.members] >= CERTIFIED).any():
        # nearly dependent atoms: Newton's method is lost where the interior iterate is not
        _offer(best, group, problem, near, columns, first_support(near, amplitudes, dual), dual)


def _offer(
    best: _Best,
    group: RankReduction,
    problem: Reduced,
    near: Reduced,
    columns: torch.Tensor,
    amplitudes: torch.Tensor,
    dual: torch.Tensor,
) -> None:
    """Lift amplitudes of the near columns and a reduced dual to the data, with the boundary and uniqueness tests."""
    norms = (problem.rows @ dual.mT).norm(dim=-1)
    boundary = norms > 1 - BOUNDARY
    unique = independent_atoms(near, amplitudes, dual, boundary.gather(1, columns))
    everywhere = torch.zeros_like(norms).scatter(1, columns, amplitudes)
    coef = _coefficients(best.batch, group, problem, everywhere, dual)
    best.offer(group.members, coef, group.dual(dual.numpy()), boundary.numpy(), unique.numpy())


def _coefficients(
    batch: Batch, group: RankReduction, problem: Reduced, amplitudes: torch.Tensor, dual: torch.Tensor
) -> Array:
    """V [R, D, K] = Q L x_k a_k; rounding errors of the constraints are corrected, on the data, within the support."""
    weighted = amplitudes[..., None] * problem.rows
    coef = group.basis @ (weighted @ dual.mT).mT.numpy()
    if batch.strength is not None:
        return coef
    factor = shifted_gram_factor(problem, amplitudes, CORRECTION_SHIFT)
    for _ in range(CORRECTIONS):
        miss = batch.targets[group.members] - coef @ batch.features[group.members]
        reduced = torch.from_numpy(miss @ group.lift.swapaxes(1, 2))
        coef = coef + (weighted @ solve_right(reduced, factor).mT).mT.numpy()
    return coef
