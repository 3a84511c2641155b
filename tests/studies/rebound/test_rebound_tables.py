"""The tables of the chapter at tiny settings: their columns, what they hold, and that they are what they say."""

from dataclasses import replace

import conftest as tiny
import numpy as np
import pytest
import torch

from sparsenn_book.studies import rebound
from sparsenn_book.studies.rebound import Condition, measures, rules, scaling, variants
from sparsenn_book.studies.rebound.conditions import DATASET_SIZE, noise_for
from sparsenn_book.studies.rebound.counting import MASTER
from sparsenn_book.studies.rebound.curves import as_tensor, normalised
from sparsenn_book.studies.rebound.distances import FAR, RANDOM, between
from sparsenn_book.studies.rebound.symmetry import up_to_symmetry
from sparsenn_book.studies.rebound.weights import networks_of, weight_rows
from sparsenn_core.linearized import Linearization

COLUMNS = {
    "curves": {"experiment", "precision", "run", "epoch", "name", "value"},
    "students": {"experiment", "run", "layer", "index", "value"},
    "turned_back": {"perturbation", "precision", "run", "turned", "rebounded", "rebound"},
    "spread": {"experiment", "precision", "epoch", "mean", "deviation", "runs"},
    "map": {"rule", "precision", "perturbation", "run", "rebounded", "rebound", "start", "least", "end"},
    "ledger": {"precision", "run", "epoch", "name", "value"},
    "prediction": {"experiment", "run", "epoch", "simulated", "predicted", "expected"},
    "b_variants": {"variant", "run", "epoch", "name", "value"},
    "spectrum": {"biases", "run", "index", "value"},
    "margins": {"biases", "run", "bias", "bias_gap", "weight", "ratio"},
    "scaling": {"variant", "sigma", "run", "value"},
    "levels": {"variant", "run", "value"},
    "distances": {"experiment", "run", "raw", "quotient", "quotient_lower", "certified", "normal_form", "fisher"},
    "pruning": {"strength", "variant", "run", "weights", "error", "norm", "quotient", "quotient_lower", "teacher"},
    "sweep": {"strength", "threshold", "run", "weights", "error"},
}


@pytest.mark.parametrize("name", COLUMNS)
def test_a_table_is_long_with_its_columns_and_no_gaps(tables, name):
    assert set(tables[name].columns) >= COLUMNS[name]
    assert not tables[name].isna().any().any()


def test_settings_give_conditions_with_what_they_share():
    condition = tiny.AB.condition(noise=1.0)
    assert (condition.dimensions, condition.seed, condition.epochs) == ((2, 4, 3, 1), 5, 8)
    assert condition.precision == "float64"
    # the strength of B's variants is no property of a plain condition
    assert tiny.VARIANTS.small().alpha == 0
    assert tiny.VARIANTS.small().projection == "none"
    assert tiny.AB.conditions()["A"].perturbation == 1e-3
    assert tiny.AB.conditions()["B"].perturbation == 0


