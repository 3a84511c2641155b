"""Minimisers of wide fully connected networks: moves keep what they should, and the ends are those of slow twins."""

import itertools

import pytest
import torch

from sparsenn_core.errors import InputError
from sparsenn_core.networks import MLP, embed, literal_teacher, student
from sparsenn_core.penalties import L1
from sparsenn_core.training import Data, Ensemble, minimise, minimise_wide
from sparsenn_core.training.unit_moves import balanced, fewer_units, without_copies, without_dead
from sparsenn_core.training.wide_objective import WideObjective

ACTIVATIONS = {"relu": torch.nn.ReLU(), "sigmoid": torch.nn.Sigmoid(), "tanh": torch.nn.Tanh()}
STRENGTH = 1e-3


def drawn(seed, *widths):
    """Weights of a network, float64."""
    source = torch.Generator().manual_seed(seed)
    return [torch.randn(o, i, generator=source, dtype=torch.float64) for i, o in itertools.pairwise(widths)]


def output(weights, activation, x):
    h = x
    for w in weights:
        h = activation(h @ w.T)
    return h


def inputs(n=200):
    return torch.randn(n, 12, generator=torch.Generator().manual_seed(9), dtype=torch.float64)


def problem(activation, n=600):
    """A student of 12-16-8-1 for the 7-weight teacher, and its data."""
    teacher = literal_teacher("baseline", activation)
    x = inputs(n)
    return teacher, Data.shared(x, teacher(x))


def mlp(widths, activation, weights=None, seed=0):
    net = MLP(
        widths, activation, last_activation=activation, bias=False, generator=torch.Generator().manual_seed(seed)
    ).double()
    if weights is not None:
        with torch.no_grad():
            for p, w in zip(net.parameters(), weights, strict=True):
                p.zero_()
                p[: w.shape[0], : w.shape[1]] = w
    return net


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_dead_units_go_and_the_output_stays(name):
    weights = drawn(0, 12, 6, 5, 1)
    weights[1][:, 2] = 0  # nothing reads unit 2
    weights[0][4] = 0  # unit 4 reads nothing
    less = without_dead(weights, ACTIVATIONS[name])
    # sigma(0) = 1/2 is read by others, so that such a sigmoid unit stays
    assert len(less[0]) == (5 if name == "sigmoid" else 4)
    assert torch.allclose(output(less, ACTIVATIONS[name], inputs()), output(weights, ACTIVATIONS[name], inputs()))


@pytest.mark.parametrize(("name", "factor"), [("relu", 3.0), ("sigmoid", 1.0), ("tanh", -1.0)])
def test_copies_merge_without_changing_the_output(name, factor):
    weights = drawn(1, 12, 8, 3, 1)
    weights[0] = torch.cat([weights[0], factor * weights[0][:1]])
    weights[1] = torch.cat([weights[1], drawn(2, 3, 1)[0].T.reshape(3, 1)], dim=1)
    less = without_copies(weights, ACTIVATIONS[name])
    assert [len(w) for w in less] == [8, 3, 1]
    assert torch.allclose(output(less, ACTIVATIONS[name], inputs()), output(weights, ACTIVATIONS[name], inputs()))


def test_balanced_relu_units_compute_the_same_with_a_smaller_sum():
    weights = drawn(3, 12, 5, 4, 1)
    even = balanced(weights, ACTIVATIONS["relu"])
    assert torch.allclose(output(even, ACTIVATIONS["relu"], inputs()), output(weights, ACTIVATIONS["relu"], inputs()))
    assert sum(w.abs().sum() for w in even) < sum(w.abs().sum() for w in weights)
    for w, after in itertools.pairwise(even):
        assert torch.allclose(w.abs().sum(1), after.abs().sum(0))
    assert all(torch.equal(a, b) for a, b in zip(balanced(weights, ACTIVATIONS["tanh"]), weights, strict=True))


