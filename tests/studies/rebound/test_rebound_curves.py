"""Curves: the study's scaling, rebounds, turning back, power laws; and what claims measure on tables of curves."""

import numpy as np
import pandas as pd
import pytest
import torch

from sparsenn_book.studies.rebound import measures
from sparsenn_book.studies.rebound.curves import as_tensor, normalised, rebounds, turned_back
from sparsenn_book.studies.rebound.power_law import power_law
from sparsenn_core.errors import InputError


def rows_of(curves, **columns):
    """Curves [runs, epochs] as the long table of squared distances."""
    curves = np.asarray(curves, float)
    run, epoch = (a.ravel() for a in np.indices(curves.shape))
    frame = pd.DataFrame({"run": run, "epoch": epoch, "name": "squared_distance", "value": curves.ravel()})
    return frame.assign(**columns)


def test_normalised_runs_from_zero_to_one():
    curves = torch.tensor([[3.0, 1.0, 2.0], [5.0, 5.0, 5.0], [0.0, 1e-9, 4e-9]])
    expected = torch.tensor([[1.0, 0.0, 0.5], [0.0, 0.0, 0.0], [0.0, 0.25, 1.0]])
    torch.testing.assert_close(normalised(curves), expected)


def test_rebounds_need_an_approach_and_a_rise():
    table = rebounds(torch.tensor([[2.0, 1.0, 1.1], [1.0, 1.1, 1.2], [2.0, 1.0, 1.0001], [0.0, 1.0, 2.0]]))
    assert table.rebounded.tolist() == [True, False, False, False]
    assert table.step.tolist() == [1, 0, 1, 0]
    assert table.turned.tolist() == [True, True, True, True]
    assert table.rebound[0] == pytest.approx(0.1)


def test_turning_back_means_a_least_distance_before_the_last_epoch_of_the_log():
    curves = torch.tensor([[9.0, 3, 2, 1], [9, 1, 2, 3], [9, 3, 1, 2], [9, 2, 2, 2]])
    assert turned_back(curves).tolist() == [False, True, True, True]


def test_a_table_of_curves_and_back():
    curves = [[3.0, 2.0, 1.0], [6.0, 5.0, 4.0]]
    shuffled = rows_of(curves).sample(frac=1, random_state=0)
    assert as_tensor(shuffled).tolist() == curves


def test_rows_are_chosen_by_their_columns():
    rows = pd.concat([rows_of([[2, 1, 3]], experiment="A"), rows_of([[1, 2, 3]], experiment="B")])
    assert measures.summary(rows, experiment="A").step.tolist() == [1]
    assert measures.scaled_curves(rows, experiment="B").tolist() == [[0.0, 1.0]]
    assert len(measures.distances(rows.assign(name="train_loss"))) == 0


def test_power_law_is_exact_on_exact_data():
    law = power_law([1.0, 10.0, 1000.0, 2.0], [3.0, 300.0, 3e6, 12.0])
    assert law.exponent.value == pytest.approx(2)
    assert 10**law.intercept == pytest.approx(3)
    assert law.r2 == pytest.approx(1)
    with pytest.raises(InputError, match="all positive"):
        power_law([1, 2, 3], [1, 0, 2])


def test_furthest_counts_in_standard_errors_of_the_difference_of_two_means():
    mean, deviation = np.array([0.0, 0.5, 1.0]), np.array([0.0, 0.2, 0.0])
    # twenty published runs and twenty here: the difference of means has 0.2 sqrt(2 / 20)
    error = 0.2 * (2 / 20) ** 0.5
    assert measures.furthest(np.array([0.0, 0.5 + 3 * error, 1.0]), mean, deviation, 20) == pytest.approx(3, rel=1e-3)
    assert measures.furthest(mean, mean, deviation, 20) == 0
    # without spread, what counts is how well the drawing can be read
    assert measures.furthest(np.array([0.0, 0.5, 0.998]), mean, deviation, 20) == pytest.approx(2)


def test_curves_of_unequal_length_are_compared_as_far_as_both_go():
    assert measures.furthest(np.array([0.0, 1.0, 9.0]), np.array([0.0, 1.0]), np.array([0.1, 0.1]), 5) == 0


def test_closed_form_errors_are_the_largest_of_each_run():
    frame = pd.DataFrame(
        {"experiment": "B", "run": [0, 0, 1, 1], "simulated": [0.0, 2.0, 4.0, 4.0], "predicted": [9.0, 2.2, 4.0, 3.0]}
    )
    assert measures.closed_form_errors(frame).error.tolist() == pytest.approx([0.1, 0.25])


def test_closest_epochs_are_the_first_least():
    frame = pd.DataFrame(
        {
            "experiment": "both",
            "run": [0, 0, 0, 1, 1, 1],
            "epoch": [0, 1, 2] * 2,
            "simulated": [3.0, 1.0, 2.0, 3.0, 2.0, 1.0],
            "predicted": [3.0, 2.0, 1.0, 3.0, 2.0, 1.0],
            "expected": [1.0, 1.0, 1.0, 1.0, 1.0, 1.0],
        }
    )
    found = measures.closest_epochs(frame)
    assert found[["simulated", "predicted", "expected"]].to_numpy().tolist() == [[1, 2, 0], [2, 2, 0]]


def test_a_run_counts_once_whatever_it_is_started_from():
    flags, runs = pd.Series([True, False, True, False]), pd.Series([0, 1, 0, 1])
    assert measures.ever(flags, runs).tolist() == [True, False]


def test_the_published_points_of_c_give_the_exponent_and_the_level():
    law = measures.laws(pd.DataFrame({"variant": "v", "sigma": [1.0, 2.0, 4.0], "run": 0, "value": [1.0, 4.0, 16.0]}))
    assert law["v"].exponent.value == pytest.approx(2)
    assert law["published"].exponent.value == pytest.approx(2.055, abs=1e-3)
    assert law["published"].exponent.low > 2
    assert measures.published_level() == pytest.approx(-8.48, abs=0.01)
