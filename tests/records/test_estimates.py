"""Intervals against published values, slow twins and simulated coverage."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest, t

from sparsenn_book.records import Estimate, exact, mean_interval, median_interval, wilson
from sparsenn_core.errors import InputError

trials_and_successes = st.integers(1, 300).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@given(trials_and_successes, st.sampled_from([0.8, 0.95, 0.99]))
def test_wilson_agrees_with_scipy(case: tuple[int, int], confidence: float) -> None:
    successes, trials = case
    ours = wilson(successes, trials, confidence)
    theirs = binomtest(successes, trials).proportion_ci(confidence, method="wilson")
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=1e-12)
    assert ours.value == successes / trials
    assert ours.count == trials


def test_wilson_ends_are_the_rates_whose_score_test_is_at_the_edge() -> None:
    found = wilson(7, 20)
    for rate in (found.low, found.high):
        score = (7 / 20 - rate) / math.sqrt(rate * (1 - rate) / 20)
        assert abs(score) == pytest.approx(1.959963984540054, abs=1e-9)


def test_wilson_reaches_zero_and_one_only_where_nothing_or_all_succeeded() -> None:
    assert wilson(0, 12).low == 0.0
    assert wilson(12, 12).high == 1.0
    assert wilson(1, 12).low > 0.0
    assert wilson(11, 12).high < 1.0


def test_mean_interval_agrees_with_the_textbook_formula() -> None:
    sample = [2.1, 1.9, 2.4, 2.2, 1.7]
    found = mean_interval(sample, unit="s")
    half = 2.776445105 * np.std(sample, ddof=1) / math.sqrt(5)  # t table, 4 degrees of freedom
    assert (found.value, found.low, found.high) == pytest.approx((2.06, 2.06 - half, 2.06 + half), abs=1e-8)
    assert (found.count, found.unit) == (5, "s")


def test_mean_interval_agrees_with_scipy_on_badly_scaled_values() -> None:
    sample = 1e9 + np.random.default_rng(0).normal(size=40)
    low, high = t.interval(0.9, 39, loc=sample.mean(), scale=sample.std(ddof=1) / math.sqrt(40))
    found = mean_interval(sample, confidence=0.9)
    assert (found.low - 1e9, found.high - 1e9) == pytest.approx((low - 1e9, high - 1e9), abs=1e-6)


def test_mean_of_one_value_has_an_open_interval() -> None:
    found = mean_interval([3.0])
    assert (found.value, found.low, found.high) == (3.0, -math.inf, math.inf)


def exact_coverage(rank: int, count: int) -> float:
    """The chance that the median lies between the r-th smallest and r-th largest, by listing every sign pattern."""
    inside = 0
    for signs in itertools.product((0, 1), repeat=count):
        inside += rank <= sum(signs) <= count - rank
    return inside / 2**count


@pytest.mark.parametrize("count", range(1, 13))
def test_median_interval_is_the_narrowest_that_covers(count: int) -> None:
    found = median_interval(range(count), confidence=0.9)
    ranks = [rank for rank in range(1, count // 2 + 1) if exact_coverage(rank, count) >= 0.9]
    if not ranks:
        assert (found.low, found.high) == (-math.inf, math.inf)
    else:
        assert (found.low, found.high) == (max(ranks) - 1, count - max(ranks))
    assert found.value == (count - 1) / 2


def test_median_interval_needs_six_values_at_95_percent() -> None:
    assert median_interval(range(5)).low == -math.inf
    assert (median_interval(range(6)).low, median_interval(range(6)).high) == (0, 5)


def test_intervals_cover_as_often_as_they_say() -> None:
    draws = np.random.default_rng(1).exponential(size=(2000, 25))
    median = sum(found.low <= math.log(2) <= found.high for found in map(median_interval, draws))
    normal = np.random.default_rng(2).normal(size=(2000, 8))
    mean = sum(found.low <= 0 <= found.high for found in map(mean_interval, normal))
    # Three standard errors of a rate of 0.95 from 2000 draws are 0.015; order statistics of 25 cover 0.957.
    assert 0.942 <= median / 2000 <= 0.972
    assert 0.935 <= mean / 2000 <= 0.965


def test_exact_has_no_width() -> None:
    assert exact(9.169e-5, unit="loss") == Estimate(9.169e-5, 9.169e-5, 9.169e-5, 1, "loss", "exact")


def test_numpy_numbers_become_plain_ones() -> None:
    found = Estimate(np.float32(0.5), np.float64(0), np.float64(1), np.int64(3))
    assert {type(found.value), type(found.low), type(found.high)} == {float}
    assert type(found.count) is int


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: wilson(0, 0), "0 trials"),
        (lambda: wilson(5, 4), "5 successes in 4 trials"),
        (lambda: wilson(-1, 4), "-1 successes"),
        (lambda: wilson(1, 4, confidence=95), "95 is not inside"),
        (lambda: mean_interval([]), "no values"),
        (lambda: mean_interval([1.0, math.nan]), "value 1 is nan"),
        (lambda: median_interval([math.inf]), "value 0 is inf"),
        (lambda: Estimate(2, 0, 1, 1), "outside its interval"),
        (lambda: Estimate(0.5, math.nan, 1, 1), "outside its interval"),
        (lambda: Estimate(math.nan, 0, 1, 1), "not finite"),
        (lambda: Estimate(0.5, 0, 1, 0), "count 0"),
        (lambda: Estimate(0.5, 0, 1, True), "count True"),
        (lambda: Estimate(0.5, 0, 1, 1.5), "count 1.5"),
    ],
)
def test_what_is_no_measurement_is_refused(make, message: str) -> None:
    with pytest.raises(InputError, match=message):
        make()
