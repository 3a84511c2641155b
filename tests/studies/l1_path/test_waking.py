"""Students that start dead: they are, they wake under L1 alone, and when is told from their weights."""

import sys

import pandas as pd
import pytest
import torch

from sparsenn_book.studies.l1_path.evaluation import judged
from sparsenn_book.studies.l1_path.settings import DeadStarts, FreshInputs, Objective, Schedule
from sparsenn_book.studies.l1_path.students import data_of, start
from sparsenn_book.studies.l1_path.waking import FIRST_SEED, dead_layers, dead_seeds, predicted_epochs, waking
from sparsenn_core.errors import InputError
from sparsenn_core.networks import literal_teacher
from sparsenn_core.training import Ensemble

STRONG = Objective(samples=64, strength=1e-2)  # a thousand times the study's, so that they wake in seconds


def network(second, third):
    """A 7-weight relu student with the teacher's first layer and these second and third."""
    teacher = literal_teacher("baseline", "relu")
    params = {k: v.detach()[None].clone() for k, v in teacher.named_parameters()}
    params["layers.1.weight"] = torch.tensor([[[second]]], dtype=torch.float64)
    params["layers.2.weight"] = torch.tensor([[[third]]], dtype=torch.float64)
    return Ensemble(teacher, params)


@pytest.mark.parametrize(
    ("second", "third", "layers", "smallest"),
    [
        ([-1.0, 2.0], [1.0, -1.0], 0, 0.0),
        ([-1.0, -0.5], [1.0, -1.0], 1, 0.5),
        ([-1.0, 0.5], [-0.2, -0.3], 1, 0.2),
        ([-1.0, -0.5], [-0.2, -0.3], 2, 0.5),
    ],
)
def test_layers_without_a_positive_weight_are_dead(second, third, layers, smallest):
    one = network(second, third)
    assert dead_layers(one, Objective()).tolist() == [layers]
    x = torch.randn(200, 12, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    assert bool((one(x) == 0).all()) == (layers > 0)
    # 0.01 x 1e-5 / 0.1 = 1e-6 a step, 320 steps an epoch
    assert predicted_epochs(one, Objective(), Schedule()).item() == pytest.approx(smallest / 1e-6 / 320)


def test_with_a_linear_output_the_last_layer_is_never_dead():
    one = network([-1.0, 0.5], [-0.2, -0.3])
    assert dead_layers(one, Objective(last_activation="linear")).tolist() == [0]


def test_dead_seeds_are_dead_and_the_first_of_their_kind():
    seeds = dead_seeds(STRONG, 5)
    assert len(seeds) == 5
    assert min(seeds) >= FIRST_SEED
    every = pd.DataFrame({"seed": range(FIRST_SEED, max(seeds) + 1), "student": "baseline", "activation": "relu"})
    every["init_scale"] = 0.2
    data = data_of(every, STRONG.samples, torch.float32)
    outputs = start(every, STRONG).each(data.inputs[data.of_run])
    dead = (outputs == 0).flatten(1).all(1).numpy()
    assert every.loc[dead, "seed"].tolist() == seeds


def test_where_none_is_dead_it_is_said(monkeypatch):
    def alive(seeds, objective):
        positive = network([1.0, 1.0], [1.0, 1.0])
        return positive.select([0] * len(seeds)).to(dtype=torch.float32)

    monkeypatch.setattr(sys.modules[dead_seeds.__module__], "start", alive)
    with pytest.raises(InputError, match="only 0 dead starts among 100 draws"):
        dead_seeds(Objective(samples=16), 1)


@pytest.fixture(scope="module")
def wakes():
    made = waking(STRONG, Schedule(), DeadStarts(6, 40))
    return made | {"wakes": judged(STRONG, FreshInputs(500), made["woken"], made["wake_weights"])}


def test_the_same_starts_under_every_penalty(wakes):
    table = wakes["wakes"]
    seeds = table.groupby("penalty")["seed"].apply(list)
    assert seeds["none"] == seeds["l1"] == seeds["l2"]
    assert (table.groupby("seed")["predicted_epoch"].nunique() == 1).all()
    assert (table["dead_layers"] > 0).all()


def test_only_l1_wakes(wakes):
    table = wakes["wakes"]
    woke = table["woke_epoch"].notna()
    assert not woke[table["penalty"] != "l1"].any()
    assert woke[table["penalty"] == "l1"].any()
    assert (table.loc[table["penalty"] != "l1", "outcome"] == "dead").all()


def test_none_wakes_before_its_hour(wakes):
    table = wakes["wakes"]
    early = table[table["woke_epoch"].notna()]
    assert (early["woke_epoch"] + 1 >= early["predicted_epoch"]).all()


def test_curves_are_thinned_and_name_their_run(wakes):
    curves = wakes["wake_curves"]
    assert set(curves["penalty"]) == {"none", "l1", "l2"}
    assert curves["epoch"].min() >= 1
    none = curves[curves["penalty"] == "none"].groupby("seed")["value"]
    assert (none.max() - none.min()).lt(1e-4 * none.max()).all()
