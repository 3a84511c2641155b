"""Rows made from a trace: what is taken at which step, which runs count, and shares and costs of made-up neurons."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
import width_tables as made

from sparsenn_book.studies.width_bounds import recorded, training_rows
from sparsenn_book.studies.width_bounds.neuron_sharing import STEP_SIZE, STRENGTH


def test_relative_is_the_objective_over_the_optimum() -> None:
    trace = made.trace()
    rows = training_rows.with_relative(trace, made.OPTIMUM)
    relative = training_rows.values(rows, "relative")
    assert len(rows) == len(trace) + len(relative)
    assert relative[relative["method"] == "no decay"]["value"].to_numpy() == pytest.approx(4.3)


def test_deviation_is_the_largest_over_logged_steps_of_the_studys_student() -> None:
    trace = made.trace()
    trace.loc[(trace["name"] == "mse") & (trace["step"] == 50_000) & (trace["method"] == "PathProx"), "value"] *= 1.004
    trace.loc[(trace["seed"] == 50) & (trace["name"] == "mse"), "value"] = 7.0  # another student does not count
    found = training_rows.largest_deviation(trace, recorded.training_log())
    assert found["PathProx"] == pytest.approx(0.004)
    assert found["no decay"] == 0
    assert set(found.index) == {"PathProx", "no decay"}


def test_deviations_reach_as_far_as_the_run() -> None:
    both = training_rows.deviations(made.trace(60_000), recorded.training_log(), "mse")
    assert both["step"].max() == 60_000
    assert len(both) == 2 * 7


def test_law_of_balance_is_one_step_to_the_power() -> None:
    factor = (1 - STEP_SIZE * STRENGTH) ** 2
    np.testing.assert_allclose(training_rows.balance_law([10, 11, 13], 10), [1, factor, factor**3])


def test_imbalance_starts_at_one_and_leaves_pathprox_out() -> None:
    rows = training_rows.imbalance(made.trace())
    assert set(rows["method"]) == {"SGD weight decay", "no decay"}
    assert rows["step"].min() == training_rows.BALANCE_FROM
    np.testing.assert_allclose(rows[rows["step"] == training_rows.BALANCE_FROM]["value"], 1)
    decay = rows[rows["method"] == "SGD weight decay"]
    np.testing.assert_allclose(decay["value"], decay["law"], rtol=1e-12)


def test_imbalance_of_a_short_run_is_that_of_its_end() -> None:
    rows = training_rows.imbalance(made.trace(60))
    assert set(rows["step"]) == {60}
    np.testing.assert_allclose(rows["value"], 1)


def test_balance_is_compared_until_a_hundredth_is_left() -> None:
    trace = made.trace()
    late = (trace["name"] == "imbalance") & (trace["step"] > training_rows.BALANCE_TO)
    trace.loc[late, "value"] = 0.5  # what happens later does not count
    ratios = training_rows.balance_ratios(trace)
    assert list(ratios.index) == [49, 50, 51, 52, 53]
    np.testing.assert_allclose(ratios, 1, rtol=1e-9)


def _neuron(method: str, neuron: int, first: float, second: float) -> list[dict[str, object]]:
    run = {"method": method, "seed": 49, "neuron": neuron, "theta": 0.0, "offset": 0.0}
    return [run | {"output": 1, "size": first}, run | {"output": 2, "size": second}]


def test_shares_and_costs_of_sharing() -> None:
    rows = pd.DataFrame(
        [
            *_neuron("apart", 0, 0.3, 0.0),
            *_neuron("apart", 1, 0.0, 0.5),
            *_neuron("together", 0, 0.2, 0.2),
            *_neuron("together", 1, 0.4, 0.4),
            *_neuron("mixed", 0, 0.3, 0.4),
            *_neuron("mixed", 1, 0.2, 1e-4),  # below what the study draws, for the second output
            *_neuron("mixed", 2, 1e-4, 1e-4),
        ]
    )
    found = training_rows.sharing(rows).set_index("method")
    assert found.loc["apart", ["drawn", "both", "share"]].tolist() == [2, 0, 0.0]
    assert found.loc["apart", "cost"] == pytest.approx(1)
    assert found.loc["together", "share"] == 1
    assert found.loc["together", "cost"] == pytest.approx(math.sqrt(0.5))
    assert found.loc["mixed", ["drawn", "both"]].tolist() == [2, 1]


def test_pairs_have_the_same_weights_and_no_collapsed_run() -> None:
    rows = made.distance(collapsed=["PathProx 50", "no decay 51"])
    found = training_rows.pairs(rows, "relative", "SGD weight decay", "PathProx")
    assert list(found.index) == [49, 51, 52, 53]
    assert list(found.columns) == ["SGD weight decay", "PathProx"]
    assert training_rows.pairs(rows[rows["method"] == "no decay"], "used", "SGD weight decay", "PathProx").empty
