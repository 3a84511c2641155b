"""How students start, how their weights become rows and networks again, and what the settings refuse."""

import pytest
import torch

from sparsenn_book.studies.l1_path.settings import Grid, Objective
from sparsenn_book.studies.l1_path.students import build, data_of, ensemble_of, start, strength_of, weights_table
from sparsenn_book.studies.l1_path.training import conditions
from sparsenn_core.errors import InputError


def runs(student="baseline", activation="relu", seeds=2):
    return conditions(student, activation, Grid(seeds))


def test_the_grid_has_every_penalty_scale_and_seed_once():
    table = runs(seeds=3)
    assert len(table) == 3 * 2 * 3
    assert not table.duplicated().any()


def test_same_seed_means_same_inputs_and_same_start_whatever_the_penalty():
    table = runs()
    data = data_of(table, 32, torch.float64)
    first = table.index[table["seed"] == 1].tolist()
    inputs = data.inputs[data.of_run[first]]
    assert (inputs == inputs[0]).all()
    assert len(data.inputs) == 2  # two seeds
    weights = start(table, Objective()).params["layers.0.weight"]
    small, large = (table.index[(table["seed"] == 1) & (table["init_scale"] == s)].tolist() for s in (0.2, 1.0))
    torch.testing.assert_close(weights[small], 0.2 * weights[large])
    assert (weights[table.index[table["seed"] == 2]] != weights[first]).any()


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize(("student", "activation"), [("baseline", "tanh"), ("multi_channel", "sigmoid")])
def test_weights_survive_the_table(student, activation, bias):
    objective = Objective(bias=bias)
    networks = start(runs(student, activation), objective)
    table = weights_table(networks).sample(frac=1.0, random_state=0)  # the order of rows does not matter
    again = ensemble_of(table, student, activation, objective)
    assert list(again.params) == list(networks.params)
    for name, values in networks.params.items():
        assert torch.equal(again.params[name], values.double())


def test_strengths_go_to_the_runs_of_their_penalty():
    table = runs()
    found = strength_of(table, "l1", 0.5)
    assert (found[table.index[table["penalty"] == "l1"]] == 0.5).all()
    assert found.sum() == 0.5 * (table["penalty"] == "l1").sum()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: conditions("baseline", "relu", Grid(0)), "the grid of runs is empty"),
        (lambda: conditions("baseline", "relu", Grid(2, ())), "the grid of runs is empty"),
        (lambda: Objective(last_activation="line"), "did you mean 'linear'"),
        (lambda: build("basline", "relu", 1.0, Objective()), "did you mean 'baseline'"),
    ],
)
def test_refusals(make, message):
    with pytest.raises(InputError, match=message):
        make()
