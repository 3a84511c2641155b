"""Closed-form curves against the linear iteration they solve, against training, and against sampling."""

import itertools
import math

import pytest
import torch
from torch import nn

from sparsenn_core import linearized
from sparsenn_core.errors import InputError
from sparsenn_core.linearized import Linearization
from sparsenn_core.networks import MLP
from sparsenn_core.randomness import generator

SHAPES = [(2, 25, 25, 1), (3, 4, 2), (1, 6, 5, 4, 3)]
RATE = 0.02


def teacher(widths=(2, 6, 5, 1), seed=0):
    return MLP(widths, "tanh", generator=generator(seed, "teacher")).double()


def uniform_inputs(widths, samples=40, seed=0):
    return 2 * torch.rand(samples, widths[0], generator=generator(seed, "data"), dtype=torch.float64) - 1


def gaussian(*shape, axis="noise"):
    return torch.randn(*shape, generator=generator(1, axis), dtype=torch.float64)


def parameters(net):
    return nn.utils.parameters_to_vector(net.parameters()).detach()


def slow_jacobian(net, x):
    """One backward pass after the other."""
    rows = [torch.autograd.grad(out, list(net.parameters()), retain_graph=True) for out in net(x).flatten()]
    return torch.stack([torch.cat([g.flatten() for g in row]) for row in rows])


def iterate(net, x, noise, displacement, force, steps):
    """The linear recursion that the closed form solves, step by step."""
    j = slow_jacobian(net, x)
    h, g = 2 / len(j) * j.T @ j, 2 / len(j) * j.T @ noise.flatten()
    d, out = displacement.clone(), []
    for _ in range(steps + 1):
        out.append(d.square().sum())
        d = d - RATE * (h @ d - g + force)
    return torch.stack(out)


def descend(net, x, noise, displacement, steps):
    """Squared distances of a student trained by torch.optim on teacher(x) + noise."""
    star, y = parameters(net), net(x).detach() + noise
    nn.utils.vector_to_parameters(star + displacement, net.parameters())
    optimizer, out = torch.optim.SGD(net.parameters(), RATE), []
    for _ in range(steps + 1):
        out.append((parameters(net) - star).square().sum())
        optimizer.zero_grad()
        nn.functional.mse_loss(net(x), y).backward()
        optimizer.step()
    return torch.stack(out)


@pytest.mark.parametrize("widths", SHAPES)
def test_solves_the_linear_recursion(widths):
    net, x = teacher(widths), uniform_inputs(widths)
    noise = gaussian(40, widths[-1])
    displacement, force = (gaussian(len(parameters(net)), axis=axis) for axis in ("start", "force"))
    curve = Linearization.at(net, x).squared_distance(
        learning_rate=RATE, steps=600, noise=noise, displacement=displacement, force=force
    )
    torch.testing.assert_close(curve, iterate(net, x, noise, displacement, force, 600), rtol=1e-10, atol=0)


def test_an_unstable_learning_rate_follows_the_recursion_too():
    net, x = teacher(), uniform_inputs((2,))
    top = Linearization.at(net, x).eigenvalues[0].item()
    rate = 2.1 / top
    start = gaussian(len(parameters(net)), axis="start")
    curve = Linearization.at(net, x).squared_distance(displacement=start, learning_rate=rate, steps=60)
    j = slow_jacobian(net, x)
    step = torch.eye(len(start), dtype=torch.float64) - rate * 2 / len(j) * j.T @ j
    expected = [(torch.linalg.matrix_power(step, t) @ start).square().sum() for t in range(61)]
    torch.testing.assert_close(curve, torch.stack(expected), rtol=1e-9, atol=0)
    assert curve[-1] > 2 * curve[0]


@pytest.mark.parametrize("widths", SHAPES)
def test_is_what_small_noise_and_displacement_do_in_training(widths):
    """First order: the relative error falls with the size of noise and displacement, and is below 1e-5 at 1e-6."""
    errors = []
    for size in (1e-3, 1e-6):
        net, x = teacher(widths), uniform_inputs(widths)
        noise, start = size * gaussian(40, widths[-1]), size * gaussian(len(parameters(net)), axis="start")
        predicted = Linearization.at(net, x).squared_distance(
            noise=noise, displacement=start, learning_rate=RATE, steps=100
        )
        simulated = descend(net, x, noise, start, 100)
        errors.append(((predicted - simulated) / simulated).abs().max().item())
    assert errors[1] < 1e-5
    assert errors[1] < errors[0] / 100


def test_sigma_is_the_mean_over_noise():
    net, x = teacher(), uniform_inputs((2,))
    line = Linearization.at(net, x)
    settings = {"learning_rate": RATE, "steps": 30, "displacement": 0.01 * gaussian(len(parameters(net)), axis="start")}
    noise = 0.1 * gaussian(1000, 40, 1)
    sampled = torch.stack([line.squared_distance(noise=e, **settings) for e in noise])
    expected = line.squared_distance(sigma=0.1, **settings)
    spread = sampled.std(0) / math.sqrt(len(sampled))
    assert ((sampled.mean(0) - expected).abs() <= 4.5 * spread + 1e-15).all()
    assert (spread[1:] < 0.1 * expected[1:]).all()


def test_spread_is_the_mean_over_starts():
    net, x = teacher((1, 2, 1)), uniform_inputs((1,))
    line = Linearization.at(net, x)
    basis = torch.eye(len(parameters(net)), dtype=torch.float64)
    settings = {"learning_rate": RATE, "steps": 50}
    # the expectation over an isotropic start is the sum over any orthonormal basis
    expected = 0.09 * torch.stack([line.squared_distance(displacement=e, **settings) for e in basis]).sum(0)
    torch.testing.assert_close(line.squared_distance(spread=0.3, **settings), expected, rtol=1e-12, atol=0)


