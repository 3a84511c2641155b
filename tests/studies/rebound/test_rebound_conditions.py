"""Conditions and settings: what they refuse, what a parameter reaches, what a table is made from."""

import dataclasses
from dataclasses import replace

import conftest as tiny
import pytest
import torch

from sparsenn_book.records.closure import closure
from sparsenn_book.records.identity import identity
from sparsenn_book.sources.notebooks import FILLED_IN, read
from sparsenn_book.sources.project import Project
from sparsenn_book.studies import rebound
from sparsenn_book.studies.rebound import PRECISIONS, PRESETS, Condition, rules, settings
from sparsenn_core.errors import InputError

MAKERS = {
    rebound.experiments.published: (tiny.AB,),
    rebound.experiments.turning: (tiny.BOTH,),
    rebound.counting.counted: (tiny.COUNTS,),
    rebound.rules.mapped: (tiny.MAP,),
    rebound.variants.variants: (tiny.VARIANTS,),
    rebound.spectra.spectra: (tiny.SPECTRUM,),
    rebound.margins.margins: (tiny.MARGINS,),
    rebound.scaling.scaled: (tiny.SCALING,),
    rebound.scaling.levels: (tiny.LEVELS,),
    rebound.pruning.pruned_students: (tiny.PRUNING,),
}
LATER = (rebound.closed_form.predicted, rebound.distances.compared)


@pytest.mark.parametrize("maker", [*MAKERS, *LATER], ids=lambda f: f.__module__.rpartition(".")[2] + "." + f.__name__)
def test_a_changed_claim_sentence_or_figure_makes_no_table_old(maker):
    needed = closure([maker.__module__])
    assert maker.__module__ in needed
    for part in ("claims", "figures", "sentences", "measures", "published", "power_law"):
        assert not any(name.startswith(f"sparsenn_book.studies.rebound.{part}") for name in needed)
    # nor does the face of the study, which imports all of them
    assert "sparsenn_book.studies.rebound" not in needed
    assert "sparsenn_book.records" not in needed


@pytest.mark.parametrize(
    ("changed", "kept"),
    [
        (rebound.pruning.pruned_students, rebound.experiments.published),
        (rebound.rules.mapped, rebound.counting.counted),
        (rebound.scaling.scaled, rebound.spectra.spectra),
        (rebound.distances.compared, rebound.pruning.pruned_students),
        (rebound.variants.variants, rebound.rules.mapped),
    ],
    ids=lambda f: f.__name__,
)
def test_one_experiment_does_not_depend_on_the_module_of_another(changed, kept):
    assert changed.__module__ not in closure([kept.__module__])


def test_tables_have_identities_that_follow_their_settings(project):
    for maker, arguments in MAKERS.items():
        own = identity(maker, arguments, project.data)
        assert own.key == identity(maker, arguments, project.data).key
        other = tuple(replace(a, seed=6) for a in arguments)
        assert (
            identity(maker, other, project.data).difference(own.__dict__)
            == "made with other settings or from other tables"
        )


def test_every_parameter_reaches_a_table_and_every_field_is_a_parameter_or_given():
    parameters = set(read(Project.find(), "05_rebound").parameters)
    kinds = [kind for kind in vars(settings).values() if isinstance(kind, type) and issubclass(kind, settings.Networks)]
    fields = {field.name for kind in kinds for field in dataclasses.fields(kind)}
    assert fields - parameters == {"turning_perturbation"}
    assert parameters - fields == {"device", *FILLED_IN}


def test_the_laptop_has_the_studys_settings_but_for_the_samples():
    declared = {name: p.default for name, p in read(Project.find(), "05_rebound").parameters.items()}
    a, b, c = (PRESETS[name] for name in "ABC")
    assert (declared["num_runs"], declared["epochs"]) == (a.num_runs, a.epochs)
    assert (declared["learning_rate"], declared["perturbation"]) == (a.learning_rate, a.perturbation)
    assert declared["noise"] == b.noise
    assert (declared["scaling_rate"], declared["scaling_epochs"]) == (c.learning_rate, c.epochs)
    assert (declared["scaling_runs"], declared["scaling_points"]) == (c.num_runs, 25)
    assert declared["biases"] == "tiny"
    assert declared["map_perturbations"][0] == a.perturbation


def test_the_studys_own_versions_differ_as_its_notes_say():
    assert (PRESETS["B as coded"].rule, PRESETS["B as coded"].alpha) == ("drr", 1e-4)
    assert PRESETS["B as described"].projection_after() == list(range(1, 501))
    assert PRESETS["B as first coded"].projection_after() == [1]
    assert PRESETS["C as coded"].learning_rate == 100 * PRESETS["C"].learning_rate
    assert PRESETS["C as once coded"].epochs == 5 * PRESETS["C"].epochs
    assert PRESETS["pruning as coded"].optimizer == "adam"


@pytest.mark.parametrize("name", PRECISIONS)
def test_precisions_name_the_type_of_weights_and_of_arithmetic(name):
    condition = Condition(precision=name)
    weights = torch.float32 if name in ("float32", "float32 weights, float64 arithmetic") else torch.float64
    assert condition.stored == weights
    assert (condition.arithmetic == condition.stored) == ("weights" not in name)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"biases": "large"}, "biases"),
        ({"optimizer": "sdg"}, "did you mean 'sgd'"),
        ({"learning_rate": float("nan")}, "learning_rate must be finite"),
        ({"perturbation": -1e-6}, "perturbation must be finite and not negative"),
        ({"num_runs": 0}, "num_runs must be 1 or more"),
        ({"dataset_size": 0}, "dataset_size must be 1 or more"),
        ({"projection": "refernce", "projection_frequency": 1}, "did you mean 'reference'"),
        ({"projection": "reference", "projection_frequency": -1}, "projection_frequency"),
    ],
)
def test_conditions_are_refused_in_one_line(changes, message):
    with pytest.raises(InputError, match=message) as refused:
        Condition(**changes)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("rule", rules.SCALES)
def test_a_scaled_rule_gives_the_same_picture_from_any_displacement(rule):
    """In exact arithmetic, the squared distance over that of the start hardly depends on the displacement."""
    wide = replace(tiny.MAP, dimensions=(2, 8, 1), epochs=60, map_runs=4, map_size=30)
    curves = []
    for size in (1e-5, 1e-4):
        distance = rebound.train(rules._scaled(wide, rule, size)).curves["squared_distance"]
        curves.append(distance / distance[:, :1])
    torch.testing.assert_close(*curves, rtol=0.02, atol=0)


def test_neighbours_of_a_weight_of_a_third_are_3e_8_away_in_float32():
    weight = torch.tensor(0.3)
    apart = torch.nextafter(weight, torch.tensor(1.0)) - weight
    assert apart.item() == pytest.approx(3e-8, rel=0.01)
    assert weight - 0.4 * apart == weight
    assert weight - 0.6 * apart != weight
