"""Exact sparsification and the width bounds."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from sparsenn_core import lasso
from sparsenn_core.errors import InputError

Boundary = Callable[[np.random.Generator, int, int, int], tuple[np.ndarray, np.ndarray]]


@pytest.mark.parametrize(
    ("q", "p", "width", "sharp", "product"),
    [
        (2, 2, 40, 3, 4),
        (3, 3, 60, 6, 9),
        (3, 6, 80, 15, 18),
        (5, 5, 100, 15, 25),
        (10, 10, 200, 55, 100),
        (1, 7, 50, 7, 7),
        (6, 4, 60, 10, 16),
    ],
)
def test_boundary_problems_land_exactly_on_the_sharp_bound(
    make_boundary_problem: Boundary, q: int, p: int, width: int, sharp: int, product: int
) -> None:
    features, targets = make_boundary_problem(np.random.default_rng(q * p), q, p, width)
    bounds = lasso.width_bounds(features, targets)
    assert (bounds.product, bounds.sharp) == (product, sharp)
    solution = lasso.solve(features, targets)
    assert solution.boundary.all()
    assert not solution.unique
    assert lasso.atom_rank(solution) == sharp
    sparse = lasso.sparsify(solution)
    assert sparse.width == sharp
    assert sparse.objective == pytest.approx(solution.objective, rel=1e-13)
    assert sparse.residual < 1e-12
    assert abs(sparse.gap) < 1e-12
    assert lasso.sparsify(sparse) is sparse


@pytest.mark.parametrize("share", [None, 0.2])
def test_sparsified_solutions_never_exceed_the_bound(hard: tuple[np.ndarray, np.ndarray], share: float | None) -> None:
    features, targets = hard
    largest = 2 / targets.size * np.linalg.norm(targets @ features.T, axis=0).max()
    solution = lasso.solve(features, targets, None if share is None else share * largest)
    sparse = lasso.sparsify(solution)
    bounds = lasso.width_bounds(features, sparse.coef @ features)
    assert bounds.least <= sparse.width <= bounds.sharp <= bounds.product <= bounds.squared < bounds.jacot
    assert lasso.atom_rank(sparse) == sparse.width
    assert sparse.objective == pytest.approx(solution.objective, rel=1e-12)
    assert abs(sparse.gap) < 1e-12
    fitted = solution.coef @ features
    np.testing.assert_allclose(sparse.coef @ features, fitted, atol=1e-12 * np.abs(fitted).max())
    if solution.unique:
        assert sparse.width == solution.width


def test_the_bound_is_what_three_by_three_attains_and_no_more() -> None:
    rng = np.random.default_rng(0)
    batch = lasso.solve_batch(rng.standard_normal((100, 100, 3)), rng.standard_normal((100, 3, 3)))
    assert batch.unique.all()
    assert batch.width.max() == 6  # r_Phi r_Psi allows 9
    assert batch.width.min() >= 3


def test_every_direction_of_the_walk_ends_at_a_vertex(make_boundary_problem: Boundary) -> None:
    features, targets = make_boundary_problem(np.random.default_rng(1), 3, 4, 50)
    order = np.random.default_rng(2)
    for _ in range(5):
        shuffled = order.permutation(50)
        sparse = lasso.sparsify(lasso.solve(features[shuffled], targets))
        assert sparse.width == 4 * 3 - 3


def test_width_bounds_of_ranks_by_hand() -> None:
    rng = np.random.default_rng(3)
    features = rng.standard_normal((50, 4)) @ rng.standard_normal((4, 9))
    targets = rng.standard_normal((7, 2)) @ rng.standard_normal((2, 50)) @ features
    bounds = lasso.width_bounds(features, targets)
    assert (bounds.neurons, bounds.samples, bounds.outputs) == (50, 9, 7)
    assert (bounds.rank_features, bounds.rank_targets) == (4, 2)
    assert (bounds.squared, bounds.jacot, bounds.caratheodory) == (81, 90, 64)
    assert (bounds.product, bounds.sharp) == (8, 7)
    assert (bounds.least, bounds.least_generic) == (2, 4)
    assert bounds.outside < 1e-12
    assert not bounds.vacuous
    assert lasso.width_bounds(features[:7], targets[:1] * 0).sharp == 0


def test_ranks_depend_on_the_tolerance_and_say_so() -> None:
    features, targets = np.diag([1.0, 1e-3, 1e-7, 1e-11]), np.diag([1.0, 1e-5, 0.0, 0.0])
    assert lasso.width_bounds(features, targets, 1e-10).rank_features == 3
    assert lasso.width_bounds(features, targets, 1e-2).rank_features == 1
    assert lasso.width_bounds(features, targets).ranks((1e-2, 1e-6, 1e-12)) == {
        1e-2: (1, 1),
        1e-6: (2, 2),
        1e-12: (4, 2),
    }
    with pytest.raises(InputError, match="rtol is 0"):
        lasso.width_bounds(features, targets, 0)


def test_infeasible_targets_have_their_outside_share_shown() -> None:
    features, targets = np.eye(2, 4), np.array([[3.0, 0.0, 4.0, 0.0]])
    bounds = lasso.width_bounds(features, targets)
    assert bounds.outside == pytest.approx(0.8)
    assert bounds.vacuous
