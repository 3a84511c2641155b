"""The quotient distance of tanh networks: brute force, exact copies, certificates that never lie."""

import numpy as np
import pytest
import torch
from tanh_networks import all_distances, build, copied, vector
from torch import nn

from sparsenn_core.errors import InputError
from sparsenn_core.networks import MLP
from sparsenn_core.randomness import generator
from sparsenn_core.recovery import quotient_distance
from sparsenn_core.recovery.quotient import tanh_layers
from sparsenn_core.recovery.quotient_bound import least_distance
from sparsenn_core.recovery.separation import separation
from sparsenn_core.recovery.weight_arrays import arrays_of_layers


@pytest.mark.parametrize("enumerate_up_to", [0, 48])
def test_brute_force_on_thirty_small_networks(enumerate_up_to):
    for seed in range(30):
        a, b = build([2, 3, 3, 1], seed), build([2, 3, 3, 1], 1000 + seed)
        least = all_distances(a, b).min()
        found = quotient_distance(a, b, starts=20, enumerate_up_to=enumerate_up_to)
        assert float(found) == pytest.approx(least, rel=1e-12)
        assert np.linalg.norm(np.concatenate([p.numpy().ravel() for p in found.aligned]) - vector(a)) == pytest.approx(
            least
        )
        assert found.certified or enumerate_up_to == 0


@pytest.mark.parametrize("widths", [[2, 3, 1], [2, 3, 3, 1], [3, 2, 4, 2], [2, 2, 3, 2, 1]])
def test_separation_bounds_the_nearest_copy_and_is_exact_for_one_hidden_layer(widths):
    for seed in range(20):
        net = build(widths, seed, bias=0.5)
        nearest = np.sort(all_distances(net, net), axis=None)[1]
        assert 0 < separation(arrays_of_layers(tanh_layers(net))) <= nearest + 1e-12
        if len(widths) == 3:
            assert separation(arrays_of_layers(tanh_layers(net))) == pytest.approx(nearest, rel=1e-12)


@pytest.mark.parametrize("widths", [[2, 2, 3, 2, 1], [3, 2, 2, 2, 2, 2]])
def test_exact_search_in_deeper_networks(widths):
    for seed in range(5):
        a, b = build(widths, seed), build(widths, 50 + seed)
        found = quotient_distance(a, b)
        assert found.certified
        assert float(found) == pytest.approx(all_distances(a, b).min(), rel=1e-12)


def test_certificates_of_descents_are_true():
    certified = 0
    for seed in range(20):
        a = build([2, 3, 3, 1], seed)
        for noise in (0.01, 0.03, 0.1):
            b = copied(a, seed, noise)
            found = quotient_distance(a, b, starts=0, enumerate_up_to=0)
            certified += found.certified
            if found.certified:
                assert float(found) == pytest.approx(all_distances(a, b).min(), rel=1e-12)
    assert certified >= 20


@pytest.mark.parametrize(
    ("widths", "bias"),
    [
        ([2, 25, 25, 1], 1e-6),
        ([2, 25, 25, 1], 1.0),
        ([3, 40, 10, 30, 2], 1.0),
        ([5, 60, 2], 1.0),
        ([2, 8, 8, 8, 8, 1], 0),
    ],
)
def test_disturbed_copies_are_found(widths, bias):
    for seed in range(3):
        a = build(widths, seed, bias)
        b = copied(a, seed, 1e-3)
        found = quotient_distance(a, b, starts=0)
        disturbance = 1e-3 * len(vector(a)) ** 0.5
        assert float(found) == pytest.approx(disturbance, rel=0.25)
        assert float(quotient_distance(a, copied(a, seed), starts=0)) < 1e-12
        assert np.linalg.norm(vector(a) - vector(b)) > 100 * disturbance


def test_small_displacements_are_certified():
    a = build([2, 25, 25, 1], 0, bias=1e-6)
    assert quotient_distance(a, copied(a, 1, 1e-4), starts=0).certified
    assert not quotient_distance(a, build([2, 25, 25, 1], 1), starts=0).certified


def test_sequential_and_mlp_agree_and_nothing_is_changed():
    a, b = build([2, 4, 3, 1], 0), build([2, 4, 3, 1], 1)
    plain = nn.Sequential(nn.Linear(2, 4), nn.Tanh(), nn.Linear(4, 3), nn.Tanh(), nn.Linear(3, 1)).double()
    for p, q in zip(plain.parameters(), b.parameters(), strict=True):
        p.data.copy_(q)
    before = vector(plain)
    assert (
        float(quotient_distance(a, plain))
        == float(quotient_distance(a, b))
        == pytest.approx(float(quotient_distance(b, a)))
    )
    assert np.array_equal(vector(plain), before)


def test_the_arranged_copy_computes_the_same():
    a, b = build([2, 25, 25, 1], 0), build([2, 25, 25, 1], 1)
    found, twin = quotient_distance(a, b, starts=2), build([2, 25, 25, 1], 2)
    assert float(found) < np.linalg.norm(vector(a) - vector(b))
    for p, q in zip(twin.parameters(), found.aligned, strict=True):
        p.copy_(q)
    x = torch.rand(50, 2, generator=generator(0, "x"), dtype=torch.float64)
    torch.testing.assert_close(twin(x), b(x))


def test_refusals():
    net = build([2, 3, 1], 0)
    with pytest.raises(InputError, match="different shapes"):
        quotient_distance(net, build([2, 4, 1], 0))
    with pytest.raises(InputError, match="Sequential: the sign symmetry needs tanh after every hidden layer, not relu"):
        quotient_distance(net, nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1)))
    with pytest.raises(InputError, match="not relu"):
        quotient_distance(net, MLP([2, 3, 1], "relu", generator=generator(0, "init")))
    with pytest.raises(InputError, match="not a finite number"):
        quotient_distance(net, copied(net, 0, float("nan")))
    with pytest.raises(InputError, match="no hidden layer"):
        quotient_distance(net, nn.Linear(2, 1))


@pytest.mark.parametrize("widths", [[2, 3, 1], [2, 3, 3, 1], [3, 2, 4, 2], [2, 2, 3, 2, 1]])
def test_the_lower_bound_is_one_and_is_exact_for_one_hidden_layer(widths):
    for seed in range(20):
        for a, b in ((build(widths, seed, bias=0.5), build(widths, 500 + seed, bias=0.5)), _near(widths, seed)):
            least = all_distances(a, b).min()
            lower = least_distance(*(arrays_of_layers(tanh_layers(net)) for net in (a, b)))
            assert 0 < lower <= least + 1e-12
            if len(widths) == 3:
                assert lower == pytest.approx(least, rel=1e-12)


def _near(widths, seed):
    a = build(widths, seed, bias=0.5)
    return a, copied(a, seed, 0.05)


def test_the_lower_bound_knows_a_copy_and_tells_strangers_apart():
    a = MLP([2, 25, 25, 1], "tanh", generator=generator(0, "a")).double()
    stranger = MLP([2, 25, 25, 1], "tanh", generator=generator(0, "b")).double()
    arrays = [arrays_of_layers(tanh_layers(net)) for net in (a, copied(a, 1, 0.0), stranger)]
    assert least_distance(arrays[0], arrays[1]) == pytest.approx(0.0, abs=1e-7)
    found = quotient_distance(a, stranger)
    assert not found.certified
    assert 0.1 * found.distance < found.lower < found.distance
    assert found.lower == least_distance(arrays[0], arrays[2])
