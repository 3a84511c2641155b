"""Small networks and data for the tests of bounds."""

from __future__ import annotations

import torch
from sklearn.datasets import load_digits
from torch import Tensor, nn

from sparsenn_core.randomness import generator


def conv_net(depth: int = 2, width: int = 4, side: int = 8, classes: int = 10, seed: int = 0) -> nn.Sequential:
    """CONV-depth-width in float64, without biases."""
    layers: list[nn.Module] = []
    for place in range(depth):
        layers += [nn.Conv2d(width if place else 1, width, 2, bias=False), nn.ReLU()]
    head = nn.Linear(width * (side - depth) ** 2, classes, bias=False)
    return filled(nn.Sequential(*layers, nn.Flatten(), head).double(), seed)


def filled(network: nn.Sequential, seed: int = 0) -> nn.Sequential:
    """The network with normal weights of the usual size, from a private generator."""
    draw = generator(seed, "weights")
    with torch.no_grad():
        for p in network.parameters():
            fan = p[0].numel()
            p.copy_(torch.randn(p.shape, generator=draw, dtype=torch.float64).to(p.dtype) / fan**0.5)
    return network


def digits(count: int = 1797) -> tuple[Tensor, Tensor]:
    """scikit-learn's digits as images [n, 1, 8, 8] between 0 and 1, in float64, with their classes, shuffled:
    they come writer by writer.
    """
    bunch = load_digits()
    order = torch.randperm(1797, generator=generator(0, "digits"))[:count]
    return torch.tensor(bunch.images, dtype=torch.float64)[order, None] / 16, torch.tensor(bunch.target)[order]
