"""The written-out gradient against automatic differentiation."""

import pytest
import torch
from torch.nn.functional import l1_loss, mse_loss
from torch.nn.utils.parametrizations import weight_norm

from sparsenn_core import Ensemble
from sparsenn_core.errors import InputError
from sparsenn_core.networks import MLP, baseline_cnn
from sparsenn_core.randomness import generator
from sparsenn_core.training.backprop import Backprop, run_groups, tile_size
from sparsenn_core.training.evaluation import Evaluation
from sparsenn_core.training.gradients import Batch, automatic, written_out
from sparsenn_core.training.stacked_layers import stacked_layers

RUNS, SAMPLES = 3, 41


class Gated(MLP):
    """A subclass whose forward only works on one network."""

    def forward(self, x):
        return super().forward(x) * torch.sigmoid(x @ self.layers[0].weight.T).mean(1, keepdim=True)


def networks(widths, activation="tanh", last="linear", bias=True, dtype=torch.float64):
    def build(source):
        net = MLP(widths, activation, last_activation=last, bias=bias, generator=source)
        return net.to(dtype)

    return Ensemble.of(build, range(RUNS))


def samples(widths, *, shared, seed=0):
    source = generator(seed, "data")
    runs = () if shared else (RUNS,)
    x = torch.randn(*runs, SAMPLES, widths[0], generator=source, dtype=torch.float64)
    return x, torch.randn(*runs, SAMPLES, widths[-1], generator=source, dtype=torch.float64)


def exact_gradient(ensemble, *, shared):
    evaluation = Evaluation(ensemble.template, mse_loss)
    evaluation.forward = None  # by vmap, which takes the module as it is
    return automatic(evaluation, list(ensemble.params), shared=shared)


