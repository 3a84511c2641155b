"""Which units a layer reads, in networks with and without branches."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from sparsenn_core.errors import InputError
from sparsenn_core.networks import MLP, Feed, feed, feeds, layer_inputs
from sparsenn_core.randomness import generator


class Functions(nn.Module):
    """Functions in place of modules, and an activation that writes over its input."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.norm = nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4)
        self.two, self.three, self.four = nn.Conv2d(4, 5, 3, padding="same"), nn.Linear(20, 7), nn.Linear(7, 2)

    def forward(self, x: Tensor) -> Tensor:
        h = nn.functional.max_pool2d(self.norm(self.one(x)).relu(), 2)
        h = nn.functional.adaptive_avg_pool2d(nn.functional.relu(self.two(h), inplace=True), 2)
        return self.four(torch.relu_(self.three(h.view(h.size(0), -1))))


def test_sources_norms_and_sizes_are_found() -> None:
    found = feeds(Functions())
    assert isinstance(found.pop("one"), InputError)
    assert found == {
        "two": Feed("two", "one", ("norm",), 4, 9),
        "three": Feed("three", "two", (), 5, 4),
        "four": Feed("four", "three", (), 7, 1),
    }


def test_an_mlp_is_read_by_what_it_says_of_itself() -> None:
    mlp = MLP((3, 8, 5, 2), "relu", generator=generator(0, "init"))
    assert feed(mlp, "layers.2") == Feed("layers.2", "layers.1", (), 5, 1)
    x = torch.randn(4, 3, generator=generator(0, "x"))
    outputs, (first, last) = layer_inputs(mlp, ["layers.0", "layers.2"], x)
    torch.testing.assert_close(outputs, mlp(x))
    torch.testing.assert_close(first, x)
    torch.testing.assert_close(outputs, mlp.layers[2](last))


def test_inputs_are_caught_before_anything_writes_over_them() -> None:
    model = nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 4), nn.ReLU(inplace=True), nn.Linear(4, 2))
    x = torch.randn(5, 3, generator=generator(0, "x"))
    _, (caught,) = layer_inputs(model, ["1"], x)
    torch.testing.assert_close(caught, model[0](x).detach())
    assert not any(module._forward_pre_hooks for module in model.modules())


class Two(nn.Module):
    """Two layers that read the same units."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b, self.c = nn.Linear(3, 4), nn.Linear(4, 2), nn.Linear(4, 2)

    def forward(self, x: Tensor) -> Tensor:
        h = torch.relu(self.a(x))
        return self.b(h) + self.c(h)


class Twice(nn.Module):
    """A layer that is used twice."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b = nn.Linear(3, 3), nn.Linear(3, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.b(torch.relu(self.a(torch.relu(self.a(x)))))


class Added(nn.Module):
    """Units that are added to others."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b = nn.Linear(3, 3), nn.Linear(3, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.b(torch.relu(self.a(x) + x))


class Positions(nn.Module):
    """A linear layer along the positions of a convolution, not its channels: as many inputs, other meaning."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b = nn.Conv1d(1, 4, 3), nn.Linear(4, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.b(torch.relu(self.a(x)))


@pytest.mark.parametrize(
    ("model", "layer", "said"),
    [
        (Two(), "b", "not the only one that reads"),
        (Twice(), "b", "used twice"),
        (Added(), "b", "'add'"),
        (Positions(), "b", "one by one"),
        (nn.Sequential(nn.Conv1d(2, 4, 3, groups=2), nn.ReLU(), nn.Conv1d(4, 2, 3)), "2", "groups=1"),
        (nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.AvgPool1d(2), nn.Linear(2, 2)), "3", "one by one"),
        (nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Unflatten(1, (2, 2)), nn.Conv1d(2, 2, 1)), "3", "one by one"),
        (nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Softmax(1), nn.Linear(4, 2)), "3", "cannot be followed"),
    ],
)
def test_what_does_not_keep_units_apart_is_refused(model: nn.Module, layer: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        feed(model, layer)
