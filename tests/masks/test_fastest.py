"""Faster forms of a masked model compute what it computes."""

from __future__ import annotations

import itertools
import re
import sys

import pytest
import torch
from torch import nn

from sparsenn_core import masks
from sparsenn_core.errors import InputError
from sparsenn_core.masks.fastest import Compressed
from sparsenn_core.networks import reading
from sparsenn_core.randomness import generator


def mlp(widths, activation=nn.ReLU, *, bias=True):
    layers = []
    for a, b in itertools.pairwise(widths):
        layers += [nn.Linear(a, b, bias), activation()]
    return nn.Sequential(*layers[:-1]).double()


def draw(model, seed=0):
    source = generator(seed, "weights")
    with torch.no_grad():
        for p in model.parameters():
            p.copy_(torch.randn(p.shape, generator=source, dtype=torch.float64))
    return model


def inputs(*shape, seed=0):
    return torch.randn(*shape, generator=generator(seed, "inputs"), dtype=torch.float64)


@pytest.mark.parametrize(("structure", "sparsity"), [(masks.Unstructured(), 0.95), (masks.Block(4, 4), 0.8),
                                                 (masks.Channel(), 0.75), (masks.NM(1, 4), None)])  # fmt: skip
@pytest.mark.parametrize(
    "score", [masks.Magnitude(), masks.Learned(), masks.HardConcrete(), masks.SoftSigmoid(until=3)]
)
def test_all_forms_agree_with_the_masked_model(structure, sparsity, score):
    if isinstance(score, masks.HardConcrete):
        structure, sparsity = masks.Unstructured(), None
    model = draw(mlp([16, 32, 24, 4]))
    masks.sparsify(model, score, sparsity, structure=structure, layers=["0", "2"], generator=generator(0, "m"))
    found = masks.forms(model, inputs(5, 16), repeats=1)
    assert [form.name for form in found][:2] == ["masked", "dense"]
    expected = model.eval()(inputs(7, 16, seed=3))
    for form in found:
        torch.testing.assert_close(form.module(inputs(7, 16, seed=3)), expected)
        assert form.difference < 1e-12
        assert form.seconds > 0
    best = masks.fastest(model, inputs(5, 16), repeats=1)
    assert best.name in [form.name for form in found]


def test_forms_leave_the_model_as_it_is():
    model = masks.sparsify(draw(mlp([8, 16, 2])), masks.Magnitude(), 0.9)
    state = {k: v.clone() for k, v in model.state_dict().items()}
    model.train()
    masks.forms(model, inputs(3, 8), repeats=1)
    assert model.training
    assert all(torch.equal(v, state[k]) for k, v in model.state_dict().items())


@pytest.mark.parametrize("activation", [nn.ReLU, nn.Tanh, nn.Sigmoid])
@pytest.mark.parametrize("bias", [True, False])
def test_units_left_out(activation, bias):
    model = draw(mlp([6, 8, 8, 3], activation, bias=bias))
    with torch.no_grad():
        model[0].weight[:3] = 0  # constant units
        model[0].weight[:, 4] = 0  # an input that nobody reads
        model[2].weight[:, 5] = 0  # a unit that nobody reads
        model[4].weight[:, 0] = 0
    small = masks.smaller(model)
    x = inputs(9, 6)
    torch.testing.assert_close(small(x), model(x))
    found = [layer for layer in small if isinstance(layer, nn.Linear)]
    assert [(layer.in_features, layer.out_features) for layer in found] == [(5, 4), (4, 7), (7, 3)]


def test_leaving_out_goes_on_through_the_layers():
    """A unit that only an unread unit reads is unread too."""
    model = draw(mlp([4, 5, 5, 2]))
    with torch.no_grad():
        model[4].weight[:, 1:] = 0
        model[2].weight[0, 2:] = 0
    widths = [layer.out_features for layer in masks.smaller(model) if isinstance(layer, nn.Linear)]
    assert widths == [2, 1, 2]


def test_a_model_of_which_nothing_is_left():
    model = draw(mlp([4, 5, 2]))
    masks.sparsify(model, masks.Magnitude(), 1.0)
    x = inputs(3, 4)
    for form in masks.forms(model, x, repeats=1):
        torch.testing.assert_close(form.module(x), model(x))


