"""VV norm and neural balance."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from sparsenn_book.studies.width_bounds import neuron_sharing
from sparsenn_core import networks
from sparsenn_core.errors import InputError
from sparsenn_core.randomness import generator


def network(inputs: int = 3, width: int = 6, outputs: int = 2) -> nn.Sequential:
    return neuron_sharing.relu_network(inputs, width, outputs, generator(0, "init")).double()


def test_norm_of_a_network_by_hand() -> None:
    net = network(1, 2, 2)
    with torch.no_grad():
        net[0].weight.copy_(torch.tensor([[3.0], [0.0]]))
        net[0].bias.copy_(torch.tensor([4.0, 2.0]))
        net[2].weight.copy_(torch.tensor([[3.0, 0.0], [4.0, 1.0]]))
    assert networks.vv_norm(net) == pytest.approx(5 * 5 + 2 * 1)
    assert networks.half_squares(net) == pytest.approx((25 + 4 + 25 + 1) / 2)


def test_rescaling_units_changes_neither_function_nor_norm() -> None:
    net, x = network(), torch.randn(20, 3, generator=generator(0, "x"), dtype=torch.float64)
    before, norm, paid = net(x), networks.vv_norm(net), networks.half_squares(net)
    with torch.no_grad():
        for k, c in enumerate((1e-3, 0.5, 2.0, 7.0, 100.0, 1.0)):
            net[0].weight[k] *= c
            net[0].bias[k] *= c
            net[2].weight[:, k] /= c
    torch.testing.assert_close(net(x), before)
    assert networks.vv_norm(net) == pytest.approx(norm, rel=1e-13)
    assert networks.half_squares(net) > paid
    balanced = networks.balance(net)
    torch.testing.assert_close(balanced(x), before)
    assert networks.half_squares(balanced) == pytest.approx(norm, rel=1e-13)
    assert networks.vv_norm(balanced) == pytest.approx(norm, rel=1e-13)
    assert networks.half_squares(net) > paid, "the argument is left as it was"


def test_dead_units_become_zero() -> None:
    net = network()
    with torch.no_grad():
        net[2].weight[:, 0] = 0
        net[0].weight[1] = 0
        net[0].bias[1] = 0
    x = torch.randn(20, 3, generator=generator(1, "x"), dtype=torch.float64)
    balanced = networks.balance(net)
    torch.testing.assert_close(balanced(x), net(x))
    assert not balanced[0].weight[:2].any()
    assert not balanced[2].weight[:, :2].any()


class Functional(nn.Module):
    def __init__(self, activation: str) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(3, 4, bias=False), nn.Linear(4, 2)
        self.activation = getattr(torch, activation)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.second(self.activation(self.first(x)))


def test_functional_relu_is_understood_and_other_activations_are_refused() -> None:
    assert networks.vv_norm(Functional("relu")) > 0
    for wrong in (Functional("tanh"), nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2)), nn.Sequential(nn.Linear(3, 3))):
        with pytest.raises(InputError):
            networks.vv_norm(wrong)
