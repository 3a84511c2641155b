"""The study's experiments at small size: what is drawn, how it is trained, and what comes out."""

from dataclasses import replace

import pytest
import torch
from rebound_serial import train as train_serially

from sparsenn_book.records import wilson
from sparsenn_book.studies import rebound
from sparsenn_book.studies.rebound import PRECISIONS, PRESETS, Condition
from sparsenn_book.studies.rebound.curves import rebounds, turned_back
from sparsenn_book.studies.rebound.power_law import power_law
from sparsenn_book.studies.rebound.projection import project
from sparsenn_book.studies.rebound.watching import squared_distances
from sparsenn_core import linearized
from sparsenn_core.errors import InputError

SMALL = Condition(dataset_size=60, test_set_size=20, num_runs=3, epochs=12, precision="float64")
B64 = Condition(dataset_size=300, test_set_size=1, num_runs=5, precision="float64")


def distance(trained):
    return trained.curves["squared_distance"]


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"rule": "l1", "alpha": 1e-3, "perturbation": 0.1},
        {"rule": "drr", "alpha": 1e-3, "rho": 1e-3, "perturbation": 0.1},
        {"optimizer": "adam", "perturbation": 0.1, "perturbation_law": "uniform"},
        {"dimensions": (3, 4, 2), "noise": 0.1, "biases": "uniform"},
        {"dimensions": (1, 5, 4, 3, 1), "rule": "drr", "alpha": 1e-2},
    ],
    ids=["b", "l1", "drr", "adam", "wide output", "deep"],
)
def test_trains_as_one_network_alone_does(changes):
    s = replace(SMALL, **changes)
    trained = rebound.train(s)
    p = trained.drawn
    for run, (student, teacher) in enumerate(zip(p.students, p.teachers, strict=True)):
        distances, losses = train_serially(student, teacher, p.data.inputs[run], p.data.targets[run], s)
        torch.testing.assert_close(distance(trained)[run], distances, rtol=1e-9, atol=1e-26)
        torch.testing.assert_close(trained.curves["train_loss"][run], losses, rtol=1e-9, atol=1e-20)


def test_conditions_trained_together_are_those_trained_alone():
    cases = [
        replace(SMALL, perturbation=0.1, learning_rate=0.02),
        replace(SMALL, noise=0.1, num_runs=2),
        replace(SMALL, rule="l1", alpha=1e-2),
        replace(SMALL, rule="l1", alpha=1e-4, seed=3),
        replace(SMALL, precision="float32"),
    ]
    for alone, together in zip(map(rebound.train, cases), rebound.train_all(cases), strict=True):
        torch.testing.assert_close(distance(together), distance(alone), rtol=1e-10, atol=0)
        assert together.condition == alone.condition


def test_every_precision_starts_from_the_same_numbers():
    drawn = [rebound.draw(replace(SMALL, perturbation=1e-2, precision=p)) for p in PRECISIONS]
    for name, (stored, computed) in PRECISIONS.items():
        one = drawn[list(PRECISIONS).index(name)]
        assert one.data.inputs.dtype == one.data.targets.dtype == computed
        assert torch.equal(one.data.inputs.double(), drawn[1].data.inputs.double())
        for part in ("teachers", "students"):
            for k, w in getattr(one, part).params.items():
                assert w.dtype == stored
                assert torch.equal(w.double(), getattr(drawn[1], part).params[k].double())


def test_teachers_have_glorot_weights_and_the_biases_asked_for():
    bound = [(6 / 27) ** 0.5, (6 / 50) ** 0.5, (6 / 26) ** 0.5]
    for biases, size in (("tiny", 1.2e-6), ("zero", 0.0), ("uniform", 1.0)):
        params = rebound.draw(replace(SMALL, biases=biases, num_runs=20)).teachers.params
        for layer in range(3):
            assert params[f"layers.{layer}.weight"].abs().max() == pytest.approx(bound[layer], rel=0.1)
            assert params[f"layers.{layer}.bias"].abs().max() == pytest.approx(size, rel=0.1)


def test_draws_vary_one_axis_at_a_time():
    a = rebound.draw(replace(SMALL, noise=1.0))
    louder, other = rebound.draw(replace(SMALL, noise=2.0)), rebound.draw(replace(SMALL, noise=1.0, draw=1))
    assert torch.equal(louder.noise, 2 * a.noise)
    assert torch.equal(louder.data.inputs, a.data.inputs)
    assert not torch.equal(other.data.inputs, a.data.inputs)
    assert not torch.equal(other.noise, a.noise)
    w = "layers.1.weight"
    assert torch.equal(other.teachers.params[w], a.teachers.params[w])
    one = rebound.draw(replace(SMALL, one_teacher=True)).teachers.params[w]
    assert torch.equal(one[0], one[2])
    assert not torch.equal(a.teachers.params[w][0], a.teachers.params[w][2])


def test_test_errors_with_and_without_noise():
    s = replace(SMALL, noise=0.5, test_set_size=4000)
    curves = rebound.train(s, test_every=6).curves
    assert torch.isnan(curves["test_loss"]).tolist()[0] == [t % 6 != 0 for t in range(13)]
    assert (curves["test_error"][:, 0] == 0).all()
    assert ((curves["test_loss"][:, 0] - 0.25).abs() < 0.03).all()


