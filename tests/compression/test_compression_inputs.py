"""Bad input is refused in one line that says what is wrong, and the model stays as it was."""

from __future__ import annotations

import copy
from typing import Any

import compression_nets as nets
import pytest
import torch
from torch import Tensor, nn

from sparsenn_core.compression import compress, magnitude, restored
from sparsenn_core.errors import InputError

DATA = nets.images((6,))


class Fixed(nn.Module):
    """A network whose forward names a size."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.fc = nn.Conv2d(1, 4, 3), nn.Linear(36, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(torch.relu(self.conv(x)).view(-1, 36))


class Depends(nn.Module):
    """A forward that depends on data."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b = nn.Linear(6, 5), nn.Linear(5, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.b(torch.relu(self.a(x))) if x.sum() > 0 else self.a(x)


def with_norm(training: bool = False, tracks: bool = True) -> nn.Module:
    model = nets.convolutional()
    if not tracks:
        model.norm1 = nn.BatchNorm2d(8, track_running_stats=False).double()
    model.norm1.train(training)
    return model


def tied() -> nn.Module:
    model = nets.perceptron(widths=(6, 6, 6, 3))
    model[2].weight = model[0].weight
    return model


def overflowing() -> nn.Module:
    model = nets.perceptron()
    model[0].bias.data.fill_(torch.inf)
    return model


IMAGES, ONE = nets.images((2, 8, 8)), nets.images((1, 5, 5))
WRONG: list[tuple[Any, Any, Any, dict[str, Any], str]] = [
    (nets.perceptron, DATA, "3x", {"width": 3}, "unknown layer '3x'"),
    (nets.convolutional, IMAGES, "fc3", {"width": 3}, "did you mean 'fc2'"),
    (nets.perceptron, DATA, "0", {"width": 3}, "reads the network's inputs"),
    (lambda: nets.perceptron()[:3].append(nn.Linear(15, 3).double()), DATA, "3", {"width": 3}, "not after a ReLU"),
    (
        lambda: nn.Sequential(nn.Linear(6, 5), nn.Tanh(), nn.Linear(5, 3)).double(),
        DATA,
        "2",
        {"width": 3},
        "after tanh, not after a ReLU",
    ),
    (
        lambda: nn.Sequential(nn.Linear(6, 5), nn.ReLU(), nn.LayerNorm(5), nn.Linear(5, 3)).double(),
        DATA,
        "3",
        {"width": 3},
        "after '2', through which units cannot be followed",
    ),
    (nets.perceptron, nets.images((7,)), "2", {"width": 3}, "do not fit the network"),
    (nets.perceptron, (DATA[0], DATA[1][:7]), "2", {"width": 3}, "300 inputs do not fit 7 targets"),
    (nets.perceptron, (DATA[0], DATA[1] + 3), "2", {"width": 3}, "do not fit outputs"),
    (nets.perceptron, (DATA[0], DATA[0]), "2", {"width": 3}, "shapes differ"),
    (nets.perceptron, (DATA[0] * torch.nan, DATA[1]), "2", {"width": 3}, "one finite number"),
    (overflowing, DATA, "2", {"width": 3}, "one finite number"),
    (nets.perceptron, (DATA[0][:0], DATA[1][:0]), "2", {"width": 3, "held_out": DATA}, "no data"),
    (nets.perceptron, DATA, "2", {"width": 3, "held_out": 0.0}, "held_out is 0.0 of 300"),
    (nets.perceptron, [DATA], "2", {"width": 3}, "give held_out"),
    (nets.perceptron, [DATA[0]], "2", {"width": 3, "held_out": DATA}, "pairs of tensors"),
    (nets.perceptron, iter([DATA]), "2", {"width": 3, "held_out": DATA}, "gone through again"),
    (nets.perceptron, DATA, "2", {"tolerance": -10.0}, "no width keeps the held-out loss"),
    (nets.perceptron, DATA, "2", {"tolerance": float("nan")}, "tolerance is nan"),
    (nets.perceptron, DATA, "2", {}, "one of tolerance, width, strength, not none"),
    (nets.perceptron, DATA, "2", {"width": 3, "strength": 0.1}, "not width and strength"),
    (nets.perceptron, DATA, "2", {"width": 0}, "width is 0"),
    (nets.perceptron, DATA, "2", {"width": 21}, "width is 21; the layer has 20"),
    (nets.perceptron, DATA, ["2", "4"], {"width": 3}, "2 layers need 2 widths, not 1"),
    (nets.perceptron, DATA, ["2", "2"], {"width": [3, 3]}, "each once"),
    (nets.perceptron, DATA, "2", {"strength": -1.0}, "strength is -1.0"),
    (nets.perceptron, DATA, "2", {"strength": 0.1, "order": magnitude}, "strength is the lasso's"),
    (lambda: with_norm(training=True), IMAGES, "conv2", {"width": 3}, "'norm1' is in train mode"),
    (lambda: with_norm(tracks=False), IMAGES, "conv2", {"width": 3}, "'norm1' keeps no running statistics"),
    (tied, DATA, "2", {"width": 3}, "used twice, or shares its weight"),
    (lambda: nets.drawn(Fixed(), 0), ONE, "fc", {"width": 2}, "fixed in its forward"),
    (lambda: nets.drawn(Depends(), 0), DATA, "b", {"width": 3}, "cannot be followed without data"),
    (lambda: nn.Linear(6, 3).double(), DATA, None, {"strength": 0.1}, "no layer of Linear reads"),
]


@pytest.mark.parametrize(("make", "data", "layer", "options", "said"), WRONG, ids=[case[-1] for case in WRONG])
def test_bad_input_is_one_line(make: Any, data: Any, layer: Any, options: dict[str, Any], said: str) -> None:
    model = make()
    before = copy.deepcopy(model.state_dict())
    with pytest.raises(InputError) as refused:
        compress(model, data, layer, **options)
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)
    for name, value in model.state_dict().items():
        assert torch.equal(value, before[name])


def test_a_network_that_gives_several_tensors_is_refused() -> None:
    class Pair(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.b = nn.Linear(6, 5), nn.Linear(5, 3)

        def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
            return self.b(torch.relu(self.a(x))), x

    with pytest.raises(InputError, match="gives tuple; one tensor is needed"):
        compress(nets.drawn(Pair(), 0), DATA, "b", width=3)


def test_a_parametrized_weight_is_refused() -> None:
    model = nets.perceptron()
    nn.utils.parametrizations.weight_norm(model[2])
    with pytest.raises(InputError, match="computed, not a parameter"):
        compress(model, DATA, "2", width=3)


def test_weights_that_belong_elsewhere_are_refused() -> None:
    model = nets.perceptron()
    smaller, _ = compress(model, DATA, "2", width=9)
    for other, state, said in [
        (model, model.state_dict(), "hold no kept_inputs"),
        (nets.perceptron(widths=(6, 5, 15, 3)), smaller.state_dict(), "reads 5 neurons"),
        (nets.perceptron(widths=(6, 20, 15, 4)), smaller.state_dict(), "do not fit Sequential"),
    ]:
        with pytest.raises(InputError, match=said) as refused:
            restored(other, state)
        assert "\n" not in str(refused.value)
