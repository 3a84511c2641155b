"""Tanh networks as in the rebound study, their disturbed copies, and the whole symmetry group by brute force."""

import itertools

import numpy as np
import torch
from torch import nn

from sparsenn_core.networks import MLP
from sparsenn_core.randomness import generator


def build(widths, seed: int, bias: float = 1.0) -> MLP:
    """Glorot-uniform weights and biases uniform in +-bias, float64."""
    g = generator(seed, "init")
    net = MLP(widths, "tanh", generator=g).double().requires_grad_(False)
    for p in net.parameters():
        a = bias if p.ndim == 1 else (6 / sum(p.shape)) ** 0.5
        p.uniform_(-a, a, generator=g)
    return net


def copied(net: MLP, seed: int, noise: float = 0.0) -> MLP:
    """A copy with shuffled and flipped hidden units, every parameter disturbed by N(0, noise^2)."""
    g = generator(seed, "copy")
    twin = build([net.layers[0].in_features, *(m.out_features for m in net.layers)], 0)
    twin.load_state_dict(net.state_dict())
    for layer, after in itertools.pairwise(twin.layers):
        n = layer.out_features
        order, sign = torch.randperm(n, generator=g), torch.randint(0, 2, (n,), generator=g).double() * 2 - 1
        layer.weight.copy_(layer.weight[order] * sign[:, None])
        layer.bias.copy_(layer.bias[order] * sign)
        after.weight.copy_(after.weight[:, order] * sign)
    for p in twin.parameters():
        p.add_(noise * torch.randn(p.shape, generator=g, dtype=p.dtype))
    return twin


def vector(net: nn.Module) -> np.ndarray:
    return np.concatenate([p.detach().numpy().ravel() for p in net.parameters()])


def signed_matrices(n: int) -> list[np.ndarray]:
    signs = itertools.product([1.0, -1.0], repeat=n)
    return [np.diag(s) @ np.eye(n)[list(p)] for s, p in itertools.product(signs, itertools.permutations(range(n)))]


def all_distances(a: MLP, b: MLP) -> np.ndarray:
    """The distance of a to every image of b under the group: one axis a hidden layer, the identity somewhere in it.

    An image's squared distance is a sum over layers, each of which sees the elements before and after it alone.
    """
    groups = [np.eye(a.layers[0].in_features)[None], *(np.array(signed_matrices(m.out_features)) for m in a.layers)]
    groups[-1] = np.eye(a.layers[-1].out_features)[None]
    total = np.zeros(1)
    for x, y, before, after in zip(a.layers, b.layers, groups[:-1], groups[1:], strict=True):
        weight = np.einsum("pij,jk,qlk->qpil", after, y.weight.numpy(), before) - x.weight.numpy()
        bias = after @ y.bias.numpy() - x.bias.numpy()
        total = total[..., None] + (weight**2).sum((2, 3)) + (bias**2).sum(1)
    return np.sqrt(total.squeeze())
