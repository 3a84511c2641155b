"""What `reading` cannot read, it refuses in one line that names the culprit."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import weight_norm

from sparsenn_core.errors import InputError
from sparsenn_core.networks import MLP, SplitFilterCNN, balance, reading
from sparsenn_core.randomness import generator

INIT = generator(0, "init")


class Net(nn.Module):
    """Two square layers, joined as `how` says."""

    def __init__(self, how: Callable[[Net, Tensor], Tensor]) -> None:
        super().__init__()
        self.a, self.b = nn.Linear(3, 3), nn.Linear(3, 3)
        self.factor = nn.Parameter(torch.ones(3))
        self.how = how

    def forward(self, x: Tensor) -> Tensor:
        return self.how(self, x)


class TwoInputs(nn.Linear):
    def forward(self, x: Tensor, y: Tensor) -> Tensor:  # type: ignore[override]
        return super().forward(x) + y


class Scaled(MLP):
    """A subclass with a `forward` of its own."""

    def forward(self, x: Tensor) -> Tensor:
        return 2 * super().forward(x)


def hooked() -> nn.Module:
    net = nn.Sequential(nn.Linear(3, 3), nn.ReLU(), nn.Linear(3, 1))
    net[0].register_forward_hook(lambda module, inputs, output: 2 * output)
    return net


def tied() -> nn.Module:
    net = nn.Sequential(nn.Linear(3, 3), nn.ReLU(), nn.Linear(3, 3))
    net[2].weight = net[0].weight
    return net


def twice() -> nn.Module:
    layer = nn.Linear(3, 3)
    return nn.Sequential(layer, nn.ReLU(), layer)


REFUSED: dict[str, tuple[Callable[[], nn.Module], str]] = {
    "residual": (
        lambda: Net(lambda n, x: x + n.b(torch.relu(n.a(x)))),
        "Net: 'add' takes the input 'x', the result of 'b'",
    ),
    "two branches": (lambda: Net(lambda n, x: torch.cat([n.a(x), n.b(x)], 1)), "'b' takes the input 'x'"),
    "module used twice": (twice, "layer '0' is used twice"),
    "shared weight": (tied, "layer '2' is used twice, or shares its weight with '0'"),
    "control flow": (lambda: Net(lambda n, x: n.a(x) if x.sum() > 0 else n.b(x)), "control flow"),
    "parameter in the open": (
        lambda: Net(lambda n, x: n.b(n.a(x)) * n.factor),
        "'mul' takes .* the parameter 'factor'",
    ),
    "parameter unused": (lambda: Net(lambda n, x: n.b(n.a(x))), "the parameter 'factor' belongs to none"),
    "unknown operation": (lambda: Net(lambda n, x: n.b(torch.sin(n.a(x)))), "the operation 'sin'"),
    "samples mixed": (lambda: Net(lambda n, x: n.b(n.a(x).view(8, 6))), r"the operation 'view' to \[8, 6\]"),
    "attention": (lambda: Net(lambda n, x: nn.functional.scaled_dot_product_attention(x, x, x)), "attention"),
    "attention module": (lambda: nn.Sequential(nn.TransformerEncoderLayer(4, 2)), "'0': TransformerEncoderLayer"),
    "normalisation": (lambda: nn.Sequential(nn.Linear(3, 3), nn.BatchNorm1d(3)), "module '1': BatchNorm1d"),
    "recurrence": (lambda: nn.Sequential(nn.LSTM(3, 3)), "module '0': LSTM"),
    "unknown activation": (lambda: nn.Sequential(nn.Linear(3, 3), nn.Softmax(1)), "module '1': Softmax"),
    "approximate gelu": (lambda: nn.Sequential(nn.Linear(3, 3), nn.GELU("tanh")), "module '1': GELU"),
    "transposed convolution": (lambda: nn.Sequential(nn.ConvTranspose1d(1, 1, 3)), "ConvTranspose1d"),
    "circular padding": (lambda: nn.Conv1d(1, 1, 3, padding=1, padding_mode="circular"), "pads with 'circular'"),
    "uneven padding": (lambda: nn.Conv1d(1, 1, 2, padding="same"), "pads one end more"),
    "activation first": (lambda: nn.Sequential(nn.ReLU(), nn.Linear(3, 1)), "'0' comes before the first layer"),
    "two activations": (lambda: nn.Sequential(nn.Linear(3, 1), nn.ReLU(), nn.Tanh()), "relu and '2'"),
    "activation of an average": (
        lambda: nn.Sequential(nn.Conv1d(1, 1, 3), nn.AvgPool1d(2), nn.ReLU()),
        "'2' follows average pool, not a layer",
    ),
    "no layer": (lambda: nn.Sequential(nn.Flatten()), "no layer with a weight"),
    "two inputs": (lambda: nn.Sequential(TwoInputs(3, 3)), "cannot be followed without data: .* 'y'"),
    "not built yet": (lambda: nn.Sequential(nn.LazyLinear(3)), "no weight yet"),
    "no shape": (lambda: nn.Sequential(nn.Conv1d(1, 1, 3)), "layer '0' does not tell the shape"),
    "hook": (hooked, "on random inputs it does not compute what its layers do: 0, 2"),
    "subclass": (lambda: Scaled((2, 3, 1), "relu", generator=INIT), "Scaled: cannot read the operation 'getattr'"),
    "filters by position": (lambda: SplitFilterCNN("relu", generator=INIT), "SplitFilterCNN: .* the parameter 'first'"),
}


@pytest.mark.parametrize("name", list(REFUSED))
def test_refused_in_one_line(name: str) -> None:
    build, message = REFUSED[name]
    with pytest.raises(InputError, match=message) as refusal:
        reading(build())
    assert "\n" not in str(refusal.value)


def test_an_example_that_does_not_fit() -> None:
    with pytest.raises(InputError, match=r"cannot be evaluated on inputs \['n', 5\]"):
        reading(nn.Sequential(nn.Linear(3, 4)), torch.zeros(2, 5))


def test_what_a_caller_needs() -> None:
    mixed = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 3), nn.Tanh(), nn.Linear(3, 1))
    with pytest.raises(InputError, match="one hidden activation is needed, and it has relu and tanh"):
        _ = reading(mixed).hidden_activation
    with pytest.raises(InputError, match="layer '0' is linear, and conv is needed"):
        reading(mixed).require("conv")
    pooled = nn.Sequential(nn.Linear(2, 4), nn.ReLU(), nn.MaxPool1d(2), nn.Linear(2, 1))
    with pytest.raises(InputError, match="max pool next to layer '0' is not understood here"):
        reading(pooled).require("linear")
    folded = nn.Sequential(nn.Linear(2, 6), nn.Unflatten(1, (2, 3)), nn.Linear(3, 1))
    with pytest.raises(InputError, match="the units of layer '0' are not the inputs of '2'"):
        reading(folded).require("linear")
    normed = nn.Sequential(weight_norm(nn.Linear(2, 3)), nn.ReLU(), nn.Linear(3, 1))
    with pytest.raises(InputError, match="the weight of layer '0' is computed"):
        balance(normed)