@pytest.mark.parametrize("bias", [True, False])
def test_channels_of_convolutions(bias):
    model = nn.Sequential(
        nn.Conv2d(2, 6, 3, padding=1, bias=bias), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 4, 3, stride=2, bias=bias),
        nn.ReLU(), nn.Flatten(), nn.Linear(4 * 9, 5), nn.ReLU(), nn.Linear(5, 2),
    ).double()  # fmt: skip
    draw(model)
    with torch.no_grad():
        model[3].weight[:, 1] = 0  # unread channel
        model[6].weight[:, 9:18] = 0  # channel 1 of the second convolution, all its places
        model[0].weight[4] = 0  # constant: left out only where the constant is zero
        if bias:
            model[0].bias[4] = -1.0
    x = inputs(3, 2, 16, 16)
    small = masks.smaller(model, x)
    torch.testing.assert_close(small(x), model(x))
    convolutions = [layer for layer in small if isinstance(layer, nn.Conv2d)]
    assert [(c.in_channels, c.out_channels) for c in convolutions] == [(2, 4), (4, 3)]


def test_a_constant_that_padding_cuts_stays():
    model = nn.Sequential(nn.Conv2d(1, 3, 3, padding=1), nn.ReLU(), nn.Conv2d(3, 1, 3, padding=1)).double()
    draw(model)
    with torch.no_grad():
        model[0].weight[0] = 0
        model[0].bias[0] = 2.0
    x = inputs(2, 1, 5, 5)
    small = masks.smaller(model, x)
    torch.testing.assert_close(small(x), model(x))
    assert len(reading(small, x).layers[0].weight) == 3


@pytest.mark.parametrize("layout", ["csr", "bsr"])
def test_compressed_layers_keep_names_and_take_any_batch(layout):
    model = masks.sparsify(draw(mlp([16, 32, 16])), masks.Magnitude(), 0.9, structure=masks.Block(4, 4))
    small = masks.compressed(model, layout)
    assert [name for name, part in small.named_modules() if isinstance(part, Compressed)] == ["0", "2"]
    x = inputs(2, 3, 16)
    torch.testing.assert_close(small(x), model.eval()(x))


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: masks.forms(mlp([4, 4]), inputs(2, 4)), "has no sparse layers"),
        (lambda: masks.compressed(masks.sparsify(mlp([4, 4]), masks.Random(), 0.5), "coo"), "csr or bsr, not 'coo'"),
        (lambda: masks.compressed(masks.sparsify(mlp([5, 5]), masks.Random(), 0.5), "bsr"), "no blocks of sides"),
        (lambda: masks.compressed(masks.sparsify(mlp([4, 4]), masks.Random(), 0.0)), "has no sparse linear layer"),
        (lambda: masks.least_seconds(lambda: None, 0), "repeats must be 1 or more"),
        (lambda: masks.smaller(nn.Sequential(nn.Conv2d(4, 4, 3, groups=2)), torch.zeros(1, 4, 5, 5)), "groups"),
    ],
)
def test_refusals(make, text):
    with pytest.raises(InputError, match=re.escape(text)) as caught:
        make()
    assert "\n" not in str(caught.value)


def test_a_form_that_differs_is_refused(monkeypatch):
    def wrong(model, layout="csr"):
        changed = masks.compressed(model, layout)
        next(iter(changed.buffers())).values().mul_(1.01)
        return changed

    monkeypatch.setattr(sys.modules["sparsenn_core.masks.fastest"], "_makers", lambda example: {"csr": wrong})
    model = masks.sparsify(draw(mlp([8, 8])), masks.Magnitude(), 0.5)
    with pytest.raises(InputError, match="does not compute what the model does"):
        masks.forms(model, inputs(2, 8))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="the 2:4 layout is for CUDA")
def test_two_of_four_on_cuda():
    model = nn.Sequential(nn.Linear(128, 128)).cuda().half()
    masks.sparsify(model, masks.Magnitude(), structure=masks.NM(2, 4))
    x = torch.randn(64, 128, device="cuda", dtype=torch.float16)
    plain = masks.make_permanent(model)
    torch.testing.assert_close(masks.semi_structured(plain)(x), plain(x), rtol=1e-2, atol=1e-2)


@pytest.mark.skipif(torch.cuda.is_available(), reason="what is said without CUDA")
def test_two_of_four_without_cuda_is_refused():
    with pytest.raises(InputError, match="for CUDA devices, and none is here"):
        masks.semi_structured(nn.Linear(64, 64))
