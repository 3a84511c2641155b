"""Random networks and random elements of the symmetry group, written the slow and obvious way."""

import torch
from torch import nn

from sparsenn_core.networks import MLP, TreeCNN
from sparsenn_core.randomness import generator

ACTIVATIONS = ("relu", "tanh", "sigmoid")
FAMILIES = ("cnn", "mlp", "deep mlp")


def network(family: str, activation: str, seed: int = 0) -> nn.Module:
    g = generator(seed, "init")
    if family == "cnn":
        net: nn.Module = TreeCNN((1, 4, 3, 1), (3, 2, 2), activation, generator=g)
    else:
        widths = [12, 6, 5, 2] if family == "mlp" else [12, 5, 4, 4, 3, 1]
        net = MLP(widths, activation, bias=False, generator=g)
    net = net.double().requires_grad_(False)
    for p in net.parameters():
        p.normal_(generator=g)
    return net


def loaded(net: nn.Module, weights: list[torch.Tensor]) -> nn.Module:
    for p, w in zip(net.parameters(), weights, strict=True):
        p.copy_(w)
    return net


def acted(net: nn.Module, activation: str, seed: int) -> list[torch.Tensor]:
    """The weights after a random symmetry: permutation, and signs (tanh) or positive scales (relu)."""
    g = generator(seed, "group")
    weights = [p.detach().clone() for p in net.parameters()]
    for layer, w in enumerate(weights[:-1]):
        n = len(w)
        order = torch.randperm(n, generator=g)
        factor = torch.ones(n, dtype=torch.float64)
        if activation == "tanh":
            factor = torch.randint(0, 2, (n,), generator=g).double() * 2 - 1
        if activation == "relu":
            factor = torch.rand(n, generator=g, dtype=torch.float64) * 3 + 0.1
        shape = (-1,) + (1,) * (w.ndim - 1)
        weights[layer] = weights[layer][order] * factor.reshape(shape)
        weights[layer + 1] = weights[layer + 1][:, order] / factor.reshape(shape[:-1])[(None, ...)]
    return weights
