"""`compress` from end to end: what it removes, that nothing else changes, and that the result lives by itself."""

from __future__ import annotations

import copy
import io
from typing import Any

import compression_nets as nets
import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from sparsenn_core.compression import Report, compress, magnitude, matching_pursuit, restored
from sparsenn_core.compression.surgery import KEPT
from sparsenn_core.networks import MLP, feed
from sparsenn_core.randomness import generator


class Branched(nn.Module):
    """A skip connection around the layers that are made smaller, functions instead of modules; inputs [n, 6]."""

    def __init__(self) -> None:
        super().__init__()
        self.up = nn.Linear(6, 18)
        self.down = nn.Linear(18, 6)
        self.head = nn.Linear(6, 3)

    def forward(self, x: Tensor) -> Tensor:
        h = nn.functional.dropout(torch.relu(self.up(x)), 0.5, self.training)
        return self.head(torch.relu(x + self.down(h)))


CASES: dict[str, tuple[Any, tuple[int, ...], str, int]] = {
    "linear": (nets.perceptron, (6,), "2", 7),
    "last": (nets.perceptron, (6,), "4", 5),
    "flattened channels": (nets.flattened, (1, 5, 5), "3", 4),
    "convolution": (nets.convolutional, (2, 8, 8), "conv2", 5),
    "pooled channels": (nets.convolutional, (2, 8, 8), "fc1", 4),
    "branched": (lambda: nets.drawn(Branched(), 0), (6,), "down", 9),
    "mlp": (lambda: nets.drawn(MLP((6, 14, 3), "relu", generator=generator(0, "a")), 0), (6,), "layers.1", 8),
}


@pytest.fixture(params=list(CASES))
def case(request: pytest.FixtureRequest) -> tuple[nn.Module, tuple[Tensor, Tensor], str, int]:
    make, shape, layer, width = CASES[request.param]
    return make(), nets.images(shape), layer, width


def zeroed(model: nn.Module, smaller: nn.Module, layer: str) -> nn.Module:
    """The network as given with the smaller one's weights in the layer, zeros elsewhere: by plain indexing."""
    made, one = copy.deepcopy(model), feed(model, layer)
    large, small = made.get_submodule(layer), smaller.get_submodule(layer)
    with torch.no_grad():
        large.weight.zero_()
        wide = large.weight.view(len(large.weight), one.units, -1)
        wide[:, getattr(small, KEPT)] = small.weight.reshape(len(large.weight), len(getattr(small, KEPT)), -1)
        if small.bias is not None:
            large.bias.copy_(small.bias)
    return made


@pytest.mark.parametrize("refit", [True, False])
def test_removed_is_zeroed(case: tuple[nn.Module, tuple[Tensor, Tensor], str, int], refit: bool) -> None:
    model, data, layer, width = case
    smaller, report = compress(model, data, layer, width=width, refit=refit)
    one = feed(model, layer)
    assert smaller.get_submodule(one.source).weight.shape[0] == report.layers[0].kept <= width
    assert report.layers[0].kept > width - 3
    torch.testing.assert_close(smaller(data[0]), zeroed(model, smaller, layer)(data[0]), atol=1e-10, rtol=1e-10)
    assert report.difference < 1e-12


def test_in_float32_removed_is_zeroed_to_a_hundred_thousandth(
    case: tuple[nn.Module, tuple[Tensor, Tensor], str, int],
) -> None:
    model, (x, y), layer, width = case
    model, x = model.float(), x.float()
    smaller, _ = compress(model, (x, y), layer, width=width)
    assert next(smaller.parameters()).dtype == torch.float32
    torch.testing.assert_close(smaller(x), zeroed(model, smaller, layer)(x), atol=1e-5, rtol=1e-5)


def test_it_saves_loads_and_exports(case: tuple[nn.Module, tuple[Tensor, Tensor], str, int]) -> None:
    model, data, layer, width = case
    smaller, _ = compress(model, data, layer, width=width, order=magnitude)
    file = io.BytesIO()
    torch.save(smaller.state_dict(), file)
    file.seek(0)
    again = restored(model, torch.load(file, weights_only=True))
    assert torch.equal(again(data[0]), smaller(data[0]))
    assert type(again) is type(model)
    exported = torch.export.export(smaller, (data[0],))
    file = io.BytesIO()
    torch.export.save(exported, file)
    file.seek(0)
    torch.testing.assert_close(torch.export.load(file).module()(data[0]), smaller(data[0]))


