"""Distances, normalisation, pruning, and the chapter's figures."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from sparsenn_book.figures import rebound as figures
from sparsenn_book.studies import rebound
from sparsenn_book.studies.rebound import PRECISIONS, Settings
from sparsenn_core import Data, Ensemble, fit, penalties
from sparsenn_core.errors import InputError
from sparsenn_core.networks import MLP
from sparsenn_core.randomness import generator
from sparsenn_core.training import ProximalAdam, ProximalSGD

SMALL = Settings(dataset_size=50, test_set_size=10, num_runs=3, epochs=10, precision="float64")


@pytest.fixture(scope="module")
def local():
    return rebound.train(replace(SMALL, perturbation=1e-3))


def test_layer_factors_of_the_study():
    net = MLP((2, 25, 25, 1), "tanh", generator=generator(0, "net"))
    factors = penalties.layer_factors(dict(net.named_parameters()))
    found = [factors[f"layers.{i}.{p}"] for i in range(3) for p in ("weight", "bias")]
    assert [round(f, 4) for f in found] == [3.3378, 3.3378, 0.3851, 0.3851, 9.6282, 9.6282]


def test_normalised_runs_from_zero_to_one():
    curves = torch.tensor([[3.0, 1.0, 2.0], [5.0, 5.0, 5.0], [0.0, 1e-9, 4e-9]])
    expected = torch.tensor([[1.0, 0.0, 0.5], [0.0, 0.0, 0.0], [0.0, 0.25, 1.0]])
    torch.testing.assert_close(rebound.normalised(curves), expected)


def test_local_distances_agree_up_to_symmetry_and_not_in_the_normal_form(local):
    table = rebound.quotient_distances(local)
    assert table.certified.all()
    assert table["quotient"].to_numpy() == pytest.approx(table.raw.to_numpy(), rel=1e-9)
    assert (rebound.normal_form_distances(local).normal_form > 1e3 * table.raw).all()


def test_fisher_weighted_distance_is_the_error_on_the_training_inputs(local):
    x, p = local.problem.data.inputs, local.problem
    error = (local.students.each(x) - p.teachers.each(x)).square().flatten(1).mean(1)
    assert rebound.fisher_weighted(local).fisher.to_numpy() == pytest.approx(error.numpy(), rel=0.05)


def test_rebounds_need_an_approach_and_a_rise(local):
    made = torch.tensor([[2.0, 1.0, 1.1], [1.0, 1.1, 1.2], [2.0, 1.0, 1.0001], [0.0, 1.0, 2.0]])
    table = rebound.rebounds(replace(local, curves={"squared_distance": made}))
    assert table.rebounded.tolist() == [True, False, False, False]
    assert table.step.tolist() == [1, 0, 1, 0]


def test_pruning_problem_hides_a_small_teacher_in_a_wide_shape():
    problem = rebound.pruning_problem(SMALL, (2, 10, 5, 1))
    params = problem.teachers.params
    kept = sum(int((w[0] != 0).sum()) for w in params.values())
    assert kept == 91
    inner = Ensemble.stack([MLP((2, 10, 5, 1), "tanh", generator=generator(0, "x"))] * 3)
    cut = {k: w[(slice(None), *(slice(0, n) for n in inner.params[k].shape[1:]))] for k, w in params.items()}
    inner = inner.with_params({k: w.contiguous() for k, w in cut.items()})
    torch.testing.assert_close(inner.each(problem.test), problem.test_targets)
    with pytest.raises(InputError, match="does not fit"):
        rebound.pruning_problem(SMALL, (2, 30, 5, 1))


def test_tolerance_thresholds_are_the_largest_allowed():
    """One weight a network: the loss of pruning it is known."""
    nets = Ensemble.stack([MLP((3, 1), "tanh", generator=generator(0, "x"), bias=False).double()] * 2)
    nets = nets.with_params({"layers.0.weight": torch.tensor([[[0.1, -0.5, 2.0]], [[1.0, 1.0, -3.0]]]).double()})

    def loss(students):
        kept = students.params["layers.0.weight"] != 0
        return 1.0 + (~kept).double().flatten(1).sum(1)

    thresholds = rebound.tolerance_thresholds(nets, loss, 1.0)
    assert thresholds.tolist() == pytest.approx([0.5, 1.0], abs=2e-7)
    assert rebound.tolerance_thresholds(nets, loss, 0.5).tolist() == pytest.approx([0.1, 1.0], abs=2e-7)
    assert (thresholds[0] <= 0.5) & (thresholds[1] <= 1.0)
    pruned = rebound.pruned(nets, thresholds + 1e-6).params["layers.0.weight"]
    assert pruned.tolist() == [[[0.0, 0.0, 2.0]], [[0.0, 0.0, -3.0]]]


def test_dead_weights_lead_nowhere_or_come_from_nowhere():
    net = MLP((2, 3, 1), "tanh", generator=generator(0, "x")).double()
    with torch.no_grad():
        net.layers[1].weight[0, 1] = 0  # unit 1 leads nowhere
        net.layers[0].weight[2] = 0  # unit 2 is constant zero
        net.layers[0].bias[2] = 0
    dead = rebound.dead_weights(Ensemble.stack([net, net]), [generator(0, "dead", r) for r in range(2)])
    first = dead["layers.0.weight"][0]
    assert first.tolist() == [[False, False], [True, True], [False, False]]
    assert dead["layers.0.bias"][0].tolist() == [False, True, False]
    assert dead["layers.1.weight"][0].tolist() == [[False, False, True]]


@pytest.mark.parametrize("optimizer", [ProximalSGD(0.05), ProximalAdam(0.01)], ids=["sgd", "adam"])
def test_fine_tuning_keeps_the_mask_and_lowers_the_loss(optimizer):
    problem = rebound.pruning_problem(SMALL, (2, 10, 5, 1))
    start = rebound.pruned(problem.students, 0.1)
    masks = rebound.support_of(start)
    result = fit(start, problem.data, optimizer=optimizer, epochs=50, penalty=penalties.FixedSupport(masks=masks))
    for k, mask in masks.items():
        assert not (result.ensemble.params[k] != 0)[~mask].any()
    data: Data = problem.data
    before, after = ((e.each(data.inputs) - data.targets).square().flatten(1).mean(1) for e in (start, result.ensemble))
    assert (after < before).all()


def _curves():
    names, epochs, runs = ("squared_distance", "train_loss", "test_loss"), range(6), range(3)
    rows = [
        (experiment, precision, run, epoch, name, 1 + 0.1 * run + abs(epoch - 3))
        for experiment in "AB"
        for precision in ("float32", "float64")
        for name in names
        for run in runs
        for epoch in epochs
    ]
    return pd.DataFrame(rows, columns=["experiment", "precision", "run", "epoch", "name", "value"])


def _published():
    columns = ("l2_normalized", "train_loss_normalized", "test_loss_normalized")
    return {k: pd.DataFrame({"epoch": [1, 2, 3], **{c: [0.0, 0.5, 1.0] for c in columns}}) for k in "AB"}


def test_study_curves_lay_the_published_over_the_mean():
    fig = figures.study_curves(_curves(), _published(), "A")
    means = [t for t in fig.data if t.name == "float32" and t.fill is None]
    # epochs 1 to 5 of |epoch - 3|, scaled
    assert [list(t.y) for t in means] == [[1.0, 0.5, 0.0, 0.5, 1.0]] * 3
    assert sum(t.name == "published" for t in fig.data) == 3
    assert sum(bool(t.showlegend) for t in fig.data) == 3


def test_the_map_shows_rates_with_intervals_and_sizes_of_rebounds_only():
    flags = [True, False, True, False]
    frame = pd.DataFrame(
        {"rule": "L1", "precision": "float64", "perturbation": 1e-2, "run": range(4), "rebounded": flags}
    ).assign(rebound=[0.02, 0.0, 0.04, 0.0])
    share = figures.rebound_map(frame, "share").data[0]
    assert share.y[0] == 0.5
    assert 0 < share.y[0] - share.error_y.arrayminus[0] < 0.2
    assert figures.rebound_map(frame, "size").data[0].y[0] == pytest.approx(3.0)
    assert not figures.rebound_map(frame.assign(rebounded=False), "size").data


def test_other_figures_draw_what_the_rows_say():
    epochs = np.arange(4)
    rows = pd.DataFrame({"experiment": "B", "run": 0, "epoch": epochs, "simulated": epochs, "predicted": epochs})
    assert list(figures.predicted_curves(rows.assign(expected=1.0), [0]).data[0].y) == [1, 2, 3]
    stops = pd.DataFrame({"run": [0, 1], "simulated": [3, 8], "predicted": [3, 9]})
    assert list(figures.stopping_times(stops).data[1].x) == [3, 9]
    made = pd.DataFrame({"experiment": ["A", "A", "B", "B"], "run": 0, "name": ["raw", "q"] * 2, "value": [1, 2, 3, 4]})
    assert [list(t.y) for t in figures.distances(made).data] == [[1, 3], [2, 4]]
    values = pd.DataFrame({"biases": "tiny", "run": [0, 0, 1, 1], "index": [1, 2, 1, 2], "value": [4.0, 1.0, 4.0, 1.0]})
    assert list(figures.spectrum(values, 5.0).data[1].y) == pytest.approx([4, 1])
    ledger = pd.DataFrame({"precision": next(iter(PRECISIONS)), "run": [0, 1] * 2, "epoch": [0, 0, 5, 5], "value": 0.5})
    assert list(figures.precision_ledger(ledger).data[1].y) == [0.5, 0.5]
    c = pd.DataFrame({"variant": "v", "sigma": [0.1, 0.1, 1.0], "run": [0, 1, 0], "value": [1.0, 3.0, 5.0]})
    published = pd.DataFrame({"log10_sigma": [-1.0], "log10_squared_l2": [-2.0]})
    fig = figures.noise_scaling(c, published)
    assert list(fig.data[0].y) == [2.0, 5.0]
    assert list(fig.data[1].y) == [0.01]
