"""The first chapter's study: its grid, its arithmetic, its judgement, its claims and its pictures."""

import pandas as pd
import pytest
import torch

from sparsenn_book.studies import l1_path as study
from sparsenn_book.studies.l1_path import figures as draw
from sparsenn_book.studies.l1_path.claims import l2_gradient_factor
from sparsenn_book.studies.l1_path.evaluation import describe, fresh_inputs
from sparsenn_book.studies.l1_path.schedule import data_of, start
from sparsenn_core.errors import InputError
from sparsenn_core.networks import literal_teacher
from sparsenn_core.training import Ensemble

RECORDED = pd.read_csv("notebooks/data/l1_recorded_runs.csv")
TINY = study.Schedule(samples=64, epochs=2)


@pytest.fixture(scope="module")
def trained():
    tables, curves, minima = [], [], []
    for activation in draw.ACTIVATIONS:
        runs = study.runs_table("multi_channel", [(activation, activation)], ["none", "l1", "l2"], [0.2, 1.0], 2)
        done = study.train(runs, TINY, every=1)
        tables.append(study.evaluate(done, TINY, 500))
        curves.append(done.curves)
        minima.append(study.minima("multi_channel", activation, TINY, starts=1, steps=0, test_samples=500).table)
    return pd.concat(tables, ignore_index=True), pd.concat(curves, ignore_index=True), pd.concat(minima)


def test_same_seed_means_same_inputs_and_same_start_whatever_the_penalty():
    runs = study.runs_table("baseline", [("relu", "relu"), ("tanh", "relu")], ["none", "l1"], [0.2, 1.0], 2)
    data = data_of(runs, 32, torch.float64)
    first = runs.index[runs["seed"] == 1].tolist()
    inputs = data.inputs[data.of_run[first]]
    assert (inputs == inputs[0]).all()
    assert len(data.inputs) == 4  # two teachers, two seeds
    weights = start(runs, TINY).params["layers.0.weight"]
    small, large = (runs.index[(runs["seed"] == 1) & (runs["init_scale"] == s)].tolist() for s in (0.2, 1.0))
    torch.testing.assert_close(weights[small], 0.2 * weights[large])


def test_a_copy_of_the_teacher_is_recovered_and_a_zero_network_is_dead():
    teacher = literal_teacher("baseline", "relu")
    copy = {k: v.detach()[None] for k, v in teacher.named_parameters()}
    both = Ensemble(teacher, {k: torch.cat([v, torch.zeros_like(v)]) for k, v in copy.items()})
    runs = study.runs_table("baseline", [("relu", "relu")], ["none"], [1.0], 2)
    table = describe(both, runs, 1000)
    assert table["outcome"].tolist() == ["recovered", "dead"]
    assert table["mse"][0] < 1e-30
    assert table["aligned_distance"].tolist() == pytest.approx([0, 1])
    assert table["reference_distance"].tolist() == pytest.approx([0, 7.0249], abs=1e-4)
    assert table["exact_zeros"].tolist() == [0, 7]


def test_the_objective_of_the_last_weights_is_the_formula(trained):
    runs = study.runs_table("baseline", [("tanh", "tanh")], ["l1", "l2"], [1.0], 1)
    done = study.train(runs, TINY, every=1)
    table = study.evaluate(done, TINY, 100)
    for r, kind in enumerate(["l1", "l2"]):
        net = done.fit.ensemble[r].double()
        loss = (net(done.data.inputs[0].double()) - done.data.targets[0].double()).square().mean().item()
        size = sum(float((w.abs() if kind == "l1" else w.square()).sum()) for w in net.state_dict().values())
        assert table["objective_of_last_weights"][r] == pytest.approx(loss + 1e-5 * size, rel=1e-9)


def test_the_studys_l2_gradient_is_three_strength_w():
    assert l2_gradient_factor(1e-3) == pytest.approx(3, abs=1e-9)


def test_reference_distance_prefers_nothing_to_the_exact_copy():
    assert study.reference_distances() == pytest.approx((8.7024, 7.0249), abs=1e-4)


def test_claims_are_tested_only_on_runs_that_stopped(trained):
    runs, _, minima = trained
    by_key = {c.key: c for c in study.claims(runs, minima)}
    assert by_key["l1.sigmoid-collapse"].measured is None  # all runs used up their two epochs
    ended = runs.assign(status="stopped early", outcome="collapsed")
    ended = pd.concat([ended] * 5)
    collapsed = {c.key: c for c in study.claims(ended, minima)}["l1.sigmoid-collapse"]
    assert collapsed.measured.value == 1
    assert collapsed.verdict("laptop") == "reproduced"
    fitted = {c.key: c for c in study.claims(ended.assign(outcome="fitted"), minima)}["l1.sigmoid-collapse"]
    assert fitted.verdict("laptop") == "refuted"
    assert {c.verdict("smoke") for c in by_key.values()} == {"not tested at this profile"}


def test_a_weight_at_zero_would_change_the_verdict_on_exact_zeros(trained):
    runs, _, minima = trained
    many = pd.concat([runs[runs["penalty"] == "l1"]] * 4)
    verdict = {c.key: c.verdict("laptop") for c in study.claims(many, minima)}
    assert verdict["l1.exact-zeros"] == "corrected"
    zeros = {c.key: c.verdict("laptop") for c in study.claims(many.assign(exact_zeros=30), minima)}
    assert zeros["l1.exact-zeros"] == "reproduced"


def test_every_figure_draws_what_its_rows_say(trained):
    runs, curves, minima = trained
    same = RECORDED[RECORDED["teacher_activation"] == RECORDED["student_activation"]]
    wide = same[same["student"] == "multi_channel"]
    variance = {a: float(literal_teacher("baseline", a)(fresh_inputs(1000)).var()) for a in draw.ACTIVATIONS}
    least = minima.groupby(["student_activation", "penalty"], as_index=False)["objective"].min()
    figure = draw.objectives(wide, runs, least, variance, "alt")
    marks = [t for t in figure.data if t.name.startswith("reference schedule")]
    assert sum(len(t.x) for t in marks) == len(runs)
    assert sum(len(t.x) for t in figure.data if t.name.startswith("recorded")) == len(wide)
    curve = draw.training_curves(curves, "epoch loss", "title", "y", "alt", log=True)
    assert len([t for t in curve.data if t.mode == "lines" and t.fill is None]) == 9
    shares = draw.outcomes(wide, runs, "alt")
    assert all(0 <= y <= 1 for t in shares.data for y in t.y)
    assert [t.showlegend is not False for t in figure.data].count(True) == 3
    one = runs[runs["student_activation"] == "tanh"].iloc[[0]].reset_index(drop=True)
    teacher = literal_teacher("baseline", "tanh")
    table = study.weights_table({k: v.detach()[None] for k, v in teacher.named_parameters()}, one)
    assert table["student"].tolist() == table["teacher"].tolist()
    assert len(draw.heat_maps({"copy": table}, "title", "alt").data[0].z) == 2


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: study.runs_table("baseline", [("relu", "relu")], ["L1"], [1.0], 1), "unknown penalty 'L1'"),
        (lambda: study.runs_table("baseline", [], ["l1"], [1.0], 1), "the grid of runs is empty"),
        (lambda: study.Schedule(last_activation="line"), "did you mean 'linear'"),
        (lambda: study.Schedule().build("basline", "relu", 1.0), "did you mean 'baseline'"),
    ],
)
def test_refusals(make, message):
    with pytest.raises(InputError, match=message):
        make()