def test_the_model_is_not_altered_and_no_global_randomness_is_used(
    case: tuple[nn.Module, tuple[Tensor, Tensor], str, int],
) -> None:
    model, data, layer, width = case
    for part in model.modules():
        part.training = isinstance(part, nn.Dropout)
    before, state = copy.deepcopy(model), torch.get_rng_state()
    smaller, _ = compress(model, data, layer, width=width)
    assert torch.equal(torch.get_rng_state(), state)
    assert [m.training for m in model.modules()] == [m.training for m in before.modules()]
    assert repr(model) == repr(before)
    for (name, was), (other, now) in zip(before.state_dict().items(), model.state_dict().items(), strict=True):
        assert name == other
        assert torch.equal(was, now)
    assert not any(m.training for m in smaller.modules())
    assert not {id(p) for p in smaller.parameters()} & {id(p) for p in model.parameters()}
    assert all(p.requires_grad for p in smaller.parameters())
    assert not any(m._forward_pre_hooks for m in [*smaller.modules(), *model.modules()])


def test_a_smaller_network_trains_and_is_made_smaller_again() -> None:
    model, data = nets.perceptron(), nets.images((6,))
    once, _ = compress(model, data, "2", width=12)
    nn.functional.cross_entropy(once(data[0]), data[1]).backward()
    twice, report = compress(once, data, "2", width=5)
    assert report.layers[0].neurons == 12
    kept = [net.get_submodule("2").kept_inputs.tolist() for net in (once, twice)]
    assert set(kept[1]) <= set(kept[0])
    own = {tuple(row) for row in twice[0].weight.tolist()}
    assert own == {tuple(model[0].weight[k].tolist()) for k in kept[1]}
    again = restored(model, twice.state_dict())
    assert torch.equal(again(data[0]), twice(data[0]))


def test_exactly_needless_neurons_go_without_any_loss() -> None:
    model, data = nets.perceptron(), nets.images((6,))
    with torch.no_grad():
        for k in range(8):  # copies of others, scaled, and dead ones
            model[0].weight[k] = (k + 1) * model[0].weight[12] if k < 4 else 0.0
            model[0].bias[k] = (k + 1) * model[0].bias[12] if k < 4 else -1.0
    smaller, report = compress(model, data, "2", tolerance=1e-9)
    assert report.layers[0].kept <= 12
    assert report.layers[0].dead == 4
    torch.testing.assert_close(smaller(data[0]), model(data[0]), atol=1e-7, rtol=1e-7)


@pytest.mark.parametrize(
    "options", [{"width": 1}, {"tolerance": 1e-9}, {"strength": 0.1}, {"tolerance": 1e-9, "order": magnitude}]
)
@pytest.mark.parametrize("make", [nets.perceptron, nets.flattened])
def test_a_layer_that_reads_nothing_but_zeros_goes_down_to_one_neuron(make: Any, options: dict[str, Any]) -> None:
    model = make()
    data = nets.images((6,) if make is nets.perceptron else (1, 5, 5))
    layer = "2" if make is nets.perceptron else "3"
    with torch.no_grad():
        model[0].bias.fill_(-1000.0)
    smaller, report = compress(model, data, layer, **options)
    assert report.layers[0].dead == report.layers[0].neurons
    assert report.layers[0].kept == 1
    torch.testing.assert_close(smaller(data[0]), model(data[0]))


@pytest.mark.parametrize("order", [None, magnitude, matching_pursuit])
def test_the_tolerance_holds_and_a_step_below_it_does_not(order: Any) -> None:
    model, data = nets.perceptron(), nets.images((6,))
    x, _ = nets.images((6,), seed=1)
    held_out = x, model(x).argmax(1)  # classes that it knows, so that fewer neurons know less
    _, report = compress(model, data, "2", tolerance=0.01, order=order, held_out=held_out)
    before, after = report.held_out_before.loss, report.held_out_after.loss
    assert after <= before + 0.01
    assert report.layers[0].kept < 20
    narrower = report.layers[0].kept - 1
    _, worse = compress(model, data, "2", width=narrower, order=order, held_out=held_out)
    if order is not None:
        assert worse.held_out_after.loss > before + 0.01


