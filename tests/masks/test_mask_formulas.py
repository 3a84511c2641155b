"""Soft masks, gates and thresholds are their formulas; layers, names and refusals of `sparsify`."""

from __future__ import annotations

import re

import pytest
import torch
from sparse_nets import mask, net, train
from torch import nn

from sparsenn_core import masks
from sparsenn_core.errors import InputError
from sparsenn_core.masks.penalized import BETA, GAMMA, ZETA
from sparsenn_core.randomness import generator

OWN = "0.parametrizations.weight.0.tensors."


def test_soft_masks_become_hard_and_tests_are_always_hard():
    model = net(9, "soft")
    optimizer = torch.optim.Adam(model.parameters(), 0.05)
    assert bool((model[0].weight != 0).all())
    for step in range(1, 12):
        assert int((model.eval()[0].weight != 0).sum()) == 48 - round(0.7 * 48)
        model.train()
        train(model, optimizer, 1)
        assert bool((model[0].weight != 0).all()) == (step < 9)


def test_soft_gates_are_their_formula():
    model = net(10, "soft")
    own = model[0].parametrizations.weight[0].tensors
    scores, kept = own.scores.detach(), mask(model) > 0
    middle = (scores[kept].min() + scores[~kept].max()) / 2
    weight = model[0].parametrizations.weight.original
    torch.testing.assert_close(model[0].weight, weight * torch.sigmoid((scores - middle) / 1.0))


def test_hard_concrete_gates_against_draws():
    """Mean gate and share of open gates of many draws against the expected count of the penalty."""
    alpha = torch.linspace(-3, 3, 7, dtype=torch.float64)
    u = torch.rand(200_000, 7, generator=generator(0, "u"), dtype=torch.float64)
    s = torch.sigmoid((u.log() - (1 - u).log() + alpha) / BETA)
    opened = ((s * (ZETA - GAMMA) + GAMMA).clamp(0, 1) > 0).double().mean(0)
    name = f"{OWN}log_alpha"
    for i, share in enumerate(opened):
        value = masks.GateCount(1.0).value({name: alpha[None, i : i + 1] / 10})
        assert float(value) == pytest.approx(float(share), abs=0.005)  # four standard errors


def test_hard_concrete_layer_is_its_formula():
    model = net(11, "L0")
    own = model[0].parametrizations.weight[0].tensors
    weight = model[0].parametrizations.weight.original
    alpha, u = 10.0 * own.log_alpha, own.noise
    s = torch.sigmoid((u.log() - (1 - u).log() + alpha) / BETA)
    torch.testing.assert_close(model[0].weight, weight * (s * 1.2 - 0.1).clamp(0, 1))
    torch.testing.assert_close(model.eval()[0].weight, weight * (torch.sigmoid(alpha) * 1.2 - 0.1).clamp(0, 1))


def test_soft_threshold_is_its_formula_and_decay_makes_it_sparse():
    model = net(12, "STR")
    weight = model[0].parametrizations.weight.original
    torch.testing.assert_close(
        model[0].weight, weight.sign() * (weight.abs() - torch.sigmoid(torch.tensor(-5.0))).relu()
    )
    train(model, torch.optim.SGD(model.parameters(), 0.05, weight_decay=0.3), 400)
    left = masks.remaining(model)["0"]
    assert 0 < left.kept < left.size
    assert left.kept == int((model[0].weight != 0).sum())


def test_random_masks_are_uniform_over_subsets():
    """Chi-squared of 4,000 masks of 3 of 6 weights over the 20 subsets."""
    scores = masks.Random().buffers(torch.zeros(4000, 2, 3), generator(0, "uniform"))["scores"]
    counts: dict[tuple[bool, ...], int] = {}
    for row in masks.Unstructured().mask(scores, torch.full((4000,), 3)).flatten(1).tolist():
        counts[tuple(row)] = counts.get(tuple(row), 0) + 1
    assert len(counts) == 20
    # 19 degrees of freedom: 43.8 is exceeded once in a thousand draws
    assert sum((count - 200) ** 2 / 200 for count in counts.values()) < 43.8


