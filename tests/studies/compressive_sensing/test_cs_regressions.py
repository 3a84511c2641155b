"""Draws have the stated law, and metrics are what their definitions say."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from sparsenn_book.studies import compressive_sensing as cs
from sparsenn_core.errors import InputError


def test_the_design_has_the_stated_covariance_and_the_response_the_stated_ratio() -> None:
    family = cs.Family(4, 6, 3, rho=0.7, validation=40000)
    regression = cs.draw(family, 2.0, 0, 1)
    x = regression.validation_design
    sigma = 0.7 ** np.abs(np.subtract.outer(np.arange(6), np.arange(6)))
    # the standard error of an entry is at most sqrt(2 / 40000) = 0.007
    assert np.abs(x.T @ x / len(x) - sigma).max() < 0.03
    signal = regression.validation_design @ regression.coefficients
    noise = regression.validation_response - signal
    assert signal.var() / noise.var() == pytest.approx(2.0, rel=0.05)
    assert noise.var() == pytest.approx(regression.sigma**2, rel=0.03)


def test_a_repetition_is_one_draw_at_every_ratio_and_draws_leave_global_randomness_alone() -> None:
    family = cs.Family(10, 5, 2)
    before = torch.get_rng_state()
    one, two, other = (cs.draw(family, snr, rep, 3) for snr, rep in ((1.0, 0), (4.0, 0), (1.0, 1)))
    assert torch.equal(before, torch.get_rng_state())
    assert np.array_equal(one.design, two.design)
    signal = one.design @ one.coefficients
    assert np.allclose(one.response - signal, 2 * (two.response - signal))
    assert not np.allclose(one.design, other.design)


def test_metrics_of_the_truth_of_nothing_and_of_a_mistake() -> None:
    regression = cs.draw(cs.Family(10, 5, 2, rho=0.5), 3.0, 0, 3)
    truth = cs.metrics(regression, regression.coefficients)
    assert truth == {"rr": 0.0, "rte": 1.0, "pve": 0.75, "nnz": 2.0, "asre": 0.0}
    nothing = cs.metrics(regression, np.zeros(5))
    assert (nothing["rr"], nothing["pve"], nothing["asre"]) == (pytest.approx(1.0), pytest.approx(0.0), 2.0)
    assert nothing["rte"] == pytest.approx(4.0)
    wrong = np.array([1.0, 0.0, 2.0, 0.0, 0.0])
    sigma = 0.5 ** np.abs(np.subtract.outer(np.arange(5), np.arange(5)))
    gap = wrong - regression.coefficients
    found = cs.metrics(regression, wrong)
    assert found["asre"] == 2.0
    assert found["rte"] == pytest.approx(1 + gap @ sigma @ gap / regression.sigma**2)


def test_the_places_of_the_ones() -> None:
    spread = cs.draw(cs.Family(10, 12, 3, places="spread"), 1.0, 0, 0).coefficients
    assert np.flatnonzero(spread).tolist() == [0, 4, 8]
    assert np.flatnonzero(cs.draw(cs.Family(10, 12, 3), 1.0, 0, 0).coefficients).tolist() == [0, 1, 2]
    fours = cs.draw(cs.Family(10, 12, 5, places="fours"), 1.0, 0, 0).coefficients
    assert fours.tolist() == [1, 1, 1, 0, 0, 4, 0, 0, 0, 0, 0, 4]
    normal = cs.draw(cs.Family(10, 12, 3, places="normal"), 1.0, 0, 0)
    assert normal.truth == (0, 1, 2)
    assert len(set(normal.coefficients[:3])) == 3


def test_draws_share_their_random_numbers_over_correlations_and_coefficients() -> None:
    plain, other = (cs.draw(cs.Family(10, 12, 3, rho=rho, places="spread"), 1.0, 0, 0) for rho in (0.0, 0.7))
    assert np.array_equal(plain.design[:, 0], other.design[:, 0])
    assert not np.allclose(plain.design[:, 1], other.design[:, 1])
    first = cs.draw(cs.Family(10, 12, 3, rho=0.0), 1.0, 0, 0)
    assert np.array_equal(first.design, plain.design)


def test_noise_may_be_given_in_place_of_a_ratio() -> None:
    family = cs.Family(10, 5, 2, rho=0.0, places="normal")
    found = cs.draw(family, 1.0, 0, 3, sigma=0.5)
    signal = float(found.coefficients @ found.coefficients)
    assert (found.sigma, found.snr) == (0.5, pytest.approx(signal / 0.25))
    again = cs.draw(family, found.snr, 0, 3)
    assert np.allclose(again.response, found.response)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: cs.Family(10, 5, 6), "0 < s <= p"),
        (lambda: cs.Family(10, 5, 2, rho=1.0), "rho"),
        (lambda: cs.Family(10, 5, 2, places="frist"), "did you mean 'first'"),
        (lambda: cs.draw(cs.Family(10, 5, 2), 0.0, 0, 0), "snr 0.0"),
        (lambda: cs.families([1, 2], [3], [4], 0.0, "first"), "2 values of n, 1 of p and 1 of s"),
        (lambda: cs.Grid(strengths="studdy"), "did you mean 'study'"),
        (lambda: cs.Grid(precision="float23"), "did you mean 'float32'"),
    ],
)
def test_impossible_problems_are_refused(make: object, message: str) -> None:
    with pytest.raises(InputError, match=message):
        make()  # type: ignore[operator]