def test_without_noise_the_distance_never_grows():
    net, x = teacher((2, 25, 25, 1)), uniform_inputs((2,))
    for seed in range(5):
        start = torch.randn(751, generator=generator(seed, "start"), dtype=torch.float64)
        curve = Linearization.at(net, x).squared_distance(displacement=start, learning_rate=RATE, steps=300)
        assert (curve.diff() < 0).all()


def test_from_the_teacher_the_distance_only_grows_and_scales_with_the_noise():
    net, x = teacher((2, 25, 25, 1)), uniform_inputs((2,))
    noise = gaussian(40, 1)
    one, ten = (
        Linearization.at(net, x).squared_distance(noise=s * noise, learning_rate=RATE, steps=300) for s in (1, 10)
    )
    assert one[0] == 0
    assert (one.diff() > 0).all()
    torch.testing.assert_close(ten, 100 * one, rtol=1e-10, atol=0)


def test_function_error_is_the_fisher_distance_and_the_mean_squared_change():
    net, x = teacher(), uniform_inputs((2,))
    start = 1e-6 * gaussian(len(parameters(net)), axis="start")
    first = Linearization.at(net, x).function_error(learning_rate=RATE, steps=1, displacement=start)[0].item()
    outputs = net(x).detach()
    assert first == pytest.approx(linearized.fisher_distance(net, x, start), rel=1e-10)
    nn.utils.vector_to_parameters(parameters(net) + start, net.parameters())
    assert first == pytest.approx((net(x) - outputs).square().mean().item(), rel=1e-4)


def test_displacements_may_be_flat_listed_or_named():
    net, x = teacher(), uniform_inputs((2,))
    flat = gaussian(len(parameters(net)), axis="start")
    named = {k: torch.empty_like(p) for k, p in net.named_parameters()}
    nn.utils.vector_to_parameters(flat, named.values())
    named = {k: v.clone() for k, v in named.items()}
    forms = [flat, list(named.values()), dict(reversed(named.items()))]
    a, b, c = (Linearization.at(net, x).squared_distance(displacement=d, learning_rate=RATE, steps=5) for d in forms)
    assert torch.equal(a, b)
    assert torch.equal(a, c)


def test_sequential_and_float32_networks_are_read_in_float64():
    net, x = teacher(), uniform_inputs((2,))
    plain = nn.Sequential(*itertools.chain.from_iterable((layer, nn.Tanh()) for layer in net.layers))[:-1]
    a = Linearization.at(net, x).squared_distance(sigma=1.0, learning_rate=RATE, steps=5)
    b = Linearization.at(plain, x).squared_distance(sigma=1.0, learning_rate=RATE, steps=5)
    torch.testing.assert_close(a, b, rtol=1e-12, atol=0)
    single = Linearization.at(plain.float(), x.float()).squared_distance(sigma=1.0, learning_rate=RATE, steps=5)
    assert single.dtype == torch.float64
    torch.testing.assert_close(single, a, rtol=1e-5, atol=0)
    assert all(p.dtype == torch.float32 for p in plain.parameters())


@pytest.mark.parametrize("widths", SHAPES)
def test_spectrum_and_jacobian(widths):
    net, x = teacher(widths), uniform_inputs(widths, samples=30)
    j = slow_jacobian(net, x)
    torch.testing.assert_close(linearized.jacobian(net, x), j, rtol=1e-12, atol=1e-14)
    spectrum = linearized.spectrum(net, x)
    expected = torch.linalg.svdvals(j).square() * 2 / len(j)
    assert len(spectrum) == j.shape[1]
    assert (spectrum.diff() <= 0).all()
    torch.testing.assert_close(spectrum[: len(expected)], expected[: len(spectrum)], rtol=1e-8, atol=1e-25)
    torch.testing.assert_close(Linearization.at(net, x).eigenvalues, spectrum, rtol=1e-8, atol=1e-12)


def test_turning_points():
    falls, turns, leaves = [4.0, 3.0, 2.0], [4.0, 1.0, 1.5], [0.0, 1.0, 2.0]
    found = linearized.turning_point(torch.tensor([falls, turns, leaves]))
    assert found.step.tolist() == [2, 1, 0]
    assert found.least.tolist() == [2.0, 1.0, 0.0]
    assert found.approach.tolist() == [0.5, 0.75, 0.0]
    assert found.rebound.tolist() == [0.0, 0.5, math.inf]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"noise": torch.zeros(40, 1), "sigma": 1.0}, "not both"),
        ({"noise": torch.zeros(39, 1)}, r"noise has shape \(39, 1\)"),
        ({"sigma": -1.0}, "sigma must not be negative"),
        ({"learning_rate": 0.0}, "learning_rate must be positive"),
        ({"steps": -1}, "steps must be a whole number"),
        ({"displacement": torch.zeros(3)}, "displacement must be a vector of 59 numbers"),
        ({"displacement": {"layers.0.wieght": torch.zeros(3)}}, "did you mean 'layers.0.weight'"),
    ],
)
def test_refuses_in_one_line(settings, message):
    with pytest.raises(InputError, match=message):
        Linearization.at(teacher(), uniform_inputs((2,))).squared_distance(
            **({"learning_rate": RATE, "steps": 5} | settings)
        )
