"""The networks of the studies against PyTorch's own layers and the recorded statistics of the teachers."""

import pytest
import torch
from torch import nn

from sparsenn_core.errors import InputError
from sparsenn_core.networks import (
    MLP,
    DisjointConv1d,
    TreeCNN,
    baseline_cnn,
    embed,
    initialize_study_,
    literal_teacher,
    multi_channel_cnn,
)
from sparsenn_core.randomness import generator


def inputs(n: int) -> torch.Tensor:
    return torch.randn(n, 12, generator=generator(0, "data"), dtype=torch.float64)


def test_disjoint_convolution_is_conv1d_with_stride_kernel():
    layer = DisjointConv1d(4, 3, 2, bias=True).double()
    conv = nn.utils.skip_init(nn.Conv1d, 4, 3, 2, stride=2, dtype=torch.float64)
    with torch.no_grad():
        for p, q in zip(layer.parameters(), conv.parameters(), strict=True):
            p.normal_(generator=generator(1, "init"))
            q.copy_(p)
    x = torch.randn(5, 4, 6, generator=generator(2, "data"), dtype=torch.float64)
    torch.testing.assert_close(layer(x.transpose(0, 1)).transpose(0, 1), conv(x), rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize(("build", "size"), [(baseline_cnn, 7), (multi_channel_cnn, 52)])
def test_parameter_counts(build, size):
    assert sum(p.numel() for p in build("tanh", generator=generator(0, "init")).parameters()) == size


def test_split_filter_uses_filters_by_parity_of_position():
    teacher = literal_teacher("split_filter", "tanh")
    x = inputs(3)
    a, b = teacher.first
    h = [torch.tanh(x[:, 3 * i : 3 * i + 3] @ (a, b)[i % 2]) for i in range(4)]
    u = [torch.tanh(torch.stack(h[2 * j : 2 * j + 2], 1) @ teacher.second[j]) for j in range(2)]
    expected = torch.tanh(torch.stack(u, 1) @ teacher.last[0])
    torch.testing.assert_close(teacher(x)[:, 0], expected)


@pytest.mark.parametrize("name", ["baseline", "multi_channel", "split_filter"])
@pytest.mark.parametrize("activation", ["relu", "sigmoid", "tanh"])
def test_embedding_computes_the_same_function(name, activation):
    teacher = literal_teacher(name, activation)
    weights = embed(teacher)
    dense = MLP([12, *(w.shape[0] for w in weights)], activation, last_activation=activation, bias=False,
                generator=generator(0, "init")).double()  # fmt: skip
    with torch.no_grad():
        for layer, w in zip(dense.layers, weights, strict=True):
            layer.weight.copy_(w)
    torch.testing.assert_close(dense(inputs(50)), teacher(inputs(50)), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    ("name", "nonzeros", "l1"),
    [("baseline", [12, 4, 2], 32.20), ("multi_channel", [48, 62, 8], None), ("split_filter", [12, 4, 2], None)],
)
def test_embedding_has_the_recorded_support(name, nonzeros, l1):
    weights = embed(literal_teacher(name, "relu"))
    assert [int((w != 0).sum()) for w in weights] == nonzeros
    if l1 is not None:
        assert sum(float(w.abs().sum()) for w in weights) == pytest.approx(l1, abs=5e-3)


# mean and variance of the output over N(0, I), recorded from 400,000 samples
RECORDED = [
    ("baseline", "relu", 0.9592, 4.0402),
    ("baseline", "tanh", -0.0008, 0.3667),
    ("baseline", "sigmoid", 0.5024, 0.00260),
    ("multi_channel", "relu", 0.8837, 2.7964),
    ("multi_channel", "tanh", 0.0019, 0.4495),
    ("multi_channel", "sigmoid", 0.4089, 0.00156),
    ("split_filter", "relu", 0.3373, 0.5853),
    ("split_filter", "tanh", -0.0001, 0.3291),
    ("split_filter", "sigmoid", 0.5101, 0.00123),
]


@pytest.mark.parametrize(("name", "activation", "mean", "variance"), RECORDED)
def test_teacher_statistics(name, activation, mean, variance):
    y = literal_teacher(name, activation)(inputs(100_000)).squeeze(1)
    n, recorded_n = len(y), 400_000
    spread = (1 / n + 1 / recorded_n) ** 0.5
    fourth = (y - y.mean()).pow(4).mean()
    assert abs(float(y.mean()) - mean) < 3.5 * float(y.std()) * spread + 5e-5
    assert abs(float(y.var()) - variance) < 3.5 * float((fourth - y.var() ** 2).sqrt()) * spread + 5e-5


def test_study_initialisation_has_the_stated_spread():
    net = MLP([400, 300, 1], "relu", bias=False, generator=generator(0, "init"))
    initialize_study_(net, "relu", 0.2, generator(1, "init"))
    assert float(net.layers[0].weight.detach().std()) == pytest.approx(0.2 * (2 / 300) ** 0.5, rel=0.02)
    assert float(net.layers[1].weight.detach().std()) == pytest.approx(0.2 * 2**0.5, rel=0.15)
    initialize_study_(net, "tanh", 1.0, generator(1, "init"))
    assert float(net.layers[0].weight.detach().abs().max()) == pytest.approx(5 / 3 * (6 / 700) ** 0.5, rel=1e-3)


def test_default_initialisation_is_pytorchs_own():
    mlp = MLP([3, 5, 2], "relu", generator=torch.Generator().manual_seed(3))
    with torch.random.fork_rng():
        torch.manual_seed(3)
        twin = nn.Sequential(nn.Linear(3, 5), nn.Linear(5, 2))
    for p, q in zip(mlp.parameters(), twin.parameters(), strict=True):
        torch.testing.assert_close(p, q, rtol=0, atol=0)


def test_building_a_network_leaves_the_global_generator_alone():
    before = torch.random.get_rng_state()
    MLP([3, 5, 2], "relu", generator=generator(0, "init"))
    literal_teacher("baseline", "tanh")
    assert torch.equal(before, torch.random.get_rng_state())


def test_refusals_name_the_nearest():
    with pytest.raises(InputError, match="did you mean 'sigmoid'"):
        baseline_cnn("sigmod", generator=generator(0, "init"))
    with pytest.raises(InputError, match="did you mean 'baseline'"):
        literal_teacher("baselin", "tanh")
    with pytest.raises(InputError, match="channels must be 1"):
        TreeCNN((2, 1), (3,), "relu", generator=generator(0, "init"))
