"""Teachers, students around them, and data: what every table of the chapter starts from."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from sparsenn_core.networks import MLP, TreeCNN, embed, initialize_study_, literal_teacher
from sparsenn_core.randomness import generator
from sparsenn_core.training import Data

KERNELS = (3, 2, 2)
BASELINE, MULTI, FULL = "baseline", "multi_channel", "fcn_4_2"
"""Students of 7 weights, of 52 in four channels, and of 58: 12-4-2-1, the smallest fully connected network that holds
the baseline teacher."""
WIDTHS = {"baseline": (12, 4, 2, 1), "split_filter": (12, 4, 2, 1), "multi_channel": (12, 16, 8, 1)}
"""The smallest fully connected network that holds each teacher."""


def inputs(samples: int, seed: int) -> Tensor:
    """N(0, I) [samples, 12], float64."""
    return torch.randn(samples, 12, generator=generator(seed, "data"), dtype=torch.float64)


def data_of(activation: str, samples: int, seeds: list[int]) -> Data:
    """Data of the baseline teacher without noise, a set of its own for each run."""
    teacher = literal_teacher("baseline", activation)
    x = torch.stack([inputs(samples, seed) for seed in seeds])
    y = torch.stack([teacher(each) for each in x])
    return Data(x, y, torch.arange(len(seeds)))


def tree(activation: str, channels: int, scale: float, seed: int) -> nn.Module:
    """A convolutional student with the L1 study's initial weights times `scale`."""
    source = generator(seed, "init")
    net = TreeCNN((1, channels, channels, 1), KERNELS, activation, generator=source)
    return initialize_study_(net, activation, scale, source)


def holding(teacher: str, activation: str) -> nn.Module:
    """The fully connected network with the weights of `teacher` among zeros, float64."""
    net = MLP(WIDTHS[teacher], activation, last_activation=activation, bias=False, generator=torch.Generator())
    return _filled(net, embed(literal_teacher(teacher, activation)))


def in_channels(activation: str) -> nn.Module:
    """The student of four channels with the baseline teacher in one and zeros in the others, float64."""
    net = tree(activation, 4, 1.0, 0)
    return _filled(net, [p.detach() for p in literal_teacher("baseline", activation).parameters()])


def _filled(network: nn.Module, weights: list[Tensor]) -> nn.Module:
    """`network` with `weights` in its first places and zeros elsewhere."""
    network = network.double()
    with torch.no_grad():
        for p, w in zip(network.parameters(), weights, strict=True):
            p.zero_()
            p[tuple(slice(size) for size in w.shape)] = w
    return network