def test_all_layers_in_turn_share_the_tolerance() -> None:
    model, data = nets.convolutional(), nets.images((2, 8, 8))
    smaller, report = compress(model, data, tolerance=0.02)
    assert [one.layer for one in report.layers] == ["conv2", "fc1", "fc2"]
    assert report.held_out_after.loss <= report.held_out_before.loss + 0.02
    again = restored(model, smaller.state_dict())
    assert torch.equal(again(data[0]), smaller(data[0]))
    _, named = compress(model, data, ["fc2", "conv2"], width=[6, 4])
    assert [(one.layer, one.kept) for one in named.layers] == [("conv2", 6), ("fc2", 4)]


def test_later_layers_mend_what_earlier_ones_changed() -> None:
    model, data = nets.perceptron(widths=(6, 30, 30, 3)), nets.images((6,), count=600)
    whole = data[0], model(data[0]).detach()
    first, _ = compress(model, whole, "2", width=12, held_out=whole)
    both, report = compress(model, whole, ["2", "4"], width=[12, 30], held_out=whole)
    assert report.layers[1].kept == 30
    assert report.train_after.loss < nn.functional.mse_loss(first(data[0]), whole[1]).item()
    assert both[2].weight.shape == (30, 12)


@pytest.mark.parametrize("how", ["tensors", "data set", "batches"])
def test_data_come_in_three_ways(how: str) -> None:
    model, data, held_out = nets.perceptron(), nets.images((6,)), nets.images((6,), seed=1)
    given = {
        "tensors": (data, held_out),
        "data set": (TensorDataset(*data), TensorDataset(*held_out)),
        "batches": (DataLoader(TensorDataset(*data), 37), [held_out]),
    }[how]
    _, report = compress(model, given[0], "2", width=9, held_out=given[1])
    _, wanted = compress(model, data, "2", width=9, held_out=held_out)
    assert report.held_out_after.samples == 300
    np.testing.assert_allclose(report.held_out_after.loss, wanted.held_out_after.loss, rtol=1e-9)


def test_a_share_is_held_out_and_not_read_for_the_fit() -> None:
    model, data = nets.perceptron(), nets.images((6,))
    for given in (data, TensorDataset(*data)):
        _, report = compress(model, given, "2", width=9, held_out=0.25)
        assert (report.train_before.samples, report.held_out_before.samples) == (225, 75)


def test_the_report_measures_and_reads_as_a_table() -> None:
    model, data = nets.perceptron(), nets.images((6,))
    smaller, report = compress(model, data, "2", width=9, held_out=data)
    assert isinstance(report, Report)
    loss = nn.functional.cross_entropy(smaller(data[0]), data[1]).item()
    np.testing.assert_allclose(report.held_out_after.loss, loss)
    np.testing.assert_allclose(report.train_before.accuracy, (model(data[0]).argmax(1) == data[1]).double().mean())
    psi = model[:3](data[0])
    miss = (smaller[:3](data[0]) - psi).norm() / (psi - model[2].bias).norm()
    np.testing.assert_allclose(report.layers[0].error, miss.item())
    assert report.after.parameters == sum(p.numel() for p in smaller.parameters()) < report.before.parameters
    assert report.after.bytes < report.before.bytes
    assert min(report.before.milliseconds, report.after.milliseconds) > 0
    lines = str(report).splitlines()
    assert lines[0].split() == ["layer", "neurons", "kept", "dead", "strength", "gap", "error", "bound"]
    assert lines[1].split()[:3] == ["2", "20", "9"]
    assert "vacuous" in lines[1]
    assert max(map(len, lines)) < 100


def test_squared_errors_have_no_accuracy_and_losses_of_ones_own_count() -> None:
    model, (x, _) = nets.perceptron(), nets.images((6,))
    data = x, model(x).detach()
    _, report = compress(model, data, "2", width=9)
    assert report.held_out_after.accuracy is None
    assert report.held_out_before.loss < 1e-25
    assert "accuracy" not in str(report)
    _, other = compress(model, data, "2", width=9, loss=nn.functional.l1_loss)
    assert other.held_out_after.loss != report.held_out_after.loss
