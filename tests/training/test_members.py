"""Which networks may be stacked, and that an ensemble keeps what each of them is."""

import random

import pytest
import torch
from torch import nn
from torch.nn.utils import parametrizations

from sparsenn_core import Ensemble
from sparsenn_core.errors import InputError
from sparsenn_core.networks import MLP
from sparsenn_core.randomness import generator
from sparsenn_core.training.members import activation_numbers


def mlp(activation="relu", widths=(2, 3, 1)):
    return MLP(widths, activation, generator=generator(0, "init"))


class Scaled(nn.Module):
    """A linear layer with an attribute of its own."""

    def __init__(self, factor, function=torch.relu):
        super().__init__()
        self.linear = nn.Linear(2, 1)
        self.factor, self.function = factor, function

    def forward(self, x):
        return self.function(self.linear(x)) * self.factor


class Tied(nn.Module):
    """Two layers with one weight."""

    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Linear(3, 3), nn.Linear(3, 3)
        self.second.weight = self.first.weight

    def forward(self, x):
        return self.second(self.first(x).relu())


def half(x):
    return x / 2


def frozen():
    net = mlp()
    net.layers[0].weight.requires_grad_(False)
    return net


def hooked():
    net = mlp()
    net.register_forward_hook(lambda module, x, out: out * 2)
    return net


@pytest.mark.parametrize(
    ("one", "other", "named"),
    [
        (lambda: mlp("relu"), lambda: mlp("tanh"), "activation: Tanh against ReLU"),
        (lambda: nn.Sequential(nn.Linear(2, 2), nn.LeakyReLU(0.1)),
         lambda: nn.Sequential(nn.Linear(2, 2), nn.LeakyReLU(0.2)), "1: negative_slope is 0.2 against 0.1"),
        (lambda: nn.Conv2d(1, 1, 3), lambda: nn.Conv2d(1, 1, 3, stride=2), r"stride is \(2, 2\) against \(1, 1\)"),
        (lambda: nn.Sequential(nn.Linear(2, 2)), lambda: nn.Sequential(nn.Linear(2, 2), nn.ReLU()), "submodules"),
        (lambda: nn.Sequential(nn.Linear(2, 2), nn.ReLU()),
         lambda: nn.Sequential(nn.Linear(2, 2), nn.GELU()), "1: GELU against ReLU"),
        (lambda: Scaled(1.0), lambda: Scaled(2.0), "factor is 2.0 against 1.0"),
        (lambda: Scaled(1.0, torch.relu), lambda: Scaled(1.0, torch.tanh), "function is"),
        (lambda: Scaled(torch.ones(2)), lambda: Scaled(torch.zeros(2)), "factor is tensor"),
        (lambda: Scaled(1.0, lambda x: x), lambda: Scaled(1.0, half), "function is"),
        (mlp, lambda: mlp(widths=(2, 4, 1)), "out_features is 4 against 3"),
        (mlp, lambda: mlp().double(), "weight is"),
        (mlp, lambda: mlp().eval(), "training is False against True"),
        (mlp, frozen, "weight is"),
        (mlp, hooked, "_forward_hooks is"),
        (mlp, lambda: Scaled(1.0), "Scaled against MLP"),
    ],
)  # fmt: skip
def test_networks_that_compute_different_functions_are_refused_with_what_differs(one, other, named):
    with pytest.raises(InputError, match=named):
        Ensemble.stack([one(), one(), other()])


@pytest.mark.parametrize(
    "build",
    [
        mlp, lambda: Scaled(2.0), lambda: Scaled(torch.arange(2.0)[:1]), Tied, frozen,
        lambda: parametrizations.orthogonal(nn.Linear(3, 3)), lambda: Scaled(1.0, half),
    ],
)  # fmt: skip
def test_equal_ones_are_stacked_and_each_member_computes_what_its_module_does(build):
    modules = [build() for _ in range(3)]
    ensemble = Ensemble.stack(modules)
    x = torch.randn(5, next(modules[0].parameters()).shape[-1], generator=generator(1, "data"))
    for module, one, out in zip(modules, ensemble, ensemble(x), strict=True):
        torch.testing.assert_close(module(x), out)
        torch.testing.assert_close(one(x), out)


def test_tied_parameters_have_one_name_and_stay_tied():
    ensemble = Ensemble.of(lambda g: Tied(), 2)
    assert list(ensemble.params) == ["first.weight", "first.bias", "second.bias"]
    one = ensemble[1]
    assert one.first.weight is one.second.weight
    assert torch.equal(one.first.weight, ensemble.params["first.weight"][1])


