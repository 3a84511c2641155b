"""Baselines against optimality conditions, brute force and descent; refits against least squares written out."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations, pairwise

import numpy as np
import pytest

from sparsenn_book.studies import compressive_sensing as cs
from sparsenn_book.studies.compressive_sensing import baselines


# each seed has a path on which some coefficient leaves and others come
@pytest.fixture(scope="module", params=[5, 6, 7])
def wide(request: pytest.FixtureRequest) -> cs.Regression:
    return cs.draw(cs.Family(40, 120, 4), 2.0, 0, request.param)


@pytest.fixture(scope="module")
def tiny() -> cs.Regression:
    return cs.draw(cs.Family(30, 7, 3), 1.0, 0, 5)


def test_every_member_of_the_lasso_path_satisfies_the_kkt_conditions(wide: cs.Regression) -> None:
    x, y = wide.design, wide.response
    penalties, path = cs.lasso_path(x, y, 60)
    assert penalties[0] / penalties[-1] == pytest.approx(1000)
    assert np.allclose(path[:, 0], 0, atol=1e-12)
    assert np.count_nonzero(path[:, -1]) > 20
    for penalty, beta in zip(penalties, path.T, strict=True):
        force = x.T @ (y - x @ beta) / len(y)
        on = beta != 0
        assert np.allclose(force[on], penalty * np.sign(beta[on]), atol=1e-9)
        assert np.all(np.abs(force[~on]) <= penalty * (1 + 1e-9))


def test_the_relaxed_lasso_with_phi_1_alone_is_the_lasso_and_more_mixes_do_not_raise_its_validation_error(
    wide: cs.Regression,
) -> None:
    _, path = cs.lasso_path(wide.design, wide.response, 50)
    lasso = baselines.lasso(wide, path)
    relaxed = baselines.relaxed_lasso(wide, path, 10)
    alone = baselines.relaxed_lasso(wide, path, 10, cs.refit(wide, baselines.path_supports(path)))
    assert np.array_equal(alone.coefficients, relaxed.coefficients)
    assert relaxed.validation <= lasso.validation
    direct = np.mean((wide.validation_response - wide.validation_design @ relaxed.coefficients) ** 2)
    assert relaxed.validation == pytest.approx(direct, rel=1e-12)


def test_forward_stepwise_takes_the_best_next_column_by_brute_force(tiny: cs.Regression) -> None:
    x, y = tiny.design, tiny.response
    supports = cs.forward_stepwise(x, y, 7)
    assert [len(s) for s in supports] == [1, 2, 3, 4, 5, 6, 7]
    before: tuple[int, ...] = ()
    for support in supports:
        tried = {j: _residual(x, y, (*before, j)) for j in range(7) if j not in before}
        assert set(support) == {*before, min(tried, key=lambda j: tried[j])}
        before = support


def test_forward_stepwise_stops_where_no_column_is_independent(tiny: cs.Regression) -> None:
    doubled = np.hstack([tiny.design[:, :2]] * 2)
    assert [len(s) for s in cs.forward_stepwise(doubled, tiny.response, 4)] == [1, 2]


def test_hard_thresholding_never_raises_the_residual_and_ends_at_a_fixed_point(wide: cs.Regression) -> None:
    x, y = wide.design, wide.response
    values = [np.sum((y - x @ cs.hard_thresholding(x, y, 4, steps=k)) ** 2) for k in range(1, 40)]
    assert all(after <= before * (1 + 1e-12) for before, after in pairwise(values))
    beta = cs.hard_thresholding(x, y, 4, steps=2000, tolerance=1e-12)
    support = np.flatnonzero(beta)
    assert len(support) == 4
    assert np.sum((y - x @ beta) ** 2) == pytest.approx(_residual(x, y, tuple(support)), rel=1e-9)


def test_hard_thresholding_finds_the_best_subset_of_orthonormal_columns() -> None:
    rng = np.random.Generator(np.random.PCG64(3))
    x = np.linalg.qr(rng.normal(size=(20, 8)))[0]
    y = rng.normal(size=20)
    best = min(combinations(range(8), 3), key=lambda s: _residual(x, y, s))
    assert cs.thresholding_path(x, y, 8)[2] == best


def test_refits_are_least_squares_and_ridge_written_out(tiny: cs.Regression) -> None:
    support = (0, 2, 5)
    fits = cs.refit(tiny, [support, (1,), support])
    both = fits.ridged((0.0, 0.5))
    assert fits.supports == [(), support, (1,)]
    x = tiny.design[:, list(support)]
    plain = np.linalg.lstsq(x, tiny.response)[0]
    ridge = np.linalg.solve(x.T @ x + 0.5 * 30 * np.eye(3), x.T @ tiny.response)
    assert np.allclose(fits.selected(1).coefficients[list(support)], plain, rtol=1e-10)
    assert np.allclose(both.selected(1, 1).coefficients[list(support)], ridge, rtol=1e-10)
    assert fits.residual[1] == pytest.approx(_residual(tiny.design, tiny.response, support))
    assert np.allclose(both.validation[:, 0], fits.validation[:, 0], rtol=1e-12)
    assert not fits.selected(0).coefficients.any()
    assert both.best().validation == both.validation.min()
    assert not fits.best(size_weight=100.0).coefficients.any()
    assert fits.best(among=[0, 2]).coefficients[[0, 2, 5]].tolist() == [0.0, 0.0, 0.0]


def test_the_same_refits_on_other_validation_samples(tiny: cs.Regression) -> None:
    few = replace(tiny, validation_design=tiny.validation_design[:9], validation_response=tiny.validation_response[:9])
    fits = cs.refit(tiny, [(0, 2), (1,)])
    again = fits.validated_by(few)
    assert np.allclose(again.validation, cs.refit(few, [(0, 2), (1,)]).validation, rtol=1e-12)
    assert fits.validation.shape == (3, 1)
    assert not np.allclose(again.validation, fits.validation)


def test_supports_of_more_than_half_the_samples_are_not_refitted(wide: cs.Regression) -> None:
    fits = cs.refit(wide, [tuple(range(20)), tuple(range(21))])
    assert [len(s) for s in fits.supports] == [0, 20]


def _residual(x: np.ndarray, y: np.ndarray, support: tuple[int, ...]) -> float:
    columns = x[:, list(support)]
    return float(np.sum((y - columns @ np.linalg.lstsq(columns, y)[0]) ** 2))
