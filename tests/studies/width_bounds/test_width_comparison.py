"""Recorded beside certified counts: intervals, bars, failures, and what the log says."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import scipy.stats
import width_tables as made

from sparsenn_book.studies.width_bounds import recorded
from sparsenn_book.studies.width_bounds.comparison import compared, difference, excess, mean_excess, spread, verdicts


def test_difference_of_means_is_welchs() -> None:
    r = np.random.default_rng(0)
    first, second = pd.Series(r.normal(3, 1, 40)), pd.Series(r.normal(1, 4, 70))
    value, low, high, error = difference(first, second)
    test = scipy.stats.ttest_ind(first, second, equal_var=False)
    assert (low, high) == pytest.approx(tuple(test.confidence_interval(0.95)))
    assert value == pytest.approx(first.mean() - second.mean())
    assert error == pytest.approx(value / test.statistic)


def test_difference_of_constants_has_no_width() -> None:
    assert difference(pd.Series([3, 3, 3]), pd.Series([2, 2])) == (1.0, 1.0, 1.0, 0.0)


def test_settings_that_only_one_side_has_are_left_out() -> None:
    rows = compared("rank", made.solutions("rank", (2, 5)), recorded.solves())
    assert list(rows["setting"]) == [2, 5]
    assert list(rows["failed"]) == [0, 3]
    assert excess(rows, 10) is None
    other = made.solutions("dimension", (10,)).assign(samples=12)
    assert compared("dimension", other, recorded.solves()).empty
    assert mean_excess(compared("dimension", other, recorded.solves())) is None


def test_titled_problems_are_not_compared_with_what_the_code_drew() -> None:
    both = made.solutions("rank", (5,), versions=("coded", "titled"))
    both.loc[both["version"] == "titled", "width"] += 50
    assert excess(compared("rank", both, recorded.solves()), 5).value < 1


def test_mean_excess_weighs_settings_alike() -> None:
    one = compared("dimension", made.solutions("dimension", (10,), 2.0), recorded.solves())
    other = compared("rank", made.solutions("rank", (10,), 1.0), recorded.solves())
    found = mean_excess(one, other)
    assert found.value == pytest.approx((one["excess"].iloc[0] + other["excess"].iloc[0]) / 2)
    half = 1.96 * np.hypot(one["excess_error"].iloc[0], other["excess_error"].iloc[0]) / 2
    assert found.high - found.value == pytest.approx(half, rel=1e-3)


@pytest.mark.parametrize(("low", "high", "expected"), [(-3, 3, (1, 0)), (-3, 4, (0, 0)), (3.6, 9, (0, 1))])
def test_a_bar_decides(low: float, high: float, expected: tuple[int, int]) -> None:
    rows = pd.DataFrame({"excess_low": [low], "excess_high": [high], "bar": [3.5]})
    assert tuple(int(which.iloc[0]) for which in verdicts(rows)) == expected


def test_bars_are_those_of_the_studys_histograms() -> None:
    assert [recorded.bar("dimension", 20), recorded.bar("rank", 2), recorded.bar("rank", 20)] == [3.5, 2.16, 2.4]


def test_recorded_solves_and_their_failures() -> None:
    solves = recorded.solves()
    assert len(solves) == 800
    assert sorted(solves[solves["failed"]]["active"]) == [110, 184, 200]
    assert set(solves[solves["failed"]]["rank"]) == {5}


def test_log_belongs_to_the_steps_it_is_about() -> None:
    log = recorded.training_log()
    first = log[log["method"] == "PathProx"].groupby("name")["step"].min()
    assert first.to_dict() == {"active": 1, "mse": 0, "outgoing": 1}
    ratio = recorded.log_over_optimum(made.OPTIMUM)
    assert ratio["value"].iloc[-1] == pytest.approx(2.0743, abs=1e-3)
    assert set(ratio["name"]) == {"relative"}


def test_spread_says_mean_deviation_and_range() -> None:
    assert spread(pd.Series([1, 2, 3])) == "2.00 ± 1.00 (1–3)"
