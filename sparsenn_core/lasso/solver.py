"""One problem, or one for a whole list of strengths: the cheapest method that gets there, judged by the certificate."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import ArrayLike

from sparsenn_core.errors import InputError
from sparsenn_core.lasso.batch import BOUNDARY, CERTIFIED, solve_batch
from sparsenn_core.lasso.certificate import Array, values
from sparsenn_core.lasso.penalised import Penalised
from sparsenn_core.lasso.rank_reduction import RANK_TOLERANCE, checked, positive
from sparsenn_core.lasso.scaling import Scaling
from sparsenn_core.lasso.solution import Batch, Solution


def solve(
    features: ArrayLike, targets: ArrayLike, strength: float | None = None, *, rtol: float = RANK_TOLERANCE
) -> Solution:
    """The solution V [D, K] of the multi-task lasso on features Phi [K, N] and targets Psi [D, N], float64.

    `strength` None: minimise sum_k ||v_k||_2 subject to V Phi = Psi. A positive strength: minimise
    ||V Phi - Psi||_F^2 / (N D) + strength sum_k ||v_k||_2 (sklearn's and skglm's alpha is strength D / 2).
    `rtol`: singular values of Phi below this share of the largest count as zero (constrained case).
    A bias is the caller's: subtract it from Psi. For the cost ||w_k|| ||v_k|| divide feature k by ||w_k||.
    Raises `InputError` for NaN, shapes that do not match, constraints that no V satisfies, with their residual, and
    sizes of data or strength that take V, its dual or the objective out of float64.
    Constrained: about 13 steps of O(K^3), fewer columns after the first few. Penalised: see `path`. Memory O(K^2 + KN).
    `Solution.gap` tells how exact it is.
    """
    if strength is None:
        return solve_batch(np.asarray(features)[None], np.asarray(targets)[None], rtol=rtol)[0]
    if np.ndim(strength):
        raise InputError(f"lasso: strength is {strength}; it must be one number here, and `path` takes a list")
    return path(features, targets, [strength])[0]


def path(features: ArrayLike, targets: ArrayLike, strengths: Sequence[float] | Array) -> list[Solution]:
    """The solutions for each of `strengths`, in their order; every one certified as that of `solve`, to a gap of 1e-12.

    From the largest strength to the smallest, each starting from the one before: coordinate descent on a working set
    and Newton's method on the support in turns, O(DKN) a sweep and O(s^3) a step for s neurons in use; where these do
    not get there, the interior point method, O(K^3) a step. Raises `InputError` as `solve` does.
    """
    phi, psi, _ = given = checked(np.asarray(features)[None], np.asarray(targets)[None], None)
    each = positive(strengths)
    if each.ndim != 1 or not len(each):
        raise InputError(f"lasso: strengths are {strengths}; a list of positive numbers is needed")
    scaling = Scaling.of(phi, psi)
    phi, psi, scaled = scaling.data(phi, psi, each)
    assert scaled is not None  # as `each` is not
    problem = Penalised(phi[0], psi[0])
    coef, start = np.zeros((psi.shape[1], phi.shape[1])), problem.largest()
    solutions: dict[int, Solution] = {}
    for i in np.argsort(-scaled, kind="stable"):
        at = scaled[i : i + 1]
        found = _solved(problem, coef, start, phi, psi, at)
        coef, start = found.coef[0], float(at[0])
        solutions[int(i)] = scaling.back(found, *given[:2], each[i : i + 1])[0]
    return [solutions[i] for i in range(len(each))]


def _solved(problem: Penalised, coef: Array, start: float, phi: Array, psi: Array, strength: Array) -> Batch:
    """The first certified of the methods' answers, from the cheapest to the surest, else the best of them."""

    def answers() -> Iterator[Batch]:
        t = float(strength[0])
        guess = problem.solve(t, coef, start)
        yield _certified(problem, guess, phi, psi, strength)
        if len(problem.stages) > 1:
            yield _certified(problem, problem.mended(t, guess), phi, psi, strength)
            fewer = problem.stages[0]
            inside = solve_batch(fewer.features[None], fewer.targets[None], strength * psi.size / fewer.targets.size)
            yield _certified(problem, problem.mended(t, inside.coef[0]), phi, psi, strength)
        yield solve_batch(phi, psi, strength)

    best = None
    for answer in answers():
        if best is None or abs(answer.gap[0]) < abs(best.gap[0]):
            best = answer
        if abs(best.gap[0]) < CERTIFIED:
            break
    assert best is not None  # there is at least one answer
    return best


def _certified(problem: Penalised, coef: Array, phi: Array, psi: Array, strength: Array) -> Batch:
    """V [D, K] with the dual that its residual on the data is, as a batch of one problem."""
    fit, scale = problem.stages[-1].fit(coef), 2 / (psi.size * strength)
    length, dual = np.array([fit.length]), fit.rest[None] * scale
    judged = values(length, fit.rest[None], fit.sizes[None] * scale, dual, psi, strength)
    support = np.any(coef, axis=0)
    boundary = judged.norms[0] > 1 - BOUNDARY
    return Batch(
        coef=coef[None],
        dual=judged.dual,
        objective=judged.objective,
        gap=judged.gap,
        residual=judged.residual,
        support=support[None],
        boundary=boundary[None],
        unique=np.array([problem.unique(float(strength[0]), coef, boundary)]),
        margin=1 - np.where(support, 0.0, judged.norms).max(-1),
        strength=strength,
        features=phi,
        targets=psi,
    )
