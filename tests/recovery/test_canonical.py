"""Canonical forms: the function stays, the representative is the same for the whole orbit, relu scales balance."""

import itertools

import pytest
import torch
from recovery_orbits import ACTIVATIONS, FAMILIES, acted, loaded, network

from sparsenn_core.errors import InputError
from sparsenn_core.networks import MLP, literal_teacher
from sparsenn_core.randomness import generator
from sparsenn_core.recovery import canonical, relu_l1_optimum, relu_l2_optimum


def inputs() -> torch.Tensor:
    return torch.randn(200, 12, generator=generator(0, "data"), dtype=torch.float64)


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("family", FAMILIES)
def test_orbit_has_one_representative_that_computes_the_same(family, activation):
    net = network(family, activation)
    expected, before = net(inputs()), canonical(net)
    moved = acted(net, activation, 1)
    torch.testing.assert_close(loaded(network(family, activation), moved)(inputs()), expected)
    for w, v in zip(before, canonical(moved, activation), strict=True):
        torch.testing.assert_close(w, v, rtol=1e-9, atol=1e-11)
    torch.testing.assert_close(loaded(net, before)(inputs()), expected)


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("family", FAMILIES)
def test_dead_and_duplicate_units_go_and_the_function_stays(family, activation):
    net = network(family, activation, 3)
    first, second = list(net.parameters())[:2]
    first[1] = first[0] * {"relu": 0.5, "tanh": -1.0, "sigmoid": 1.0}[activation]
    first[2] = 0.0
    second[:, :2].abs_()  # so that no other relu unit is dead by its signs
    second[0], second[:, 3] = 0.0, 0.0
    expected, weights = net(inputs()), canonical(net)
    torch.testing.assert_close(loaded(network(family, activation), weights)(inputs()), expected)
    live = [int((w.flatten(1) != 0).any(1).sum()) for w in weights[:2]]
    # sigmoid's units without incoming weights are constants: second[0] stays, first[2] loses only its zero row
    units = [p.shape[0] for p in list(net.parameters())[:2]]
    assert live == [units[0] - 3, units[1] - 1]
    speaking = int((weights[1].transpose(0, 1).flatten(1) != 0).any(1).sum())
    assert speaking == units[0] - (2 if activation == "sigmoid" else 3)


def test_duplicates_that_cancel_are_dead():
    weights = [torch.tensor([[1.0, 2.0], [-1.0, -2.0], [1.0, 0.0]]), torch.tensor([[3.0, 3.0, 1.0]])]
    first, second = canonical(weights, "tanh")
    assert first.tolist() == [[1, 0], [0, 0], [0, 0]]
    assert second.tolist() == [[1, 0, 0]]


def test_a_relu_unit_that_hears_only_negative_weights_is_dead_after_the_first_layer():
    weights = [torch.eye(2), torch.tensor([[-1.0, -2.0], [1.0, 0.0]]), torch.tensor([[5.0, 4.0]])]
    assert canonical(weights, "relu")[1].count_nonzero() == 1
    assert canonical(weights, "tanh")[1].count_nonzero() == 3
    assert canonical([weights[1], weights[2]], "relu")[0].count_nonzero() == 3


@pytest.mark.parametrize("family", FAMILIES)
def test_relu_form_is_balanced_and_no_rescaling_has_a_smaller_l1_norm(family):
    net = network(family, "relu", 5)
    weights = canonical(net)
    for w, after in itertools.pairwise(weights):
        outward = after.transpose(0, 1).flatten(1).abs().sum(1)
        torch.testing.assert_close(w.flatten(1).abs().sum(1), outward, rtol=1e-11, atol=0)
    least = sum(float(w.abs().sum()) for w in weights)
    assert least == pytest.approx(relu_l1_optimum(net), rel=1e-12)
    loaded(net, weights)
    for seed in range(30):
        assert sum(float(w.abs().sum()) for w in acted(net, "relu", seed)) > least


def test_rescaled_minimum_of_one_unit_a_layer_is_the_closed_form():
    a = [2.59 + 2.83 + 0.87, 1.38 + 1.29, 0.86 + 0.84]
    assert relu_l1_optimum(literal_teacher("baseline", "relu")) == pytest.approx(3 * (a[0] * a[1] * a[2]) ** (1 / 3))
    assert relu_l1_optimum(literal_teacher("baseline", "relu")) == pytest.approx(9.169, abs=5e-4)
    chain = [torch.tensor([[v]]) for v in (0.5, 3.0, 2.0, 7.0)]
    assert relu_l1_optimum(chain) == pytest.approx(4 * 21 ** (1 / 4), rel=1e-12)
    assert relu_l2_optimum(chain) == pytest.approx(4 * 21 ** (2 / 4), rel=1e-12)
    # the L2 study runs ended at 1.29e-4 = 1e-5 times this
    assert relu_l2_optimum(literal_teacher("baseline", "relu")) == pytest.approx(12.916, abs=1e-3)


def test_networks_that_have_no_canonical_form_are_refused():
    with pytest.raises(InputError, match="without biases"):
        canonical(MLP([2, 3, 1], "tanh", generator=generator(0, "init")))
    with pytest.raises(InputError, match="known for relu, sigmoid, tanh, not gelu"):
        canonical(MLP([2, 3, 1], "gelu", last_activation="tanh", bias=False, generator=generator(0, "init")))
    with pytest.raises(InputError, match="did you mean 'sigmoid'"):
        canonical([torch.ones(2, 2), torch.ones(1, 2)], "sigmod")
    with pytest.raises(InputError, match="weights 1 and 2 do not fit"):
        canonical([torch.ones(2, 2), torch.ones(1, 3)], "tanh")
