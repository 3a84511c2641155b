"""The solver: the study's instances, hard problems, invariances, refusals."""

from __future__ import annotations

import numpy as np
import pytest

from sparsenn_core import lasso
from sparsenn_core.errors import InputError

OBJECTIVES = {
    0: {10: (6.8174073043, 35), 20: (10.7910570569, 81), 30: (13.2927169863, 130), 40: (16.4067058145, 170)},
    1: {10: (6.9202886442, 35), 20: (10.4479788427, 85), 30: (13.7997542099, 122), 40: (16.1090832313, 168)},
}


@pytest.mark.parametrize("seed", OBJECTIVES)
@pytest.mark.parametrize("samples", OBJECTIVES[0])
def test_instances_of_the_dimension_figure(seed: int, samples: int) -> None:
    rng = np.random.default_rng(seed)
    features, targets = rng.standard_normal((500, samples)), rng.standard_normal((10, samples))
    solution = lasso.solve(features, targets)
    objective, width = OBJECTIVES[seed][samples]
    assert solution.objective == pytest.approx(objective, abs=1e-10)
    assert (solution.width, solution.unique) == (width, True)
    assert abs(solution.gap) < 1e-12
    assert solution.residual < 1e-12


def plain_gap(solution: lasso.Solution) -> float:
    """The duality gap of the definition, column by column."""
    v, dual, phi, psi, t = (
        solution.coef,
        solution.dual,
        solution.features,
        solution.targets,
        solution.strength,
    )
    worst = max(float(np.linalg.norm(dual @ phi[k])) for k in range(len(phi)))
    assert worst <= 1 + 1e-13
    length = sum(float(np.linalg.norm(v[:, k])) for k in range(len(phi)))
    reward = float((psi * dual).sum())
    if t is None:
        return (length - reward) / length
    primal = float(((v @ phi - psi) ** 2).mean()) + t * length
    return (primal - t * reward + psi.size * t**2 / 4 * float((dual**2).sum())) / primal


@pytest.mark.parametrize("share", [None, 0.9, 0.3, 1e-2, 1e-4, 1e-8])
def test_hard_problems_are_certified(hard: tuple[np.ndarray, np.ndarray], share: float | None) -> None:
    features, targets = hard
    largest = 2 / targets.size * np.linalg.norm(targets @ features.T, axis=0).max()
    solution = lasso.solve(features, targets, None if share is None else share * largest)
    assert abs(solution.gap) < 1e-12
    assert abs(plain_gap(solution)) < 1e-12
    if share is None:
        assert solution.residual < 1e-12
    norms = np.linalg.norm(solution.dual @ features.T, axis=0)
    assert (solution.support == np.linalg.norm(solution.coef, axis=0).astype(bool)).all()
    assert (norms[solution.support] > 1 - 1e-6).all()
    assert (norms[~solution.support] <= 1 - solution.margin + 1e-13).all()


def test_a_batch_agrees_with_its_problems_one_by_one() -> None:
    rng = np.random.default_rng(3)
    features, targets = rng.standard_normal((12, 9, 3)), rng.standard_normal((12, 2, 3))
    for strength in (None, 0.05, rng.uniform(0.01, 2.0, 12)):
        batch = lasso.solve_batch(features, targets, strength)
        assert len(batch) == 12
        for i in range(12):
            each = strength if strength is None else float(np.broadcast_to(strength, 12)[i])
            alone = lasso.solve(features[i], targets[i], each)
            assert batch[i].objective == pytest.approx(alone.objective, rel=1e-13, abs=1e-15)
            assert (batch[i].support == alone.support).all()
            np.testing.assert_allclose(batch[i].coef, alone.coef, rtol=0, atol=1e-10)


def test_a_batch_may_mix_ranks_zeros_and_copies() -> None:
    rng = np.random.default_rng(4)
    features, targets = rng.standard_normal((4, 12, 5)), rng.standard_normal((4, 3, 5))
    features[1] = rng.standard_normal((12, 2)) @ rng.standard_normal((2, 5))
    targets[1] = rng.standard_normal((3, 12)) @ features[1]
    targets[2] = 0
    targets[3] = np.outer(rng.standard_normal(3), targets[3, 0])
    batch = lasso.solve_batch(features, targets)
    assert (np.abs(batch.gap) < 1e-12).all()
    assert (batch.residual < 1e-12).all()
    assert batch.width[2] == 0
    assert not batch.coef[2].any()


def test_redundant_constraints_do_not_matter() -> None:
    rng = np.random.default_rng(5)
    features, targets = rng.standard_normal((30, 6)), rng.standard_normal((4, 6))
    mix = rng.standard_normal((6, 15))
    once, often = lasso.solve(features, targets), lasso.solve(features @ mix, targets @ mix)
    np.testing.assert_allclose(often.coef, once.coef, atol=1e-11)