def assert_same(ensemble, x, y, gradients):
    (ours, losses, _), (grads, exact, _) = (g(ensemble.params, {}, Batch(x, y)) for g in gradients)
    alone = Backprop(stacked_layers(ensemble.template), shared=x.ndim == 2, tile=10).losses(ensemble.params, x, y)
    torch.testing.assert_close(losses, exact, rtol=1e-13, atol=0)
    torch.testing.assert_close(alone, exact, rtol=1e-13, atol=0)
    assert ours.keys() == grads.keys()
    for k, g in grads.items():
        torch.testing.assert_close(ours[k], g, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("shared", [True, False], ids=["shared data", "own data"])
@pytest.mark.parametrize("tile", [None, 1, 7, 16, 40, 100])
@pytest.mark.parametrize("widths", [(3, 1), (2, 5, 1), (4, 7, 3, 2), (2, 3, 9, 4, 1)])
def test_any_depth_and_tile(widths, tile, shared):
    ensemble = networks(widths)
    gradients = [
        written_out(ensemble, mse_loss, shared=shared, tile=tile),
        exact_gradient(ensemble, shared=shared),
    ]
    assert_same(ensemble, *samples(widths, shared=shared), gradients)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("last", ["linear", "tanh", "relu"])
@pytest.mark.parametrize("activation", ["tanh", "relu", "sigmoid", "linear"])
def test_every_activation_with_and_without_biases(activation, last, bias):
    widths = (3, 6, 5, 2)
    ensemble = networks(widths, activation, last, bias)
    gradients = [written_out(ensemble, mse_loss, shared=False, tile=16), exact_gradient(ensemble, shared=False)]
    assert_same(ensemble, *samples(widths, shared=False), gradients)


def test_other_samples_and_other_weights_are_not_mixed_up_with_those_before():
    widths = (2, 5, 1)
    first, second = networks(widths), networks(widths, dtype=torch.float64)
    second = second.with_params({k: 2 * w for k, w in second.params.items()})
    ours, exact = written_out(first, mse_loss, shared=False, tile=16), exact_gradient(first, shared=False)
    for ensemble, seed in [(first, 0), (second, 0), (first, 1), (first, 0)]:
        assert_same(ensemble, *samples(widths, shared=False, seed=seed), [ours, exact])


def test_networks_and_losses_it_does_not_know_are_left_to_automatic_differentiation():
    cnn = Ensemble.of(lambda source: baseline_cnn("tanh", generator=source), range(2))
    assert written_out(cnn, mse_loss, shared=True) is None
    assert written_out(networks((2, 3, 1), "gelu"), mse_loss, shared=True) is None
    assert written_out(networks((2, 3, 1)), l1_loss, shared=True) is None
    reparametrised = weight_norm(MLP((2, 3, 1), "tanh", generator=generator(0, "init")).layers[0])
    assert stacked_layers(Gated((2, 3, 1), "tanh", generator=generator(0, "init"))) is None
    net = MLP((2, 3, 1), "tanh", generator=generator(0, "init"))
    net.layers[0] = reparametrised
    assert stacked_layers(net) is None


@pytest.mark.parametrize("shape", [(41, 2), (RUNS, 2), (1, 41, 2), (RUNS + 1, 41, 2)])
def test_inputs_that_are_not_one_set_for_each_run_are_refused(shape):
    with pytest.raises((ValueError, RuntimeError)):
        networks((2, 5, 1)).each(torch.zeros(shape, dtype=torch.float64))


def test_a_subclass_with_a_forward_of_its_own_is_evaluated_by_it():
    ensemble = Ensemble.of(lambda source: Gated((2, 3, 1), "tanh", generator=source).double(), range(RUNS))
    x, _ = samples((2, 3, 1), shared=False)
    expected = torch.stack([net(one) for net, one in zip(ensemble, x, strict=True)])
    torch.testing.assert_close(ensemble.each(x), expected, rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize(
    ("shared", "inputs", "targets", "message"),
    [
        (False, (3, 41, 2), (3, 41, 1), r"targets of shape \(3, 41, 2\), not \(3, 41, 1\)"),
        (True, (41, 2), (41,), r"targets of shape \(41, 2\), not \(41,\)"),
        (True, (41, 5), (41, 2), r"inputs of shape \(41, 2\), not \(41, 5\)"),
        (True, (41, 5, 2), (41, 5, 2), r"inputs of shape \(41, 2\), not \(41, 5, 2\)"),
        (False, (4, 41, 2), (4, 41, 2), r"inputs of shape \(3, 41, 2\), not \(4, 41, 2\)"),
    ],
)
def test_samples_of_another_shape_are_refused(shared, inputs, targets, message):
    ensemble = networks((2, 3, 2))
    batch = Batch(torch.zeros(inputs), torch.zeros(targets))
    with pytest.raises(InputError, match=message):
        written_out(ensemble, mse_loss, shared=shared)(ensemble.params, {}, batch)


def test_tiles_are_about_equal_and_of_whole_cache_lines():
    assert [tile_size(10_000, tile) for tile in (400, 500, 2000)] == [400, 480, 2000]
    assert [tile_size(500, tile) for tile in (400, 500, 16, 7)] == [256, 256, 16, 7]
    assert tile_size(41, 100) == 48
    for samples in range(1, 70):
        for tile in range(1, 70):
            size = tile_size(samples, tile)
            assert size <= tile or size - samples < 16
            assert size % 16 == 0 or tile < 16


def test_groups_hold_all_runs_once_and_none_is_alone():
    for runs in range(2, 40):
        for least in range(2, 50):
            groups = run_groups(runs, least)
            assert [i for g in groups for i in range(g.start, g.stop)] == list(range(runs))
            assert min(g.stop - g.start for g in groups) >= min(runs, least)


@pytest.mark.parametrize("shared", [True, False], ids=["shared data", "own data"])
def test_many_runs_go_in_groups(shared, monkeypatch):
    monkeypatch.setattr("sparsenn_core.training.backprop.CACHED", 200)
    monkeypatch.setattr("test_backprop.RUNS", 7)
    widths = (2, 5, 1)
    ensemble = networks(widths)
    gradients = [written_out(ensemble, mse_loss, shared=shared, tile=20), exact_gradient(ensemble, shared=shared)]
    assert_same(ensemble, *samples(widths, shared=shared), gradients)
