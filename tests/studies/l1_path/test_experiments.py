"""Experiments 3 to 6, pairs of activations and the study's records."""

import numpy as np
import pandas as pd
import pytest
import torch

from sparsenn_book.studies.l1_path.all_recorded import all_recorded, averages, literal
from sparsenn_book.studies.l1_path.crossed import Crossing, crossed, teacher_with
from sparsenn_book.studies.l1_path.experiments import NEED, PAIRS, Solving, holding, solved
from sparsenn_core.errors import InputError
from sparsenn_core.networks import literal_teacher

ACTIVATIONS = ("relu", "sigmoid", "tanh")


def inputs(n=300):
    return torch.randn(n, 12, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


@pytest.mark.parametrize("experiment", PAIRS)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_the_student_that_holds_the_teacher_computes_it_with_the_weights_it_needs(experiment, activation):
    name, student = PAIRS[experiment]
    teacher = literal_teacher(name, activation)
    inside = holding(teacher, student, activation)
    assert torch.allclose(inside(inputs()), teacher(inputs()), atol=1e-12)
    counts = tuple(int((p != 0).sum()) for p in inside.parameters())
    assert counts == NEED[experiment]


def test_an_experiment_that_the_study_does_not_have_is_refused():
    with pytest.raises(InputError, match="experiment"):
        Solving(experiments=(2,))


@pytest.mark.parametrize("experiment", [pytest.param(4, marks=pytest.mark.acceptance), 6])
def test_rows_say_what_their_weights_are(experiment):
    settings = Solving((experiment,), student_samples=200, student_starts=1, student_steps=0)
    tables = solved(experiment, "tanh", 1e-4, settings, 500)
    rows, weights = tables[f"solved_{experiment}_tanh"], tables[f"solved_weights_{experiment}_tanh"]
    assert rows["origin"].tolist() == ["teacher", "random"]
    for run, row in rows.iterrows():
        of_run = weights[weights["run"] == run]
        counts = [int((of_run["layer"] == layer).sum()) for layer in (1, 2, 3)]
        assert counts == [row[f"kept_{layer}_0"] for layer in (1, 2, 3)]
        assert row["objective"] == pytest.approx(row["loss"] + 1e-4 * of_run["value"].abs().sum(), rel=1e-9)
    assert rows.loc[0, "outcome"] == "recovered"
    assert rows.loc[0, "objective"] <= rows.loc[1, "objective"] * (1 + 1e-6)


def test_pairs_have_the_last_layers_that_are_said():
    bounded, free = teacher_with("tanh", "same"), teacher_with("tanh", "linear")
    x = 10 * inputs()
    assert float(bounded(x).abs().max()) <= 1
    assert torch.allclose(bounded(x), torch.tanh(free(x)))


@pytest.mark.acceptance
@pytest.mark.filterwarnings("ignore")
def test_crossed_rows_are_all_pairs_and_no_student_beats_the_floor():
    rows = crossed(1e-5, 200, Crossing(cross_starts=1, cross_steps=0), 2000)
    assert len(rows) == 18
    bounded = rows[rows["read_out"] == "same"]
    assert (bounded["mse"] >= bounded["range_floor"] * (1 - 1e-9)).all()
    assert (rows.loc[rows["read_out"] == "linear", "range_floor"] == 0).all()
    other = bounded["teacher_activation"] != bounded["activation"]
    barred = {
        tuple(p)
        for p in bounded.loc[other & (bounded["range_floor"] > 0.1), ["teacher_activation", "activation"]].to_numpy()
    }
    assert barred == {("relu", "sigmoid"), ("relu", "tanh"), ("tanh", "relu"), ("tanh", "sigmoid")}


def test_recorded_runs_are_those_of_the_notes():
    runs = all_recorded()
    assert len(runs) == 1356
    wrong = runs[~runs["teacher_is_literal"]].groupby("experiment").size().to_dict()
    assert wrong == {2: 8, 3: 168, 4: 137, 5: 156}
    same = literal(runs).query("same and experiment > 1")
    counts = same.groupby("penalty")["outcome"].value_counts()
    assert [len(same[same["penalty"] == p]) for p in ("l1", "l2", "none")] == [124, 111, 62]
    assert [counts[p, "fitted"] for p in ("l1", "l2", "none")] == [85, 57, 61]
    assert counts["l1", "collapsed"] == 24
    assert float(literal(runs).query("not same")["r2"].max()) == pytest.approx(0.584, abs=5e-4)


def test_averages_count_each_run_once_and_leave_out_what_is_wrong():
    runs = all_recorded()
    table = averages(runs)
    assert table["runs"].sum() == runs["same"].sum()
    right = table["of these fitted"] + table["partial"] + table["collapsed"]
    assert (right + table["wrong teacher"] == table["runs"]).all()
    assert table.loc[(5, "none"), "mean loss, right teacher"] == "-"
    four = runs.query("same and experiment == 4 and penalty == 'l2'")
    assert float(table.loc[(4, "L2"), "mean loss, all"]) == pytest.approx(four["objective"].mean(), rel=0.05)
    assert np.isfinite(four["objective"]).all()
    assert isinstance(table.index, pd.MultiIndex)