def test_every_candidate_has_one_unit_less_and_all_units_are_tried():
    weights = drawn(4, 12, 3, 2, 1)
    widths = [[len(w) for w in candidate] for candidate in fewer_units(weights, ACTIVATIONS["tanh"])]
    assert widths.count([2, 2, 1]) >= 3
    assert widths.count([3, 1, 1]) >= 2
    assert all(sum(one) == 5 for one in widths)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_residual_is_that_of_the_plain_network(name):
    _, data = problem(name)
    weights = drawn(5, 12, 6, 4, 1)
    weights[0][weights[0].abs() < 0.3] = 0
    net = mlp((12, 6, 4, 1), name, weights)
    x, y = data.inputs[0], data.targets[0]
    (net(x) - y).square().mean().backward()
    entries = []
    for p in net.parameters():
        w, g = p.detach(), p.grad
        at_zero = (g.abs() - STRENGTH).clamp(min=0)
        entries.append(torch.where(w == 0, at_zero, (g + STRENGTH * w.sign()).abs()).max())
    measured = WideObjective(net, x, y, STRENGTH).residual(weights)
    assert measured == pytest.approx(float(torch.stack(entries).max()), rel=1e-10)


@pytest.mark.parametrize("name", ["sigmoid", "tanh"])
def test_the_teacher_among_zeros_ends_where_the_exact_minimiser_of_its_own_size_ends(name):
    teacher, data = problem(name)
    inside = Ensemble.stack([mlp((12, 16, 8, 1), name, embed(teacher))])
    small = Ensemble.stack([mlp((12, 4, 2, 1), name, embed(teacher))])
    found = minimise_wide(inside, data, strength=STRENGTH, steps=0, moves=0)
    exact = minimise(small, data, penalty=L1(STRENGTH), steps=0)
    assert found.objective.item() == pytest.approx(exact.objective.item(), rel=1e-6)
    assert found.residual.item() <= STRENGTH / 100
    assert found.ensemble.params["layers.0.weight"].shape == (1, 16, 12)


def test_a_relu_teacher_with_unequal_scales_ends_near_the_balanced_bound():
    teacher, data = problem("relu", 2000)
    first, second, last = embed(teacher)
    inside = Ensemble.stack([mlp((12, 16, 8, 1), "relu", [first * 5, second / 10, last * 2])])
    found = minimise_wide(inside, data, strength=1e-5, steps=0, moves=0)
    even = balanced(embed(teacher), ACTIVATIONS["relu"])
    penalty = 1e-5 * float(sum(w.abs().sum() for w in even))
    assert 0.99 * penalty < found.objective.item() < penalty


def test_random_starts_are_carried_down_and_reported_as_they_are():
    _, data = problem("tanh")
    starts = Ensemble.stack([mlp((12, 16, 8, 1), "tanh", seed=s) for s in (1, 2)])
    found = minimise_wide(starts, data, strength=STRENGTH, steps=150, moves=2, first_strength=[1.0, 10.0])
    x, y = data.inputs[0], data.targets[0]
    with torch.no_grad():
        losses = (found.ensemble(x) - y).square().mean((1, 2))
        began = (starts(x) - y).square().mean((1, 2))
    penalty = STRENGTH * sum(w.abs().flatten(1).sum(1) for w in found.ensemble.params.values())
    assert torch.allclose(found.loss, losses)
    assert torch.allclose(found.objective, losses + penalty)
    assert bool((found.objective < began).all())
    alive = (found.ensemble.params["layers.0.weight"] != 0).any(2).sum(1)
    assert found.units[:, 0].tolist() == alive.tolist()
    count = sum((w != 0).flatten(1).sum(1) for w in found.ensemble.params.values())
    assert found.nonzero.tolist() == count.tolist()
    again = minimise_wide(starts, data, strength=STRENGTH, steps=150, moves=2, first_strength=[1.0, 10.0])
    assert torch.equal(again.objective, found.objective)


def test_what_it_cannot_do_is_refused_in_a_line():
    _, data = problem("tanh", 64)
    good = Ensemble.stack([mlp((12, 4, 1), "tanh")])
    biased = Ensemble.stack([MLP((12, 4, 1), "tanh", generator=torch.Generator())])
    tree = Ensemble.stack([student("baseline", "tanh", 1.0, torch.Generator())])
    own = Data(data.inputs.repeat(2, 1, 1), data.targets.repeat(2, 1, 1), torch.tensor([0, 1]))
    for bad in (biased, tree):
        with pytest.raises(InputError, match="MLPs without biases"):
            minimise_wide(bad, data, strength=STRENGTH)
    for strength in (0.0, -1.0, float("nan"), "1"):
        with pytest.raises(InputError, match="strength is a number above 0"):
            minimise_wide(good, data, strength=strength)
    with pytest.raises(InputError, match="same data for all runs"):
        minimise_wide(Ensemble.stack([mlp((12, 4, 1), "tanh")] * 2), own, strength=STRENGTH)
