"""What is said of a network: fit, sparsity, distances, outcome, arrangement, and what a threshold does."""

import pandas as pd
import pytest
import torch

from sparsenn_book.studies.l1_path.arrangement import arranged
from sparsenn_book.studies.l1_path.evaluation import describe, fresh_inputs, judged
from sparsenn_book.studies.l1_path.recorded import recorded_runs
from sparsenn_book.studies.l1_path.settings import FreshInputs, Objective
from sparsenn_book.studies.l1_path.students import weights_table
from sparsenn_book.studies.l1_path.zeroing import THRESHOLDS, zeroed
from sparsenn_core.networks import literal_teacher
from sparsenn_core.training import Ensemble


def copy_and_nothing(activation="relu"):
    """An ensemble of the teacher's copy and the zero network."""
    teacher = literal_teacher("baseline", activation)
    copy = {k: v.detach()[None] for k, v in teacher.named_parameters()}
    return Ensemble(teacher, {k: torch.cat([v, torch.zeros_like(v)]) for k, v in copy.items()})


def test_a_copy_of_the_teacher_is_recovered_and_a_zero_network_is_dead():
    table = describe(copy_and_nothing(), "relu", fresh_inputs(1000))
    assert table["outcome"].tolist() == ["recovered", "dead"]
    assert table["mse"][0] < 1e-30
    assert table["aligned_distance"].tolist() == pytest.approx([0, 1])
    assert table["reference_distance"].tolist() == pytest.approx([0, 7.0249], abs=1e-4)
    assert table["exact_zeros"].tolist() == [0, 7]
    assert table["absolute_sum"].tolist() == pytest.approx([10.66, 0])
    assert table["mse"][1] == pytest.approx(table["zero_error"][1])


def test_rows_and_weights_are_judged_together(made):
    runs = made.runs
    assert len(runs) == 6 * 12
    assert runs.groupby("student")["weights"].first().to_dict() == {"baseline": 7, "multi_channel": 52}
    alone = judged(
        Objective(samples=64), FreshInputs(500), made.parts["ended_baseline_tanh"], made.parts["weights_baseline_tanh"]
    )
    here = runs[(runs["student"] == "baseline") & (runs["activation"] == "tanh")].reset_index(drop=True)
    pd.testing.assert_frame_equal(alone, here)


def test_a_copy_is_arranged_onto_its_teacher():
    found = pd.DataFrame(
        {"student": "baseline", "activation": "tanh", "penalty": ["l1", "l2"], "objective": [1.0, 2.0]}
    )
    teacher = literal_teacher("baseline", "tanh")
    flipped = {k: v.detach()[None].clone() for k, v in teacher.named_parameters()}
    flipped["layers.0.weight"] *= -1  # a tanh unit may turn its sign
    flipped["layers.1.weight"] *= -1
    both = Ensemble(teacher, {k: torch.cat([v, v]) for k, v in flipped.items()})
    table = arranged(Objective(), found, weights_table(both))
    assert table["student"].tolist() == pytest.approx(table["teacher"].tolist())
    assert table.groupby("penalty").size().to_dict() == {"l1": 7, "l2": 7}


def test_a_threshold_keeps_large_weights_and_raises_the_error():
    rows = pd.DataFrame({"student": "baseline", "activation": "relu", "penalty": "l1", "seed": [1, 2]})
    table = zeroed(Objective(), rows, weights_table(copy_and_nothing()))
    assert len(table) == 2 * len(THRESHOLDS)
    copy = table[table["seed"] == 1].sort_values("threshold")
    assert copy["kept"].is_monotonic_decreasing
    assert copy["kept"].tolist()[0] == 7
    assert copy["kept"].tolist()[-1] == 4  # 2.59, 2.83, 1.38 and 1.29 are at least 1
    assert copy["unexplained"].iloc[0] == pytest.approx(0, abs=1e-12)
    assert copy["unexplained"].iloc[-1] > 0.1
    assert set(table["kind"]) == {"reference schedule"}


def test_of_minimisers_the_least_of_each_penalty_is_cut(made):
    table = zeroed(Objective(), made.parts["found_baseline_tanh"], made.parts["minimisers_baseline_tanh"])
    assert len(table) == 2 * len(THRESHOLDS)
    assert set(table["kind"]) == {"minimiser"}


def test_recorded_runs_are_those_of_experiments_1_and_2_with_the_right_teacher():
    runs = recorded_runs()
    assert set(runs["experiment"]) == {1, 2}
    assert runs["teacher_is_literal"].all()
    small = runs[(runs["penalty"] == "l1") & (runs["init_scale"] == 0.2) & (runs["activation"] == "sigmoid")]
    collapsed = small.groupby("experiment")["outcome"].apply(lambda o: int((o == "collapsed").sum()))
    assert collapsed.to_dict() == {1: 4, 2: 3}  # 7 of 10
    dead = runs[(runs["penalty"] == "l1") & (runs["experiment"] == 1) & (runs["outcome"] == "dead")]
    assert len(dead) == 3
