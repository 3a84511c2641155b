"""Sampled gradients: unbiased where they say so, against the sum over all gates and against finite differences."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
import torch

from sparsenn_book.studies import compressive_sensing as cs
from sparsenn_book.studies.compressive_sensing import estimators
from sparsenn_book.studies.compressive_sensing.estimators import REFITTING, WEIGHTED, Subsets

N, P = 7, 4


@pytest.fixture(scope="module")
def subsets() -> Subsets:
    rng = np.random.Generator(np.random.PCG64(5))
    return Subsets(rng.normal(size=(N, P)), rng.normal(size=N), 0.9)


def gates_and_chances(gamma: np.ndarray) -> list[tuple[np.ndarray, float]]:
    found = []
    for state in product((False, True), repeat=len(gamma)):
        gates = np.array(state)
        found.append((gates, float(np.prod(np.where(gates, gamma, 1 - gamma)))))
    return found


def expected_value(subsets: Subsets, gamma: np.ndarray) -> float:
    return sum(chance * subsets.value(gates) for gates, chance in gates_and_chances(gamma))


def slope(subsets: Subsets, gamma: np.ndarray) -> np.ndarray:
    """The gradient of the expected value, which is linear in each probability."""
    found = np.empty(len(gamma))
    for j in range(len(gamma)):
        ends = []
        for value in (0.0, 1.0):
            moved = gamma.copy()
            moved[j] = value
            ends.append(expected_value(subsets, moved))
        found[j] = ends[1] - ends[0]
    return found


def test_the_value_of_a_support_is_least_squares_written_out(subsets: Subsets) -> None:
    gates = np.array([True, False, True, False])
    columns = subsets.design[:, gates]
    rest = subsets.response - columns @ np.linalg.lstsq(columns, subsets.response)[0]
    assert subsets.value(gates) == pytest.approx((float(rest @ rest) + 2 * 0.9) / N, rel=1e-10)
    none = np.zeros(P, dtype=bool)
    assert subsets.value(none) == pytest.approx(float(subsets.response @ subsets.response) / N)


def test_as_many_gates_as_samples_fit_exactly() -> None:
    rng = np.random.Generator(np.random.PCG64(6))
    wide = Subsets(rng.normal(size=(3, 6)), rng.normal(size=3), 0.5)
    assert wide.value(np.array([True] * 3 + [False] * 3)) == pytest.approx(0.5 * 3 / 3)
    assert wide.value(np.ones(6, dtype=bool)) == pytest.approx(0.5 * 6 / 3)


def test_flips_that_improve_are_those_of_brute_force(subsets: Subsets) -> None:
    best = min((gates for gates, _ in gates_and_chances(np.full(P, 0.5))), key=subsets.value)
    assert subsets.improving_flips(best) == 0
    worst = max((gates for gates, _ in gates_and_chances(np.full(P, 0.5))), key=subsets.value)
    assert subsets.improving_flips(worst) == P
    # gates are left as they were
    before = best.copy()
    subsets.improving_flips(best)
    assert np.array_equal(before, best)


@pytest.mark.parametrize("name", ["REINFORCE", "DisARM", "BitFlip-1"])
def test_refitting_estimators_are_unbiased(subsets: Subsets, name: str) -> None:
    gamma = np.array([0.2, 0.5, 0.7, 0.9])
    rng = np.random.Generator(np.random.PCG64(1))
    draws = np.array(
        [
            REFITTING[name](subsets, gamma, rng.random((2, P)), int(place))
            for place in rng.integers(P, size=6000)
        ]
    )  # fmt: skip
    error = draws.std(axis=0) / np.sqrt(len(draws))
    assert np.all(np.abs(draws.mean(axis=0) - slope(subsets, gamma)) < 4 * error)
    # a gradient without its baseline or its antithetic twin would be far noisier than its own size
    assert error.max() < 0.05


def test_reinforce_is_exact_over_all_pairs_of_states(subsets: Subsets) -> None:
    gamma = np.array([0.2, 0.5, 0.7, 0.9])
    total = np.zeros(P)
    for (one, chance), (two, other) in product(gates_and_chances(gamma), repeat=2):
        uniform = np.where(np.stack([one, two]), 0.0, 1.0)
        total += chance * other * estimators.reinforce(subsets, gamma, uniform, 0)
    assert np.allclose(total, slope(subsets, gamma), atol=1e-12)


def test_bit_flip_moves_one_gate_and_is_exact_over_states_and_places(subsets: Subsets) -> None:
    gamma = np.array([0.2, 0.5, 0.7, 0.9])
    total = np.zeros(P)
    for gates, chance in gates_and_chances(gamma):
        for place in range(P):
            found = estimators.bit_flip(subsets, gamma, np.where(gates, 0.0, 1.0)[None], place)
            assert np.count_nonzero(found) <= 1
            total += chance * found / P
    assert np.allclose(total, slope(subsets, gamma), atol=1e-12)


def test_ugc_flips_gates_near_the_ends_and_pairs_the_others(subsets: Subsets) -> None:
    uniform = np.random.Generator(np.random.PCG64(2)).random((2, P))
    middle, edge = np.full(P, 0.4), np.full(P, 0.01)
    assert np.array_equal(estimators.ugc(subsets, middle, uniform, 1), estimators.disarm(subsets, middle, uniform, 1))
    assert np.array_equal(estimators.ugc(subsets, edge, uniform, 1), estimators.bit_flip(subsets, edge, uniform[1:], 1))


def test_disarm_has_no_gradient_where_both_twins_agree(subsets: Subsets) -> None:
    gamma = np.array([0.9, 0.9, 0.1, 0.1])
    uniform = np.full((2, P), 0.5)
    assert not estimators.disarm(subsets, gamma, uniform, 0).any()


def test_the_exact_gradient_is_that_of_the_grid_s_training(subsets: Subsets) -> None:
    rng = np.random.Generator(np.random.PCG64(3))
    w, gamma = rng.normal(size=P), rng.random(P)
    found = estimators.exact(subsets, w, gamma, np.zeros((2, P)))
    design, response = torch.tensor(subsets.design), torch.tensor(subsets.response)
    power = design.square().sum(0)[:, None]
    strength, none = torch.tensor([subsets.strength], dtype=torch.float64), torch.zeros(1, dtype=torch.float64)
    expected = cs.gradients(
        design, design.T.contiguous(), power, response, torch.tensor(w)[:, None], torch.tensor(gamma)[:, None],
        strength, none,
    )  # fmt: skip
    for ours, theirs in zip(found, expected, strict=True):
        assert np.allclose(ours, theirs[:, 0].numpy() / N, rtol=1e-12)


@pytest.mark.parametrize("name", ["REINFORCE with weights", "straight-through"])
def test_weighted_estimators_have_the_exact_slope_in_the_weights(subsets: Subsets, name: str) -> None:
    rng = np.random.Generator(np.random.PCG64(4))
    w, gamma = rng.normal(size=P), np.array([0.2, 0.5, 0.7, 0.9])
    draws = np.array([WEIGHTED[name](subsets, w, gamma, rng.random((2, P)))[0] for _ in range(4000)])
    error = draws.std(axis=0) / np.sqrt(len(draws))
    exact = estimators.exact(subsets, w, gamma, np.zeros((2, P)))[0]
    assert np.all(np.abs(draws.mean(axis=0) - exact) < 4 * error)


def test_weighted_reinforce_is_unbiased_in_the_probabilities_and_straight_through_is_not(subsets: Subsets) -> None:
    w, gamma = np.array([0.8, -0.5, 0.3, 1.0]), np.array([0.2, 0.5, 0.7, 0.9])
    exact = estimators.exact(subsets, w, gamma, np.zeros((2, P)))[1]
    reinforce, through = np.zeros(P), np.zeros(P)
    for (one, chance), (two, other) in product(gates_and_chances(gamma), repeat=2):
        uniform = np.where(np.stack([one, two]), 0.0, 1.0)
        weight = chance * other
        reinforce += weight * estimators.sampled_reinforce(subsets, w, gamma, uniform)[1]
        through += weight * estimators.straight_through(subsets, w, gamma, uniform)[1]
    assert np.allclose(reinforce, exact, atol=1e-12)
    # its bias is known: the variance of a gate pulls the probability to one half, which the sample does not see
    power = np.sum(subsets.design**2, axis=0)
    assert np.allclose(through - exact, -power * w**2 * (1 - 2 * gamma) / N, atol=1e-12)


def test_estimates_leave_their_arguments_alone(subsets: Subsets) -> None:
    gamma, uniform = np.full(P, 0.3), np.random.Generator(np.random.PCG64(8)).random((2, P))
    before = gamma.copy(), uniform.copy()
    for refitting in REFITTING.values():
        refitting(subsets, gamma, uniform, 2)
    for weighted in WEIGHTED.values():
        weighted(subsets, np.ones(P), gamma, uniform)
    assert np.array_equal(gamma, before[0])
    assert np.array_equal(uniform, before[1])
