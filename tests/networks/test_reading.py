"""What `reading` sees: layers, names, shapes, and a chain that computes what the module computes."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import weight_norm

from sparsenn_core.networks import MLP, TreeCNN, baseline_cnn, literal_teacher, multi_channel_cnn, reading
from sparsenn_core.randomness import generator


class Functional(nn.Module):
    """Convolutions and activations called as functions, sizes asked for on the way."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(2, 4, (3, 2), stride=(2, 1), padding=(1, 0))
        self.second = nn.Conv2d(4, 6, 3, padding="same", dilation=2, groups=2)
        self.head = nn.Linear(12, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = F.max_pool2d(torch.relu(self.first(x)), 2)
        x = F.avg_pool2d(self.second(x).tanh(), kernel_size=2)
        x = F.dropout(x.view(x.size(0), -1), 0.3, self.training)
        return self.head(x)


class Head(nn.Module):
    """Layers made in another order than they are used, one unit squeezed away."""

    def __init__(self) -> None:
        super().__init__()
        self.last = nn.Linear(4, 1)
        self.first = nn.Linear(3, 4)

    def forward(self, x: Tensor) -> Tensor:
        h = self.first(x)
        return self.last(F.gelu(h)).squeeze(-1)


def pooled() -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(1, 4, 3, bias=False),
        nn.MaxPool2d(2),
        nn.ReLU(),
        nn.Conv2d(4, 5, 2),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Dropout(0.5),
        nn.Linear(5, 2),
    )


INIT = generator(0, "init")
NETWORKS = {
    "mlp": (MLP((3, 5, 4, 2), "tanh", last_activation="sigmoid", generator=INIT), None),
    "mlp in float64, no biases": (MLP((3, 5, 1), "relu", bias=False, generator=INIT).double(), None),
    "baseline": (baseline_cnn("sigmoid", generator=INIT), None),
    "multi channel": (multi_channel_cnn("relu", generator=INIT), None),
    "tree with biases": (TreeCNN((1, 3, 2), (2, 4), "tanh", last_activation="linear", bias=True, generator=INIT), None),
    "teacher": (literal_teacher("multi_channel", "tanh"), None),
    "sequential": (nn.Sequential(nn.Flatten(), nn.Linear(3, 4), nn.GELU(), nn.Linear(4, 2), nn.Tanh()), None),
    "functional": (Functional(), (2, 9, 11)),
    "order of use": (Head(), None),
    "pooled": (pooled(), (1, 9, 9)),
    "conv1d from flat": (nn.Sequential(nn.Unflatten(1, (2, 6)), nn.Conv1d(2, 3, 3), nn.ReLU(), nn.Flatten(1)), None),
    "nested": (nn.Sequential(nn.Dropout(), MLP((3, 4, 2), "relu", generator=INIT), nn.Tanh(), nn.Linear(2, 1)), None),
    "one layer": (nn.Linear(3, 2), None),
}


@pytest.mark.parametrize("name", list(NETWORKS))
def test_the_chain_computes_what_the_module_computes(name: str) -> None:
    module, shape = NETWORKS[name]
    module.train()
    read = reading(module, None if shape is None else torch.zeros(1, *shape))
    assert all(one.training for one in module.modules())
    module.eval()
    first = read.layers[0]
    sample = shape or ((12,) if first.kind != "linear" else (first.inputs,))
    if name == "tree with biases":
        sample = (8,)
    x = torch.randn(40, *sample, generator=generator(1, "x"), dtype=first.weight.dtype)
    torch.testing.assert_close(read(x), module(x))
    parameters = dict(module.named_parameters())
    for layer in read.layers:
        assert layer.plain
        assert torch.equal(layer.weight, parameters.pop(layer.weight_name))
        if layer.bias_name is not None:
            assert torch.equal(layer.bias, parameters.pop(layer.bias_name))
        assert layer.weight.shape[0] == layer.outputs == layer.output_shape[0 if layer.kind != "linear" else -1]
    assert not parameters
    for earlier, later in zip(read.layers[:-1], read.layers[1:], strict=True):
        assert earlier.after == later.before


