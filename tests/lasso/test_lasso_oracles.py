"""The solver against others: a conic solver, coordinate descent, linear programming, true enumeration."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
import scipy.optimize
from sklearn.linear_model import MultiTaskLasso

from sparsenn_book.studies.width_bounds.reference import reference_solve
from sparsenn_core import lasso


@pytest.mark.parametrize("strength", [None, 0.05])
def test_conic_solver_on_the_study_formulation(strength: float | None) -> None:
    rng = np.random.default_rng(0)
    features, targets = rng.standard_normal((60, 12)), rng.standard_normal((4, 12))
    coef, objective = reference_solve(features, targets, strength)
    solution = lasso.solve(features, targets, strength)
    assert solution.objective == pytest.approx(objective, rel=1e-6)
    assert solution.objective <= objective * (1 + 1e-9)
    np.testing.assert_allclose(solution.coef, coef, atol=1e-3 * np.abs(coef).max())
    # the oracle's own answer, judged by the same certificate: less exact, never better than possible
    judged = lasso.certify(coef, features, targets, strength)
    assert -1e-6 < judged.gap < 1e-4


def test_coordinate_descent() -> None:
    rng = np.random.default_rng(1)
    features, targets = rng.standard_normal((30, 40)), rng.standard_normal((3, 40))
    strength = 0.08
    other = MultiTaskLasso(alpha=strength * 3 / 2, fit_intercept=False, tol=1e-14, max_iter=100_000)
    other.fit(features.T, targets.T)
    solution = lasso.solve(features, targets, strength)
    np.testing.assert_allclose(solution.coef, other.coef_, atol=1e-8)
    assert (solution.support == np.linalg.norm(other.coef_, axis=0).astype(bool)).all()


def test_one_output_is_basis_pursuit() -> None:
    rng = np.random.default_rng(2)
    features, targets = rng.standard_normal((40, 8)), rng.standard_normal((1, 8))
    both = np.concatenate([features, -features]).T
    program = scipy.optimize.linprog(np.ones(80), A_eq=both, b_eq=targets[0])
    solution = lasso.solve(features, targets)
    assert solution.objective == pytest.approx(program.fun, rel=1e-9)
    np.testing.assert_allclose(solution.coef[0], program.x[:40] - program.x[40:], atol=1e-8)


def reweighted(features: np.ndarray, targets: np.ndarray, masks: np.ndarray, steps: int = 4000) -> np.ndarray:
    """Least sum of norms [M] with the columns of each mask [M, K], by reweighted least squares: slow and simple."""
    amplitudes = masks.astype(float)
    for _ in range(steps):
        gram = np.einsum("kn,mk,kj->mnj", features, amplitudes, features)
        dual = np.linalg.solve(gram, np.broadcast_to(targets.T, (len(masks), *targets.T.shape)))
        amplitudes = np.maximum(amplitudes * np.linalg.norm(features @ dual, axis=2), 1e-14 * masks)
    return amplitudes.sum(1)


@pytest.mark.parametrize("seed", range(3))
def test_enumeration_finds_the_same_objective_and_the_same_least_width(seed: int) -> None:
    rng = np.random.default_rng(seed)
    features, targets = rng.standard_normal((7, 3)), rng.standard_normal((2, 3))
    solution = lasso.solve(features, targets)
    patterns = [set(c) for size in range(3, 8) for c in combinations(range(7), size)]
    assert len(patterns) == 99
    masks = np.array([[k in pattern for k in range(7)] for pattern in patterns])
    values = reweighted(features, targets, masks)
    assert values.min() == pytest.approx(solution.objective, rel=1e-9)
    reached = [len(p) for p, value in zip(patterns, values, strict=True) if value < solution.objective * (1 + 1e-7)]
    assert min(reached) == solution.width
    assert solution.unique


def test_certify_bounds_whatever_is_brought() -> None:
    rng = np.random.default_rng(4)
    features, targets = rng.standard_normal((40, 8)), rng.standard_normal((3, 8))
    solution = lasso.solve(features, targets)
    least_squares = targets @ np.linalg.pinv(features)
    brought = lasso.certify(least_squares, features, targets)
    assert brought.feasible
    assert brought.bound == pytest.approx(solution.objective, rel=1e-12)
    assert brought.gap == pytest.approx(1 - solution.objective / brought.objective, rel=1e-9)
    assert not lasso.certify(0.9 * least_squares, features, targets).feasible
    for _ in range(20):
        dual = rng.standard_normal(targets.shape)
        weak = lasso.certify(least_squares, features, targets, dual=dual)
        assert weak.bound <= solution.objective * (1 + 1e-14)
        penalised = lasso.certify(least_squares, features, targets, 0.1, dual=dual)
        assert penalised.bound <= lasso.solve(features, targets, 0.1).objective
    for _ in range(20):
        kernel = rng.standard_normal((3, 40)) @ (np.eye(40) - features @ np.linalg.pinv(features))
        nudged = lasso.certify(solution.coef + 1e-3 * kernel, features, targets, dual=solution.dual)
        assert nudged.feasible
        assert nudged.objective > solution.objective


def test_the_gram_matrix_stands_for_the_data() -> None:
    rng = np.random.default_rng(5)
    features, targets = rng.standard_normal((20, 400)), rng.standard_normal((3, 400))
    features[4] = 0
    features[5] = features[6]
    small = lasso.data_from_gram(features @ features.T / 1200, targets @ features.T / 1200, float((targets**2).mean()))
    assert small[0].shape[1] <= 21
    coef = rng.standard_normal((3, 20))
    for strength in (0.3, 0.01):
        assert lasso.certify(coef, *small, strength).objective == pytest.approx(
            lasso.certify(coef, features, targets, strength).objective, rel=1e-12
        )
        full, reduced = lasso.solve(features, targets, strength), lasso.solve(*small, strength)
        assert reduced.objective == pytest.approx(full.objective, rel=1e-12)
        assert abs(lasso.certify(reduced.coef, features, targets, strength).gap) < 1e-11