def test_fewer_samples_take_less_noise_so_that_the_pull_is_as_strong():
    assert noise_for(0.5, DATASET_SIZE) == 0.5
    assert noise_for(1.0, DATASET_SIZE // 100) == pytest.approx(0.1)
    assert tiny.AB.conditions()["B"].noise == pytest.approx(1e-3 * (20 / DATASET_SIZE) ** 0.5)
    ends = []
    for samples in (100, 400):
        condition = Condition(
            dataset_size=samples, noise=noise_for(1.0, samples), num_runs=40, epochs=20, test_set_size=1,
            precision="float64", dimensions=(2, 5, 1),
        )  # fmt: skip
        ends.append(rebound.train(condition).curves["squared_distance"][:, -1].mean())
    assert ends[0] / ends[1] == pytest.approx(1, rel=0.5)
    assert ends[0] / ends[1] < 2  # with the same noise it would be 4


def test_the_studys_conditions_are_those_of_its_titles():
    a, b, c = (rebound.PRESETS[name] for name in "ABC")
    assert (a.learning_rate, a.noise, a.perturbation, a.perturbation_law) == (0.01, 0.0, 1e-6, "gaussian")
    assert (b.learning_rate, b.noise, b.perturbation, b.rule, b.projection) == (0.01, 1e-3, 0.0, "vanilla", "none")
    assert (c.learning_rate, c.epochs, c.perturbation, c.one_teacher) == (1e-5, 100, 0.0, True)
    assert {p.num_runs for p in (a, b, c)} == {20}
    assert {p.precision for p in (a, b, c)} == {"float32"}
    assert [p.epochs for p in (a, b)] == [500, 500]


def test_curves_are_those_of_training_each_precision(tables):
    for precision in ("float32", "float64"):
        trained = rebound.train(replace(tiny.AB.conditions()["A"], precision=precision))
        rows = measures.distances(tables["curves"], experiment="A", precision=precision)
        torch.testing.assert_close(as_tensor(rows), trained.curves["squared_distance"], rtol=1e-12, atol=0)
    tests = tables["curves"][tables["curves"].name == "test_loss"]
    assert sorted(tests.epoch.unique()) == [0, 5]


def test_weights_go_into_a_table_and_come_back(tables):
    drawn = rebound.draw(tiny.AB.conditions()["B"])
    rows = weight_rows(drawn.students, experiment="x").sample(frac=1, random_state=0)
    back = networks_of(rows, drawn.teachers)
    assert all(torch.equal(back.params[k], w) for k, w in drawn.students.params.items())
    own = tables["students"][tables["students"].experiment == "B"]
    assert len(own) == 3 * sum(w[0].numel() for w in drawn.students.params.values())
    found = measures.summary(tables["curves"], experiment="B", precision="float64").end
    away = [
        sum(float((w[run] - drawn.teachers.params[k][run]).square().sum()) for k, w in networks_of(
            own, drawn.teachers).params.items()) for run in range(3)
    ]  # fmt: skip
    assert away == pytest.approx(found.tolist(), rel=1e-9)


def test_the_prediction_is_the_closed_form_of_what_was_drawn(tables):
    drawn = rebound.draw(tiny.AB.conditions()["B"])
    at = {"learning_rate": 0.01, "steps": 8}
    near = Linearization.at(drawn.teachers[1], drawn.data.inputs[1])
    curve = near.squared_distance(noise=drawn.noise[1], **at)
    own = tables["prediction"][(tables["prediction"].experiment == "B") & (tables["prediction"].run == 1)]
    assert own.predicted.to_numpy() == pytest.approx(curve.numpy(), rel=1e-9)
    expected = near.squared_distance(sigma=tiny.AB.conditions()["B"].noise, **at)
    assert own.expected.to_numpy() == pytest.approx(expected.numpy(), rel=1e-9)
    simulated = as_tensor(measures.distances(tables["curves"], experiment="B", precision="float64"))[1]
    assert own.simulated.tolist() == simulated.tolist()


def test_both_starts_displaced(tables):
    own = tables["prediction"][tables["prediction"].experiment == "noise and displacement"]
    assert (own[own.epoch == 0].simulated > 1e-6).all()
    assert own[own.epoch == 0].predicted.to_numpy() == pytest.approx(own[own.epoch == 0].simulated.to_numpy())


def test_the_map_has_every_rule_at_its_precisions_and_displacements(tables):
    cells = (
        tables["map"]
        .groupby("rule")
        .apply(lambda part: len(part[["precision", "perturbation"]].drop_duplicates()), include_groups=False)
    )
    assert cells[rules.PLAIN] == 8
    assert all(cells[rule] == 4 for rule in rules.SCALES)
    assert cells[rules.PROJECTED] == 1
    assert (tables["map"].groupby(["rule", "precision", "perturbation"]).size() == 2).all()


@pytest.mark.parametrize("rule", rules.SCALES)
def test_a_rule_grows_with_the_displacement(rule):
    small, large = (rules._scaled(tiny.MAP, rule, size) for size in (1e-4, 1e-3))
    field = {"noise": "noise", "Adam": "learning_rate"}.get(rule, "alpha")
    assert getattr(large, field) == pytest.approx(10 * getattr(small, field))
    samples = (10 / DATASET_SIZE) ** 0.5 if rule == "noise" else 1
    assert getattr(large, field) == pytest.approx(rules.SCALES[rule].factor * 1e-3 * samples)
    assert large.perturbation == 1e-3


def test_the_ledger_is_of_the_least_displacement_at_every_precision(tables):
    ledger = tables["ledger"]
    assert ledger.precision.nunique() == 4
    assert set(ledger.name) == {"stalled"}
    assert ledger.value.between(0, 1).all()


def test_counted_runs_and_their_spread(tables):
    turned, spread = tables["turned_back"], tables["spread"]
    assert (turned.groupby(["perturbation", "precision"]).size() == 4).all()
    assert set(turned.perturbation[turned.precision == MASTER]) == {1e-6}
    assert set(map(tuple, spread[["experiment", "precision"]].drop_duplicates().to_numpy())) == {
        ("A", "float32"), ("A", MASTER), ("B", "float32"),
    }  # fmt: skip
    trained = rebound.train(tiny.COUNTS.condition(num_runs=4, dataset_size=10, precision="float32", perturbation=1e-6))
    curves = normalised(trained.curves["squared_distance"][:, 1:])
    own = spread[(spread.experiment == "A") & (spread.precision == "float32")]
    assert own["mean"].to_numpy() == pytest.approx(curves.mean(0).numpy())
    assert own.deviation.to_numpy() == pytest.approx(curves.std(0).numpy())


def test_the_displacement_of_the_study_is_counted_though_not_listed():
    settings = replace(tiny.COUNTS, perturbation=1e-4, epochs=2)
    turned = rebound.counting.counted(settings)["turned_back"]
    assert sorted(turned.perturbation.unique()) == [1e-6, 1e-5, 1e-4]


def test_variants_differ_in_penalty_and_projection(tables):
    rows = tables["b_variants"]
    assert list(rows.variant.unique()) == [variants.PLAIN, variants.CODED, variants.DESCRIBED, variants.FIRST]
    ends = {v: measures.summary(rows, variant=v).end.median() for v in rows.variant.unique()}
    assert ends[variants.CODED] > 10 * ends[variants.PLAIN]
    # the one projection at epoch 1 comes before anything else has happened
    first = as_tensor(measures.distances(rows, variant=variants.FIRST))[:, 1]
    assert (first == as_tensor(measures.distances(rows, variant=variants.DESCRIBED))[:, 1]).all()


def test_scaling_shares_noise_only_where_it_says(tables):
    rows = tables["scaling"]
    ratio = rows.assign(ratio=rows.value / rows.sigma**2).groupby(["variant", "run"]).ratio.agg(np.ptp)
    assert ratio[scaling.COMMON].max() < 1e-4 * (rows.value / rows.sigma**2).max()
    assert ratio[scaling.FRESH].min() > 1e-2 * (rows.value / rows.sigma**2).min()
    assert rows.groupby(["variant", "sigma"]).size().eq(2).all()


def test_levels_go_with_the_square_of_learning_rate_and_epochs(tables):
    level = tables["levels"].set_index("variant").value
    assert level[scaling.COMMITTED_SETTINGS] / level[scaling.PUBLISHED_SETTINGS] == pytest.approx(1e4, rel=0.2)


def test_distances_up_to_symmetry_lie_between_their_bounds(tables):
    rows = tables["distances"]
    assert set(rows.experiment) == {"A", "B", "noise and displacement", FAR, RANDOM}
    slack = 1 + 1e-9
    assert (rows.quotient_lower <= slack * rows["quotient"]).all()
    assert (rows["quotient"] <= slack * rows.raw).all()
    near = rows[rows.experiment.isin(["A", "B"])]
    assert near.certified.all()
    assert near["quotient"].to_numpy() == pytest.approx(near.raw.to_numpy(), rel=1e-9)


def test_a_shuffled_copy_is_no_distance_away_up_to_symmetry():
    drawn = rebound.draw(tiny.AB.conditions()["A"])
    teacher, copy = drawn.teachers[0], drawn.teachers[0]
    with torch.no_grad():
        order = torch.tensor([2, 0, 3, 1])
        sign = torch.tensor([1.0, -1.0, 1.0, 1.0], dtype=torch.float64)
        first, second = copy.layers[0], copy.layers[1]
        first.weight.copy_((first.weight[order].T * sign).T)
        first.bias.copy_(first.bias[order] * sign)
        second.weight.copy_(second.weight[:, order] * sign)
    found = up_to_symmetry([(teacher, copy)])
    assert found["quotient"][0] < 1e-20
    assert found.quotient_lower[0] < 1e-12
    assert found.teacher[0] == pytest.approx(sum(float(p.detach().square().sum()) for p in teacher.parameters()))


def test_distances_of_trained_students_are_those_of_their_curves(tables):
    ends = measures.summary(tables["curves"], experiment="A", precision="float64").end
    own = tables["distances"][tables["distances"].experiment == "A"]
    assert own.raw.tolist() == pytest.approx(ends.tolist(), rel=1e-9)


def test_the_fisher_weighted_distance_is_the_error_of_near_functions():
    drawn = rebound.draw(tiny.AB.condition(perturbation=1e-4))
    found = between(drawn, drawn.students)
    x = drawn.data.inputs
    error = (drawn.students.each(x) - drawn.teachers.each(x)).square().flatten(1).mean(1)
    assert found.fisher.tolist() == pytest.approx(error.tolist(), rel=0.01)
    assert (found.normal_form > found.raw).any()


def test_margins_are_smaller_with_tiny_biases(tables):
    least = tables["margins"].groupby("biases")[["bias", "ratio"]].max()
    assert least.bias["tiny"] < 1e-5 < least.bias["uniform"]
    assert (tables["margins"].ratio < 0.1).all()


def test_spectra_fall_and_count_every_parameter(tables):
    rows = tables["spectrum"]
    assert rows["index"].max() == 31
    assert rows.groupby(["biases", "run"]).value.apply(lambda v: bool((v.diff().dropna() <= 0).all())).all()


def test_pruning_leaves_fewer_weights_step_by_step(tables):
    rows = tables["pruning"].set_index(["strength", "variant", "run"]).weights.unstack("variant")
    assert (rows["as coded: below 1e-3"] <= rows["trained"]).all()
    assert (rows["tolerance search, fine-tuned"] <= rows["tolerance search"]).all()
    assert (rows["teacher"] == 15).all()
    sweep = tables["sweep"].set_index(["strength", "run", "threshold"]).weights.unstack("threshold")
    assert (sweep.diff(axis=1).iloc[:, 1:] <= 0).all().all()
    fixed = sweep[min(sweep.columns, key=lambda t: abs(t - 1e-3))]
    assert fixed.tolist() == rows["as coded: below 1e-3"].reindex(fixed.index).tolist()