def test_an_mlp() -> None:
    read = reading(MLP((3, 5, 4, 2), "tanh", generator=INIT))
    assert [layer.weight_name for layer in read.layers] == [f"layers.{i}.weight" for i in range(3)]
    assert [layer.bias_name for layer in read.layers] == [f"layers.{i}.bias" for i in range(3)]
    assert [layer.name for layer in read.layers] == ["layers.0", "layers.1", "layers.2"]
    assert read.activations == ("tanh", "tanh", "linear")
    assert read.hidden_activation == "tanh"
    assert [(layer.input_shape, layer.output_shape) for layer in read.layers] == [
        ((3,), (5,)),
        ((5,), (4,)),
        ((4,), (2,)),
    ]
    assert {layer.kind for layer in read.layers} == {"linear"}


def test_a_tree_cnn() -> None:
    first, second, last = reading(multi_channel_cnn("relu", generator=INIT)).layers
    assert {layer.kind for layer in (first, second, last)} == {"disjoint conv"}
    assert [layer.stride for layer in (first, second, last)] == [(3,), (2,), (2,)]
    assert [layer.input_shape for layer in (first, second, last)] == [(1, 12), (4, 4), (4, 2)]
    assert [operation.name for operation in first.before] == ["unflatten"]
    assert [operation.name for operation in last.after] == ["flatten"]
    assert last.output_shape == (1, 1)


def test_convolutions_say_how_they_move() -> None:
    first, second, head = reading(Functional(), torch.zeros(1, 2, 9, 11)).layers
    assert (first.kind, first.stride, first.padding, first.dilation) == ("conv", (2, 1), (1, 0), (1, 1))
    assert (second.padding, second.dilation, second.groups, second.inputs) == ((2, 2), (2, 2), 2, 4)
    assert (head.kind, head.stride, head.padding) == ("linear", (), ())
    assert [operation.name for operation in first.after] == ["max pool"]
    assert [operation.name for operation in second.after] == ["average pool", "flatten", "dropout"]
    assert (first.activation, second.activation, head.activation) == ("relu", "tanh", "linear")


def test_an_activation_after_a_max_pool_belongs_to_the_layer() -> None:
    first = reading(pooled(), torch.zeros(1, 1, 9, 9)).layers[0]
    assert (first.activation, [operation.name for operation in first.after]) == ("relu", ["max pool"])
    assert (first.input_shape, first.output_shape) == ((1, 9, 9), (4, 7, 7))


def test_a_normed_weight_is_read_as_it_is() -> None:
    net = nn.Sequential(weight_norm(nn.Linear(3, 4)), nn.Tanh(), nn.Linear(4, 1))
    first, second = reading(net).layers
    torch.testing.assert_close(first.weight, net[0].weight.detach())
    assert first.weight_name is None
    assert first.bias_name == "0.bias"
    assert not first.plain
    assert second.plain


def test_writing_into_a_plain_layer_changes_the_module() -> None:
    net = MLP((2, 3, 1), "relu", generator=INIT)
    reading(net).layers[1].weight.zero_()
    assert not net.layers[1].weight.any()


def test_weights_that_are_not_numbers_do_not_keep_a_network_from_being_read() -> None:
    net = MLP((2, 3, 1), "relu", generator=INIT)
    with torch.no_grad():
        net.layers[0].weight[0, 0] = torch.nan
    assert reading(net).activations == ("relu", "linear")


def test_nothing_is_evaluated_on_the_meta_device() -> None:
    net = MLP((2, 3, 1), "relu", generator=INIT).to("meta")
    assert [layer.weight_name for layer in reading(net).layers] == ["layers.0.weight", "layers.1.weight"]
    assert reading(net).layers[0].input_shape == ()


def test_reading_leaves_the_global_generator_and_the_weights_alone() -> None:
    net = nn.Sequential(nn.Linear(2, 3), nn.Dropout(), nn.Linear(3, 1))
    weights = [p.detach().clone() for p in net.parameters()]
    before = torch.random.get_rng_state()
    reading(net)
    assert torch.equal(before, torch.random.get_rng_state())
    assert all(torch.equal(p, w) for p, w in zip(net.parameters(), weights, strict=True))
    assert all(p.requires_grad for p in net.parameters())
