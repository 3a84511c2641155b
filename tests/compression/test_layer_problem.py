"""The sums of a layer's problem against the same from all of its inputs at once, got by slicing the network by hand."""

from __future__ import annotations

import sys

import compression_nets as nets
import numpy as np
import pytest
import torch
from torch import nn

from sparsenn_core.compression import layer_problem, refitted, restricted, samples
from sparsenn_core.lasso import width_bounds
from sparsenn_core.networks import MLP, feed
from sparsenn_core.randomness import generator


def patches(h: torch.Tensor, layer: nn.Conv2d) -> torch.Tensor:
    """Rows of a convolution, one output position after the other, by loops."""
    (kh, kw), (sh, sw), (ph, pw) = layer.kernel_size, layer.stride, layer.padding
    h = nn.functional.pad(h, (pw, pw, ph, ph))
    tall, wide = (h.shape[2] - kh) // sh + 1, (h.shape[3] - kw) // sw + 1
    rows = [
        image[:, i * sh : i * sh + kh, j * sw : j * sw + kw].flatten()
        for image in h
        for i in range(tall)
        for j in range(wide)
    ]
    return torch.stack(rows)


def test_sums_of_a_linear_layer_are_those_of_all_its_inputs() -> None:
    model, data = nets.perceptron(), nets.images((6,), count=700)
    problem = nets.problem_of(model, "2", data)
    phi = model[:2](data[0]).detach().numpy().T
    psi = model[2].weight.detach().numpy() @ phi
    entries = psi.size
    np.testing.assert_allclose(problem.gram, phi @ phi.T / entries, atol=1e-13)
    np.testing.assert_allclose(problem.cross, psi @ phi.T / entries, atol=1e-13)
    np.testing.assert_allclose(problem.energy, (psi**2).sum() / entries)
    np.testing.assert_allclose(problem.mean, phi.mean(1), atol=1e-13)
    np.testing.assert_allclose(problem.target_mean, psi.mean(1), atol=1e-13)
    np.testing.assert_allclose(problem.rms, np.sqrt((phi**2).mean(1)), atol=1e-13)
    features, targets = problem.data
    assert features.shape[1] <= len(phi) + 1
    other = np.random.default_rng(0).normal(size=problem.weight.shape)
    full = ((other @ phi - psi) ** 2).mean()
    np.testing.assert_allclose(((other @ features - targets) ** 2).mean(), full)
    np.testing.assert_allclose(problem.error(other), full)


def test_error_counts_the_change_of_the_bias() -> None:
    model, data = nets.perceptron(), nets.images((6,))
    problem = nets.problem_of(model, "2", data)
    phi = model[:2](data[0]).detach().numpy().T
    rng = np.random.default_rng(1)
    other, shift = rng.normal(size=problem.weight.shape), rng.normal(size=problem.outputs)
    wanted = ((other @ phi + shift[:, None] - problem.weight @ phi) ** 2).mean()
    np.testing.assert_allclose(problem.error(other, shift), wanted)