def test_rotating_outputs_and_scaling_change_the_solution_as_they_should() -> None:
    rng = np.random.default_rng(6)
    features, targets = rng.standard_normal((30, 6)), rng.standard_normal((4, 6))
    base = lasso.solve(features, targets)
    turn = np.linalg.qr(rng.standard_normal((4, 4)))[0]
    np.testing.assert_allclose(lasso.solve(features, turn @ targets).coef, turn @ base.coef, atol=1e-12)
    np.testing.assert_allclose(lasso.solve(1e3 * features, 1e-4 * targets).coef, 1e-7 * base.coef, atol=1e-19)
    order = rng.permutation(30)
    np.testing.assert_allclose(lasso.solve(features[order], targets).coef, base.coef[:, order], atol=1e-12)


def test_the_penalised_solution_solves_the_constrained_problem_of_its_own_fit() -> None:
    rng = np.random.default_rng(7)
    features, targets = rng.standard_normal((40, 9)), rng.standard_normal((3, 9))
    penalised = lasso.solve(features, targets, 0.2)
    constrained = lasso.solve(features, penalised.coef @ features)
    assert np.linalg.norm(penalised.coef, axis=0).sum() == pytest.approx(constrained.objective, rel=1e-11)


def test_the_strength_from_which_on_everything_is_zero() -> None:
    rng = np.random.default_rng(8)
    features, targets = rng.standard_normal((40, 9)), rng.standard_normal((3, 9))
    largest = 2 / 27 * np.linalg.norm(targets @ features.T, axis=0).max()
    at, below = lasso.solve(features, targets, largest * (1 + 1e-12)), lasso.solve(features, targets, 0.999 * largest)
    assert (at.width, below.width) == (0, 1)
    assert at.objective == pytest.approx((targets**2).mean())
    assert abs(at.gap) < 1e-12


def test_copies_are_not_called_unique_and_generic_data_are() -> None:
    rng = np.random.default_rng(9)
    features, targets = rng.standard_normal((20, 4)), rng.standard_normal((2, 4))
    assert lasso.solve(features, targets).unique
    used = lasso.solve(features, targets).support
    copied = lasso.solve(np.concatenate([features, -features]), targets)
    assert not copied.unique
    assert (copied.boundary == np.concatenate([used, used])).all()
    # the larger of two copies is cheaper, so only it is used
    scaled = lasso.solve(np.concatenate([features, -3 * features]), targets)
    assert scaled.unique
    assert (scaled.support == np.concatenate([np.zeros(20, bool), used])).all()


@pytest.mark.parametrize(
    ("features", "targets", "strength", "message"),
    [
        (np.ones((3, 4)), np.ones((2, 5)), None, "do not fit"),
        (np.ones(4), np.ones((2, 4)), None, "must be a matrix"),
        (np.ones((0, 4)), np.ones((2, 4)), None, "must be a matrix"),
        (np.full((3, 4), np.nan), np.ones((2, 4)), None, "entry (0, 0)"),
        (np.ones((3, 4)), np.full((2, 4), np.inf), 0.1, "finite"),
        (np.ones((3, 4)), np.ones((2, 4)), 0.0, "positive"),
        (np.ones((3, 4)), np.ones((2, 4)), np.nan, "positive"),
        (np.ones((3, 4), dtype=complex), np.ones((2, 4)), None, "real"),
        (np.array([["a"]]), np.ones((1, 1)), None, "real"),
    ],
)
def test_refusals(features: np.ndarray, targets: np.ndarray, strength: float | None, message: str) -> None:
    with pytest.raises(InputError) as refusal:
        lasso.solve(features, targets, strength)
    assert message in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_infeasible_constraints_are_refused_with_their_residual() -> None:
    rng = np.random.default_rng(10)
    features, targets = rng.standard_normal((3, 8)), rng.standard_normal((2, 8))
    fit = targets @ np.linalg.pinv(features) @ features
    residual = np.linalg.norm(fit - targets) / np.linalg.norm(targets)
    with pytest.raises(InputError, match="relative residual") as refusal:
        lasso.solve(features, targets)
    assert f"{residual:.3g}" in str(refusal.value)
    assert "rank 3 for 8 samples" in str(refusal.value)
    assert lasso.solve(features, fit).residual < 1e-12
    assert abs(lasso.solve(features, targets, 0.1).gap) < 1e-12


def test_infeasible_members_of_a_batch_are_named() -> None:
    rng = np.random.default_rng(11)
    features, targets = rng.standard_normal((5, 6, 4)), rng.standard_normal((5, 2, 4))
    features[3, :, 1] = features[3, :, 0]
    with pytest.raises(InputError, match="problem 3"):
        lasso.solve_batch(features, targets)