def test_convolutions_and_names_of_layers():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(4, 8, 3)
            self.head = nn.Linear(8, 2)

        def forward(self, x):
            return self.head(self.conv(x).relu().amax((2, 3)))

    net_ = masks.sparsify(Net(), masks.Magnitude(), structure=masks.NM(1, 4))
    assert {k: (v.kept, v.size) for k, v in masks.remaining(net_).items()} == {"conv": (72, 288), "head": (4, 16)}
    names = set(Net().state_dict())
    assert set(masks.make_permanent(net_).state_dict()) == names


def test_the_studys_layer():
    layer = masks.SparseLinear(20, 64, 0.9, generator=generator(0, "layer"))
    assert layer.bias is None
    assert masks.remaining(layer)[""].kept == 128
    scores = layer.parametrizations.weight[0].tensors.scores
    kept = masks.masks_of(layer)[""] > 0
    assert scores[kept].min() > scores[~kept].max()


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: masks.sparsify(nn.Linear(4, 4), masks.Random(), 90), "from 0 to 1, not 90; 90 % is 0.9"),
        (lambda: masks.sparsify(nn.Linear(4, 4), masks.Random()), "needs a sparsity"),
        (lambda: masks.sparsify(nn.Sequential(nn.Linear(6, 4)), masks.Random(), structure=masks.NM()),
         "0: 2:4 does not divide 6 inputs"),
        (lambda: masks.sparsify(nn.Linear(4, 6), masks.Magnitude(), 0.5, structure=masks.Block()), "do not divide"),
        (lambda: masks.sparsify(nn.Linear(4, 4), masks.HardConcrete(), 0.5), "outcome of penalties; leave 0.5 out"),
        (lambda: masks.sparsify(nn.Linear(4, 4), masks.RigL(), 0.5, structure=masks.Channel()), "Unstructured"),
        (lambda: masks.sparsify(nn.Linear(4, 4), masks.SET(), 0.5, schedule=masks.Cubic(1, 2)), "takes no Cubic"),
        (lambda: masks.sparsify(nn.ReLU(), masks.Random(), 0.5), "has no linear or convolutional layer"),
        (lambda: masks.sparsify(nn.Sequential(nn.Linear(4, 4)), masks.Random(), 0.5, layers=["1"]), "unknown linear"),
        (lambda: masks.sparsify(net(0), masks.Random(), 0.5), "parametrized already"),
        (lambda: masks.RigL(until=0), "until of RigL must be 1 or more"),
        (lambda: masks.SET(fraction=1.5), "share from 0 to 1"),
        (lambda: masks.SoftSigmoid(until=5, first=0.1, last=1.0), "falls from first to last"),
        (lambda: masks.step(nn.Linear(2, 2), torch.optim.SGD([torch.zeros(1)], 0.1)), "has no sparse layers"),
        (lambda: masks.make_permanent(nn.Linear(2, 2)), "has no sparse layers"),
        (lambda: masks.GateCount(1.0).value({"w": torch.ones(1, 2)}), "no hard-concrete gates"),
    ],
)  # fmt: skip
def test_refusals(make, text):
    with pytest.raises(InputError, match=re.escape(text)) as caught:
        make()
    assert "\n" not in str(caught.value)


def test_an_optimizer_made_too_early_is_refused():
    model = nn.Sequential(nn.Linear(4, 4))
    early = torch.optim.Adam(model.parameters())
    masks.sparsify(model, masks.Learned(), 0.5)
    with pytest.raises(InputError, match="make it after sparsify"):
        masks.step(model, early)


def test_shared_weights_are_refused():
    model = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 4))
    model[1].weight = model[0].weight
    with pytest.raises(InputError, match="shared with another layer"):
        masks.sparsify(model, masks.Random(), 0.5)
