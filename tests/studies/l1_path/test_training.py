"""The reference schedule: what its tables hold, and its arithmetic."""

import pytest
import torch

from sparsenn_book.studies.l1_path.faults import faults
from sparsenn_book.studies.l1_path.settings import Grid, Length, Objective, Schedule
from sparsenn_book.studies.l1_path.students import data_of, ensemble_of
from sparsenn_book.studies.l1_path.training import conditions, trained

TINY = Objective(samples=64)


def test_tables_are_named_after_student_and_activation(made):
    for kind in ("ended", "curves", "weights"):
        assert len(made.of(kind)) == 6
    ended, weights = made.parts["ended_baseline_tanh"], made.parts["weights_baseline_tanh"]
    assert ended["status"].eq("all epochs used").all()
    assert ended["epochs"].eq(2).all()
    assert len(weights) == 7 * len(ended)
    assert set(made.parts["curves_baseline_tanh"]["name"]) == {"epoch loss", "share below 1e-4", "share exactly zero"}


def test_the_objective_of_the_last_weights_is_the_formula(made):
    ended = made.parts["ended_baseline_tanh"]
    runs = conditions("baseline", "tanh", Grid(2))
    networks = ensemble_of(made.parts["weights_baseline_tanh"], "baseline", "tanh", TINY)
    data = data_of(runs, TINY.samples, torch.float64)
    sizes = {"none": lambda w: 0.0, "l1": lambda w: float(w.abs().sum()), "l2": lambda w: float(w.square().sum())}
    for r, penalty in enumerate(runs["penalty"]):
        which = int(data.of_run[r])
        # training data are float32 in the study's schedule
        x, y = data.inputs[which].float().double(), data.targets[which].float().double()
        loss = (networks[r](x) - y).square().mean().item()
        size = sum(sizes[penalty](w) for w in networks[r].state_dict().values())
        assert ended["objective_of_last_weights"][r] == pytest.approx(loss + 1e-5 * size, rel=1e-9)


def test_doubled_l2_changes_the_l2_runs_alone():
    table = {}
    for doubled in (True, False):
        parts = trained("baseline", "tanh", TINY, Schedule(doubled_l2=doubled), Length(2, 100), Grid(1, (1.0,)))
        table[doubled] = parts["weights_baseline_tanh"].pivot(index="run", columns=["parameter", "place"])["value"]
    same = (table[True] == table[False]).all(axis=1)
    assert same.tolist() == [True, True, False]  # none, L1, L2


def test_patience_stops_runs():
    parts = trained("baseline", "relu", TINY, Schedule(learning_rate=0.0), Length(5, 1), Grid(1))
    ended = parts["ended_baseline_relu"]
    assert (ended["epochs"] < 5).any()
    assert ended.loc[ended["epochs"] < 5, "status"].eq("stopped early").all()


def test_faults_of_the_study():
    value = faults().set_index("name")["value"]
    assert value["distance of the copy"] == pytest.approx(8.7024, abs=1e-4)
    assert value["distance of zero"] == pytest.approx(7.0249, abs=1e-4)
    assert value["l2 gradient factor"] == pytest.approx(3, abs=1e-9)
