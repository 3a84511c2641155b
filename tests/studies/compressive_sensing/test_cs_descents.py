"""Runs of exact and sampled gradients, and how many steps each needs."""

from __future__ import annotations

from itertools import product

import numpy as np
import pandas as pd
import pytest
import torch
from made_up import descents as made_up_descents

from sparsenn_book.studies import compressive_sensing as cs
from sparsenn_book.studies.compressive_sensing.descents import CHECK, EDGE, OWN_DRAWS, Adam, descend
from sparsenn_book.studies.compressive_sensing.estimators import REFITTING, WEIGHTED, Subsets
from sparsenn_book.studies.compressive_sensing.speedups import early_gaps, finals, settled
from sparsenn_core.errors import InputError
from sparsenn_core.randomness import generator

RUNS = cs.GateRuns((20,), (8,), (2,), (0.1,), (0.5,), (300,), (2,), 1)
METHODS = {*WEIGHTED, *REFITTING}


@pytest.fixture(scope="module")
def found() -> dict[str, pd.DataFrame]:
    return cs.descents(RUNS)


def test_every_gradient_has_a_row_every_ten_steps_and_one_end(found: dict[str, pd.DataFrame]) -> None:
    rows, ends = found["descents"], found["ends"]
    assert set(rows["method"]) == METHODS
    assert set(ends["method"]) == METHODS | {cs.ORACLE}
    assert len(rows) == len(METHODS) * 2 * (300 // CHECK + 1)
    assert rows.groupby(["method", "repetition"])["seconds"].apply(lambda s: s.is_monotonic_increasing).all()
    assert (rows["family"] == "n = 20, p = 8, s = 2").all()


def test_the_end_is_the_last_row(found: dict[str, pd.DataFrame]) -> None:
    last = finals(found["descents"]).stack()
    ends = found["ends"][found["ends"]["method"] != cs.ORACLE]
    ends = ends.set_index(["family", "repetition", "method"])["objective"]
    assert np.allclose(last.sort_index(), ends.reindex(last.index).sort_index())


def test_ends_are_values_of_supports_none_below_the_best_subset_which_some_gradient_finds(
    found: dict[str, pd.DataFrame],
) -> None:
    family = cs.Family(20, 8, 2, rho=0.0, places="normal", validation=2)
    for repetition, ends in found["ends"].groupby("repetition"):
        regression = cs.draw(family, 1.0, int(repetition), 1 + OWN_DRAWS, sigma=0.1)
        subsets = Subsets(regression.design, regression.response, 0.5)
        best = min(subsets.value(np.array(state)) for state in product((False, True), repeat=8))
        assert ends["objective"].min() == pytest.approx(best)
        optimal = ends[np.isclose(ends["objective"], best)]
        assert (optimal["improving_flips"] == 0).all()
        truth = ends[ends["method"] == cs.ORACLE]
        assert truth["objective"].item() == pytest.approx(subsets.value(regression.coefficients != 0))
        assert truth["support_error"].item() == 0


def test_every_run_starts_with_all_gates_half_open_and_nothing_chosen(found: dict[str, pd.DataFrame]) -> None:
    first = found["descents"].query("step == 0").groupby("repetition")["objective"]
    assert (first.nunique() == 1).all()


def test_sampled_probabilities_stay_off_the_ends_and_exact_ones_reach_them() -> None:
    rng = np.random.Generator(np.random.PCG64(2))
    subsets = Subsets(rng.normal(size=(15, 5)), rng.normal(size=15), 2.0)
    for name in METHODS:
        _, gamma = descend(subsets, name, 100, generator(0, name))
        edge = 0.0 if name.startswith("EGP") else EDGE
        assert np.all((gamma >= edge) & (gamma <= 1 - edge))
    _, gamma = descend(subsets, "EGP, descent", 300, generator(0, "x"))
    assert set(gamma) <= {0.0, 1.0}


def test_runs_repeat_and_leave_global_randomness_alone(found: dict[str, pd.DataFrame]) -> None:
    before = torch.get_rng_state()
    again = cs.descents(RUNS)
    assert torch.equal(before, torch.get_rng_state())
    columns = [name for name in found["descents"] if name != "seconds"]
    pd.testing.assert_frame_equal(again["descents"][columns], found["descents"][columns])
    pd.testing.assert_frame_equal(again["ends"], found["ends"])


def test_adam_is_torch_s() -> None:
    parameter = torch.zeros(3, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.Adam([parameter], lr=0.1)
    ours, adam = np.zeros(3), Adam((3,))
    rng = np.random.Generator(np.random.PCG64(1))
    for _ in range(20):
        slope = rng.normal(size=3)
        parameter.grad = torch.tensor(slope)
        optimizer.step()
        ours -= 0.1 * adam(slope)
    assert np.allclose(ours, parameter.detach().numpy(), rtol=1e-6)


def test_lists_of_unequal_lengths_are_refused() -> None:
    with pytest.raises(InputError, match="unequal lengths"):
        cs.descents(cs.GateRuns((20,), (8, 9), (2,), (0.3,), (1.0,), (200,), (2,), 1))


def test_a_method_settles_where_it_stays_below_not_where_it_passes() -> None:
    rows = pd.DataFrame(
        [
            {"family": "a", "repetition": 0, "method": m, "step": float(step), "objective": value, "price": 0.5}
            for m, values in {"x": (9, 1, 9, 1, 1), "y": (9, 9, 9, 9, 9), "z": (9, 1, 1, 1, 1)}.items()
            for step, value in zip((0, 10, 20, 30, 40), values, strict=True)
        ]
    )
    targets = pd.Series([1.0], index=pd.MultiIndex.from_tuples([("a", 0)], names=["family", "repetition"]))
    steps = settled(rows, targets).iloc[0]
    assert (steps["x"], steps["z"]) == (30.0, 10.0)
    assert np.isnan(steps["y"])


def test_within_the_price_of_one_coefficient_is_there() -> None:
    rows = made_up_descents({"EGP": 90, "BitFlip-1": 900}, {"EGP": 1.04})
    assert (cs.speedups(rows)["EGP"] > 0).all()
    assert (cs.speedups(rows.assign(price=0.01))["EGP"] == 0).all()


def test_early_gaps_are_in_prices_of_a_coefficient() -> None:
    rows = made_up_descents({"EGP": 40, "straight-through": 40}, {"straight-through": 1.1})
    assert early_gaps(rows, "straight-through", "EGP").tolist() == pytest.approx([2.0] * 12, rel=0.01)
    assert early_gaps(rows[rows["step"] < 50], "straight-through", "EGP").empty


def test_a_start_that_happens_to_be_as_low_is_no_result() -> None:
    rows = made_up_descents({"EGP": 40, "BitFlip-1": 1000})
    lucky = rows.assign(objective=rows["objective"].where(rows["step"] > 0, 0.5))
    pd.testing.assert_frame_equal(cs.speedups(lucky), cs.speedups(rows))


def test_speedups_are_counted_from_the_best_of_the_four() -> None:
    rows = made_up_descents({"EGP": 90, "BitFlip-1": 900, "UGC": 900}, {"BitFlip-1": 1.0, "UGC": 1.2})
    found = cs.speedups(rows)
    # steps are seen at 10, 50, 100, 200, 500, 1000 and 1500
    assert found["EGP"].tolist() == [10.0] * 12
    assert (found["BitFlip-1"] == 1.0).all()
    # UGC ends higher than the target, DisARM never falls
    assert (found["UGC"] == 0.0).all()
    assert (found["DisARM"] == 0.0).all()
    in_seconds = cs.speedups(rows, "seconds")
    assert np.allclose(in_seconds["EGP"], found["EGP"])