def test_b_follows_the_closed_form_and_grows_at_every_step():
    trained = rebound.train(B64)
    assert (distance(trained).diff() > 0).all()
    for run, teacher in enumerate(trained.drawn.teachers):
        at = linearized.Linearization.at(teacher, trained.drawn.data.inputs[run])
        predicted = at.squared_distance(noise=trained.drawn.noise[run], learning_rate=1e-2, steps=500)
        torch.testing.assert_close(predicted, distance(trained)[run], rtol=1e-3, atol=0)
    assert not rebounds(distance(trained)).rebounded.any()


@pytest.mark.parametrize("dimensions", [(2, 25, 25, 1), (2, 10, 1), (3, 8, 8, 8, 2)])
def test_without_noise_float64_only_comes_nearer(dimensions):
    sizes = (1e-6, 1e-4, 1e-2)
    cases = [
        replace(B64, dimensions=dimensions, noise=0.0, perturbation=s, dataset_size=100, epochs=200) for s in sizes
    ]
    for trained in rebound.train_all(cases):
        assert (distance(trained).diff() < 0).all()


def test_most_students_with_weights_stored_in_float32_turn_back_and_no_others_do():
    a = replace(B64, noise=0.0, perturbation=1e-6, dataset_size=40, num_runs=60)
    cases = [replace(a, precision=p) for p in PRECISIONS]
    for s, trained in zip(cases, rebound.train_all(cases, stalled_every=500), strict=True):
        turned = turned_back(distance(trained))
        stalled = trained.curves["stalled"][:, -1]
        if s.stored == torch.float32:
            assert wilson(int(turned.sum()), len(turned)).low > 0.5
            assert (stalled > 0.8).all()
        else:
            assert not turned.any()
            assert (stalled < 1e-2).all()


def test_c_has_exponent_two_with_common_noise():
    sigmas = [1e-5 * 1.615**i for i in range(0, 25, 4)]
    base = replace(PRESETS["C as coded"], precision="float64", dataset_size=100, num_runs=3, test_set_size=1)
    ends = [distance(o)[:, -1].mean() for o in rebound.train_all([replace(base, noise=s) for s in sigmas])]
    law = power_law(sigmas[:-2], ends[:-2])
    assert law.exponent.value == pytest.approx(2, abs=1e-3)
    assert law.local == pytest.approx([2] * 4, abs=1e-2)


def test_projection_epochs_as_described_and_as_coded():
    s = replace(SMALL, projection="reference", projection_frequency=6)
    assert s.projection_after() == [6, 12]
    assert replace(s, projection_epochs="coded").projection_after() == [1, 2, 3, 6]
    assert replace(s, projection_frequency=1, projection_epochs="coded").projection_after() == [1]
    assert SMALL.projection_after() == []


def test_the_studys_projection_moves_outward_and_training_goes_on_from_there():
    s = replace(SMALL, noise=0.0, projection="reference", projection_frequency=5)
    trained = rebound.train(s, test_every=1)
    teachers = trained.drawn.teachers
    moved = project(teachers, s, 5)
    for k, w in teachers.params.items():
        ratio = (moved.params[k] / w - 1)[w != 0]
        assert ((ratio >= -1e-16) & (ratio < 1.3e-6)).all()
    # without noise the student rests at its teacher until the first projection
    assert (distance(trained)[:, :5] == 0).all()
    torch.testing.assert_close(distance(trained)[:, 5], squared_distances(moved, teachers), rtol=1e-12, atol=0)
    assert distance(trained).shape == (3, 13)
    assert not torch.isnan(trained.curves["test_loss"]).any()
    torch.testing.assert_close(distance(trained)[:, -1], squared_distances(trained.students, teachers))


def test_the_generic_projection_leaves_generic_students_alone():
    s = replace(SMALL, biases="uniform", dimensions=(2, 4, 1))
    with_it = replace(s, projection="generic", projection_frequency=4)
    torch.testing.assert_close(distance(rebound.train(with_it)), distance(rebound.train(s)), rtol=1e-5, atol=0)


def test_rows_hold_the_curves():
    trained = rebound.train(SMALL, test_every=5)
    rows = trained.rows(experiment="B")
    assert set(rows.columns) == {"run", "epoch", "name", "value", "experiment"}
    assert not rows.value.isna().any()
    one = rows[(rows.name == "test_error") & (rows.run == 2)]
    assert one.epoch.tolist() == [0, 5, 10]
    assert one.value.iloc[-1] == trained.curves["test_error"][2, 10].item()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"precision": "flaot32"}, "did you mean 'float32'"),
        ({"rule": "ddr"}, "did you mean 'drr'"),
        ({"noise": -1.0}, "noise must be finite and not negative"),
        ({"epochs": 0}, "epochs must be 1 or more"),
        ({"projection": "reference"}, "projection_frequency 0"),
        ({"projection_frequency": 2}, "projection 'none'"),
    ],
)
def test_settings_are_refused_in_one_line(changes, message):
    with pytest.raises(InputError, match=message):
        Condition(**changes)
