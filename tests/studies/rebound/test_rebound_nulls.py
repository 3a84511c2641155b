"""Claims on real small runs: what the study's curve would have to be to fail them, and what no prediction gives."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from sparsenn_book.studies import rebound
from sparsenn_book.studies.rebound import measures
from sparsenn_book.studies.rebound.claims.common import CHANCE
from sparsenn_book.studies.rebound.conditions import PRESETS, noise_for
from sparsenn_book.studies.rebound.curves import normalised, rebounds
from sparsenn_book.studies.rebound.settings import ExperimentSettings, TurningSettings
from sparsenn_book.studies.rebound.variants import CODED

SAMPLES, COUNT, SEED = 30, 60, 7
NETS = {"dimensions": (2, 25, 25, 1), "biases": "tiny", "seed": SEED}
EPOCHS = np.arange(1, 501)


def scaled(curve):
    return (curve - curve.min()) / (curve.max() - curve.min())


@pytest.fixture(scope="module")
def many():
    """Mean and standard deviation of A and B in the study's conditions, few samples; and of A in float64."""
    a = replace(PRESETS["A"], num_runs=COUNT, dataset_size=SAMPLES, test_set_size=1, seed=SEED)
    b = replace(PRESETS["B"], num_runs=COUNT, dataset_size=SAMPLES, test_set_size=1, seed=SEED)
    b = replace(b, noise=noise_for(b.noise, SAMPLES))
    found = rebound.train_all([a, b, replace(a, precision="float64")])
    curves = [normalised(t.curves["squared_distance"][:, 1:]).numpy() for t in found]
    return {
        name: (curve.mean(0), curve.std(0, ddof=1))
        for name, curve in zip(("A", "B", "A in float64"), curves, strict=True)
    }


def standard_errors(target, statistics):
    return measures.furthest(target, *statistics, COUNT)


@pytest.mark.parametrize("experiment", ["A", "B"])
def test_the_published_curve_is_one_of_these_means(many, experiment):
    assert standard_errors(measures.published_distance(experiment), many[experiment]) < CHANCE


def test_the_square_root_of_time_is_not_b(many):
    """By the root of the mean square it would pass: 0.05 away, which two means of twenty runs may well be."""
    root = scaled(np.sqrt(EPOCHS))
    away = root - measures.published_distance("B")
    assert np.sqrt(np.mean(away**2)) < 0.06
    assert standard_errors(root, many["B"]) > CHANCE


@pytest.mark.parametrize("power", [0.4, 0.6, 1.0])
def test_no_power_of_time_is_b(many, power):
    assert standard_errors(scaled(EPOCHS.astype(float) ** power), many["B"]) > CHANCE


def test_students_in_float64_are_not_a(many):
    assert standard_errors(many["A in float64"][0], many["A"]) > CHANCE
    assert standard_errors(measures.published_distance("A"), many["A in float64"]) > CHANCE


@pytest.fixture(scope="module")
def predicted():
    """Noise and displacement, simulated and in closed form, six runs."""
    common = {"epochs": 500, "learning_rate": 0.01, "num_runs": 6, "dataset_size": 100, "test_set_size": 1}
    both = TurningSettings(**NETS, **common, turning_noise=0.15, turning_perturbation=1e-3)
    ab = ExperimentSettings(**NETS, **common, noise=1e-3, perturbation=1e-6)
    turning = rebound.experiments.turning(both)["turning"]
    b = rebound.train(ab.conditions()["B"]).rows(experiment="B", precision="float64")
    return rebound.closed_form.predicted(b, turning, ab, both)


def test_the_closed_form_is_near_and_its_mean_over_noise_is_not(predicted):
    errors = measures.closed_form_errors(predicted).groupby("experiment").error.max()
    assert errors["B"] < 1e-3
    assert errors["noise and displacement"] < 0.02
    # where the student starts at the teacher all of its distance is noise; beside a displacement it may be little
    blind = measures.closed_form_errors(predicted.assign(predicted=predicted.expected))
    assert blind[blind.experiment == "B"].error.min() > 0.02


def test_the_mean_over_noise_does_not_say_when_to_stop(predicted):
    closest = measures.closest_epochs(predicted).query("experiment != 'B'")
    assert ((closest.predicted - closest.simulated).abs() <= 5).all()
    assert ((closest.expected - closest.simulated).abs() <= 5).mean() <= 0.5


def test_students_that_only_leave_do_not_rebound(predicted):
    own = predicted[predicted.experiment == "B"]
    assert not rebounds(measures.as_tensor(own, "simulated")).rebounded.any()
    turning = predicted[predicted.experiment != "B"]
    assert rebounds(measures.as_tensor(turning, "simulated")).rebounded.any()


def test_a_penalty_of_the_committed_strength_is_not_the_published_curve():
    settings = rebound.VariantSettings(
        **NETS, map_runs=6, map_size=20, epochs=500, learning_rate=0.01, noise=1e-3, alpha=1e-4, beta=10.0, rho=0.0,
        projection_frequency=500,
    )  # fmt: skip
    rows = rebound.variants.variants(settings)
    assert measures.from_variant(rows, CODED, measures.published_distance("B")) > CHANCE


def test_exponents_in_float64_are_two_only_with_the_same_noise():
    settings = rebound.ScalingSettings(
        **NETS, scaling_runs=3, scaling_size=20, exact_size=20, scaling_points=25, scaling_rate=1e-5, scaling_epochs=20
    )
    laws = measures.laws(rebound.scaling.scaled(settings))
    assert laws[rebound.scaling.COMMON].exponent.value == pytest.approx(2, abs=1e-5)
    fresh = laws[rebound.scaling.FRESH].exponent
    assert fresh.low < 2 < fresh.high
    assert fresh.high - fresh.low > 1e-3
    assert laws[rebound.scaling.STUDY].exponent.value > 2


def test_students_in_float32_differ_from_their_float64_twins_from_the_first_step():
    a = replace(PRESETS["A"], num_runs=2, dataset_size=SAMPLES, test_set_size=1, epochs=3)
    single, double = (rebound.train(replace(a, precision=p)) for p in ("float32", "float64"))
    moved = [
        sum(int((w.double() - t.drawn.students.params[k].double()).ne(0).sum()) for k, w in t.students.params.items())
        for t in (single, double)
    ]
    # most weights have not moved at all
    assert moved[0] < 0.5 * moved[1]
    starts = [t.curves["squared_distance"][:, 0] for t in (single, double)]
    torch.testing.assert_close(*starts, rtol=1e-12, atol=0)


def test_a_table_of_predictions_is_paired_run_by_run(predicted):
    start = predicted[predicted.epoch == 0]
    pairs = pd.DataFrame({"a": start.simulated, "b": start.predicted})
    assert pairs.a.to_numpy() == pytest.approx(pairs.b.to_numpy())
    assert start[start.experiment != "B"].simulated.nunique() == 6
