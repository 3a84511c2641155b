"""Features and targets of extreme size: solved as the same problem in other units, or refused in one line."""

from __future__ import annotations

import numpy as np
import pytest

from sparsenn_core import lasso
from sparsenn_core.errors import InputError


def problem() -> tuple[np.ndarray, np.ndarray]:
    """Largest entries between 1/2 and 1, which is where larger and smaller problems are taken."""
    rng = np.random.default_rng(20)
    return rng.uniform(-1, 1, (30, 6)), rng.uniform(-1, 1, (3, 6))


EXTREMES = [2.0**600, 2.0**-600, 2.0**130, 2.0**-500]  # some 1e180, 1e-180, 1e39, 1e-150


@pytest.mark.parametrize("a", EXTREMES)
@pytest.mark.parametrize("b", [*EXTREMES, 1.0])
def test_the_constrained_problem_in_other_units_is_the_same_bit_for_bit(a: float, b: float) -> None:
    features, targets = problem()
    base = lasso.solve(features, targets)
    if abs(np.log2(b) - np.log2(a)) > 960:
        with pytest.raises(InputError, match="which float64 does not hold"):
            lasso.solve(a * features, b * targets)
        return
    found = lasso.solve(a * features, b * targets)
    assert base.width > 0
    np.testing.assert_array_equal(found.coef, base.coef * (b / a))
    np.testing.assert_array_equal(found.dual, base.dual / a)
    assert found.objective == base.objective * (b / a)
    assert (found.gap, found.residual, found.margin, found.unique) == (
        base.gap,
        base.residual,
        base.margin,
        base.unique,
    )
    np.testing.assert_array_equal(found.features, a * features)


@pytest.mark.parametrize(("a", "b"), [(2.0**600, 1.0), (2.0**-600, 1.0), (2.0**300, 2.0**400), (2.0**-500, 2.0**-400)])
def test_the_penalised_problem_in_other_units_is_the_same_bit_for_bit(a: float, b: float) -> None:
    features, targets = problem()
    base, found = lasso.solve(features, targets, 0.1), lasso.solve(a * features, b * targets, 0.1 * a * b)
    assert base.width > 0
    np.testing.assert_array_equal(found.coef, base.coef * (b / a))
    np.testing.assert_array_equal(found.dual, base.dual / a)
    assert (found.objective, found.gap, found.strength) == (base.objective * b * b, base.gap, 0.1 * a * b)


@pytest.mark.parametrize("a", [1e200, 1e-200])
@pytest.mark.parametrize("b", [1e200, 1e-200, 1.0])
def test_sizes_that_are_no_powers_of_two(a: float, b: float) -> None:
    features, targets = problem()
    if {a, b} == {1e200, 1e-200}:
        with pytest.raises(InputError, match=r"solution is of size 1e[+-]\d+"):
            lasso.solve(a * features, b * targets)
        return
    found = lasso.solve(a * features, b * targets)
    assert abs(found.gap) < 1e-12
    assert found.residual < 1e-12
    np.testing.assert_allclose(found.coef * (a / b), lasso.solve(features, targets).coef, rtol=0, atol=1e-11)
    # the certificate of the same coefficients, and of nothing, in the same units
    assert abs(lasso.certify(found.coef, a * features, b * targets).gap) < 1e-12
    nothing = lasso.certify(np.zeros_like(found.coef), a * features, b * targets)
    assert (nothing.residual, nothing.feasible) == (1.0, False)


@pytest.mark.parametrize(
    ("a", "b", "strength", "message"),
    [
        (1e200, 1e200, 1.0, "strength 1 is out of all proportion to features times targets, of size 1e\\+40"),
        (1e-200, 1e-200, 1.0, "out of all proportion"),
        (1.0, 1.0, 1e300, "out of all proportion"),
        (1.0, 1.0, 1e-300, "out of all proportion"),
        (1.0, 1e200, 1e199, "objective is of size 1e\\+399"),
        (1.0, 1e-200, 1e-201, "objective is of size 1e-40"),
    ],
)
def test_what_float64_cannot_hold_is_refused(a: float, b: float, strength: float, message: str) -> None:
    features, targets = problem()
    with pytest.raises(InputError, match=message) as refusal:
        lasso.solve(a * features, b * targets, strength)
    assert "\n" not in str(refusal.value)


def test_a_batch_may_mix_sizes() -> None:
    features, targets = problem()
    scales = np.array([1.0, 2.0**600, 2.0**-600, 2.0**200])[:, None, None]
    batch = lasso.solve_batch(scales * features, scales * targets)
    base = lasso.solve(features, targets)
    for i in range(4):
        np.testing.assert_allclose(batch.coef[i], base.coef, rtol=0, atol=1e-12)
        np.testing.assert_allclose(batch.dual[i] * scales[i], base.dual, rtol=0, atol=1e-10)
    assert (np.abs(batch.gap) < 1e-12).all()
    assert (batch.residual < 1e-12).all()


def test_features_of_mixed_sizes() -> None:
    """Where some features are 1e200 times the others, V may use the large ones only if they fit the targets."""
    features, targets = problem()
    mixed = features * np.where(np.arange(30) < 15, 1e200, 1.0)[:, None]
    found, large = lasso.solve(mixed, targets), lasso.solve(features[:15], targets)
    np.testing.assert_allclose(found.coef[:, :15] * 1e200, large.coef, rtol=0, atol=1e-11)
    assert not found.coef[:, 15:].any()
    few = features * np.where(np.arange(30) < 3, 1e200, 1.0)[:, None]
    with pytest.raises(InputError, match="no V has"):
        lasso.solve(few, targets)


def test_zero_targets_and_zero_features_of_any_size() -> None:
    features, targets = problem()
    assert not lasso.solve(1e200 * features, 0 * targets).coef.any()
    assert lasso.solve(0 * features, 1e-100 * targets, 1e-100).objective == pytest.approx(1e-200 * (targets**2).mean())


@pytest.mark.parametrize("size", [2.0**-128, 1.0, 2.0**127])
@pytest.mark.parametrize("strength", [1e80, 1.0, 1e-9])
def test_strengths_of_other_sizes_are_certified(size: float, strength: float) -> None:
    features, targets = problem()
    found = lasso.solve(size * features, size * targets, strength * size * size)
    assert abs(found.gap) < 1e-12
    assert bool(found.width) == (strength < 1)


@pytest.mark.parametrize("size", [2.0**600, 2.0**-600])
def test_sparsify_and_width_bounds_in_other_units(size: float) -> None:
    rng = np.random.default_rng(21)
    x = rng.standard_normal((8, 5))
    features, targets = np.concatenate([x, x, -x]), rng.standard_normal((2, 8)) @ x
    base = lasso.solve(features, targets)
    found = lasso.solve(size * features, targets)
    sparse, wanted = lasso.sparsify(found), lasso.sparsify(base)
    assert base.width > wanted.width
    np.testing.assert_array_equal(sparse.coef, wanted.coef / size)
    assert sparse.objective == wanted.objective / size
    assert lasso.atom_rank(sparse) == lasso.atom_rank(wanted) == wanted.width
    here, there = lasso.width_bounds(features, targets), lasso.width_bounds(size * features, size * targets)
    assert (here.sharp, here.least, here.outside) == (there.sharp, there.least, there.outside)
    np.testing.assert_array_equal(there.features_spectrum, size * here.features_spectrum)