@pytest.mark.parametrize("small", [True, False])
def test_sums_of_a_convolution_are_those_of_its_patches(small: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if small:
        monkeypatch.setattr(sys.modules[layer_problem.__module__], "ENTRIES", 1000)  # a few images at a time
    model, data = nets.convolutional(), nets.images((2, 8, 8), count=40)
    problem = nets.problem_of(model, "conv2", data)
    phi = patches(model[:4](data[0]), model.conv2).detach().numpy().T
    psi = model.conv2.weight.detach().flatten(1).numpy() @ phi
    assert problem.size == 9
    assert problem.neurons == 8
    np.testing.assert_allclose(problem.gram, phi @ phi.T / psi.size, atol=1e-13)
    np.testing.assert_allclose(problem.cross, psi @ phi.T / psi.size, atol=1e-13)


def test_a_convolution_over_time_and_an_mlp_are_read() -> None:
    model = nets.drawn(nn.Sequential(nn.Conv1d(1, 4, 3), nn.ReLU(), nn.Conv1d(4, 2, 3, padding="same")), 1)
    x = torch.randn(30, 1, 9, generator=generator(0, "x"), dtype=torch.float64)
    problem = nets.problem_of(model, "2", (x, x))
    outputs = model[2](model[:2](x)) - model[2].bias[:, None]
    np.testing.assert_allclose(problem.energy, float(outputs.detach().square().mean()))
    mlp = nets.drawn(MLP((6, 9, 2), "relu", generator=generator(0, "init")), 2)
    data = nets.images((6,))
    psi = mlp(data[0]) - mlp.layers[1].bias
    np.testing.assert_allclose(nets.problem_of(mlp, "layers.1", data).energy, float(psi.detach().square().mean()))


def test_after_an_earlier_layer_changed_the_targets_are_those_of_the_network_as_given() -> None:
    given, data = nets.perceptron(), nets.images((6,))
    now = nets.perceptron(seed=1)
    now[2].load_state_dict(given[2].state_dict())
    now[4].load_state_dict(given[4].state_dict())
    whole, _ = samples(data, data, given)
    problem = layer_problem(given, now, feed(given, "4"), whole, progress=False)
    phi, was = (one[:4](data[0]).detach().numpy().T for one in (now, given))
    psi = given[4].weight.detach().numpy() @ was
    np.testing.assert_allclose(problem.cross, psi @ phi.T / psi.size, atol=1e-13)
    np.testing.assert_allclose(problem.gram, phi @ phi.T / psi.size, atol=1e-13)
    np.testing.assert_allclose(problem.energy, (psi**2).sum() / psi.size)
    np.testing.assert_allclose(problem.target_mean, psi.mean(1), atol=1e-13)


@pytest.mark.parametrize("bias", [True, False])
def test_refit_is_least_squares_on_the_samples(bias: bool) -> None:
    model, data = nets.perceptron(bias=bias), nets.images((6,))
    problem = nets.problem_of(model, "2", data)
    kept = np.array([1, 4, 5, 11, 17])
    found = refitted(problem, restricted(problem, kept))
    phi = model[:2](data[0]).detach().numpy()[:, kept]
    wanted = model[:3](data[0]).detach().numpy()
    design = np.hstack([phi, np.ones((len(phi), 1))]) if bias else phi
    solution, *_ = np.linalg.lstsq(design, wanted, rcond=None)
    np.testing.assert_allclose(found.weight[:, kept], solution[:5].T, atol=1e-10)
    assert not np.delete(found.weight, kept, axis=1).any()
    if bias:
        assert found.bias is not None
        np.testing.assert_allclose(found.bias, solution[5], atol=1e-10)
    else:
        assert found.bias is None


def test_refit_of_all_neurons_changes_nothing_even_where_they_are_dependent() -> None:
    model, data = nets.perceptron(), nets.images((6,))
    with torch.no_grad():
        model[0].weight[3] = 2 * model[0].weight[4]
        model[0].bias[3] = 2 * model[0].bias[4]
        model[0].weight[5], model[0].bias[5] = 0.0, -1.0  # dead
    problem = nets.problem_of(model, "2", data)
    found = refitted(problem, restricted(problem, np.arange(20)))
    np.testing.assert_allclose(found.weight, problem.weight, atol=1e-9)
    without = refitted(problem, restricted(problem, np.delete(np.arange(20), [3, 5])))
    assert problem.error(without.weight, without.bias - problem.bias) < 1e-24 * problem.energy


def test_bounds_are_those_of_the_samples() -> None:
    model, data = nets.perceptron(), nets.images((6,))
    bounds = nets.problem_of(model, "4", data).bounds()
    phi = model[:4](data[0]).detach().numpy()
    assert bounds.rank_features == np.linalg.matrix_rank(phi)
    assert (bounds.neurons, bounds.samples, bounds.outputs, bounds.rank_targets) == (15, 300, 3, 3)


def test_bounds_of_dependent_neurons_are_those_of_the_lassos_room() -> None:
    model, data = nets.perceptron(widths=(6, 5, 25, 4)), nets.images((6,))
    with torch.no_grad():
        model[2].bias.fill_(50.0)  # nothing is cut off: 25 neurons of rank 6
    problem = nets.problem_of(model, "4", data)
    phi = model[:4](data[0]).detach().numpy().T
    wanted = width_bounds(phi, problem.weight @ phi, 1e-6)
    found = problem.bounds()
    assert (found.rank_features, found.rank_targets, found.sharp) == (6, wanted.rank_targets, wanted.sharp)
    assert not found.vacuous
    assert found.outside < 1e-6