def test_stock_layers_follow_the_seed_and_the_callers_state_is_untouched():
    torch.manual_seed(5)
    before = torch.get_rng_state()
    first = Ensemble.of(lambda g: nn.Linear(8, 1), [0, 1])
    again = Ensemble.of(lambda g: nn.Linear(8, 1), 2)
    assert torch.equal(before, torch.get_rng_state())
    assert torch.equal(first.params["weight"], again.params["weight"])
    assert not torch.equal(first.params["weight"][0], first.params["weight"][1])


def test_a_builder_that_uses_its_generator_gives_what_it_always_gave():
    ensemble = Ensemble.of(lambda g: MLP((2, 3, 1), "relu", generator=g), [7])
    torch.testing.assert_close(
        ensemble[0].layers[0].weight, MLP((2, 3, 1), "relu", generator=generator(7, "init")).layers[0].weight
    )


def test_slices_states_and_modes():
    ensemble = Ensemble.of(lambda g: nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3), nn.Linear(3, 1)), 4)
    x = torch.randn(6, 2, generator=generator(0, "data"))
    assert len(ensemble[1:3]) == 2
    torch.testing.assert_close(ensemble.eval()[1:3](x)[0], ensemble.eval()[1](x))
    state = ensemble.state_dict()
    other = Ensemble.of(lambda g: nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3), nn.Linear(3, 1)), [9])
    torch.testing.assert_close(other.load_state_dict(state).eval()(x), ensemble.eval()(x))
    with pytest.raises(InputError, match=r"'0.wieght'.*'0.weight'"):
        other.load_state_dict({k.replace("0.weight", "0.wieght"): v for k, v in state.items()})
    with pytest.raises(InputError, match=r"0.weight is \[3, 3\] in the state, \[3, 2\] here"):
        other.load_state_dict(state | {"0.weight": torch.zeros(4, 3, 3)})
    before = {k: v.clone() for k, v in ensemble.buffers.items()}
    ensemble(x)  # in training mode batch norm counts, but not into an ensemble, which is a value
    assert all(torch.equal(before[k], v) for k, v in ensemble.buffers.items())


def test_large_inputs_go_in_chunks_of_runs(monkeypatch):
    ensemble = Ensemble.of(lambda g: mlp(), 7)
    x = torch.randn(11, 2, generator=generator(0, "data"))
    whole = ensemble(x)
    monkeypatch.setattr("sparsenn_core.training.ensemble.CHUNK_BYTES", 8 * x.numel() * 2)
    torch.testing.assert_close(ensemble(x), whole)


@pytest.mark.parametrize(
    ("modules", "message"),
    [([], "at least one module"), ([nn.ReLU()], "no parameters"),
     ([nn.Sequential(nn.Linear(1, 1), nn.Linear(1, 1).double())], "several types")],
)  # fmt: skip
def test_what_cannot_be_trained_is_refused(modules, message):
    with pytest.raises(InputError, match=message):
        Ensemble.stack(modules)


def test_python_and_numpy_randomness_is_not_touched():
    state = random.getstate()
    Ensemble.of(lambda g: nn.Linear(2, 1), 3)
    assert state == random.getstate()


class Bare(nn.Module):
    """Written with bare parameters, so that no layer tells what it puts out."""

    def __init__(self):
        super().__init__()
        self.inner, self.outer = nn.Parameter(torch.zeros(4, 8)), nn.Parameter(torch.zeros(8, 2))

    def forward(self, x):
        return torch.tanh(x @ self.inner).reshape(-1, 8) @ self.outer


def needs_numbers(x):
    return x if x.sum() > 0 else -x


class Branching(nn.Linear):
    def forward(self, x):
        return super().forward(needs_numbers(x))


@pytest.mark.parametrize(
    ("network", "shape", "numbers"),
    [
        (nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2)), (4,), 8 + 8 + 2),
        (Bare(), (4,), 8 + 8 + 2),
        (nn.Sequential(nn.Conv2d(1, 3, 3), nn.ReLU(), nn.Flatten(), nn.Linear(108, 2)), (1, 8, 8), 108 + 108 + 2),
        (Branching(4, 2), (4,), 4 + 2),
        (parametrizations.weight_norm(nn.Linear(4, 8)), (4,), 8),
        (nn.Linear(3, 2), (4,), 0),
    ],
    ids=[
        "layers",
        "bare parameters",
        "convolution",
        "a forward that branches on numbers",
        "a weight that is computed for each batch",
        "a sample that does not fit",
    ],
)
def test_numbers_on_the_way_are_counted(network, shape, numbers):
    assert activation_numbers(network, torch.zeros(shape)) == numbers
