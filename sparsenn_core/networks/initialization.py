"""Activations by name, and initial weights drawn from a private generator."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import nn

from sparsenn_core.errors import InputError, unknown

ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "relu": nn.ReLU,
    "sigmoid": nn.Sigmoid,
    "tanh": nn.Tanh,
    "gelu": nn.GELU,
    "linear": nn.Identity,
}


def activation_module(name: str) -> nn.Module:
    """The activation called `name`: relu, sigmoid, tanh, gelu or linear."""
    if name not in ACTIVATIONS:
        raise unknown("activation", name, ACTIVATIONS)
    return ACTIVATIONS[name]()


def _weights_and_biases(module: nn.Module) -> tuple[list[nn.Parameter], list[nn.Parameter]]:
    parameters = list(module.parameters())
    return [p for p in parameters if p.ndim > 1], [p for p in parameters if p.ndim == 1]


@torch.no_grad()
def initialize_study_(
    module: nn.Module, activation: str, scale: float, generator: torch.Generator, *, bias: float = 0.0
) -> nn.Module:
    """The L1 study's initial weights, in place: the usual ones of `activation`, times `scale`.

    relu: Kaiming normal with fan_out, std = scale * sqrt(2 / fan_out); on a last layer with one output that is
    1.41 * scale, the cause of many dead relu students. sigmoid: Xavier uniform; tanh: Xavier uniform with gain 5/3.
    gelu and linear: Kaiming normal with fan_in, std = scale * sqrt(2 / fan_in). Every bias becomes `bias`.
    `scale` must be positive.
    """
    if not scale > 0:
        raise InputError(f"initial scale must be positive, not {scale!r}")
    if activation not in ACTIVATIONS:
        raise unknown("activation", activation, ACTIVATIONS)
    weights, biases = _weights_and_biases(module)
    for w in weights:
        if activation == "relu":
            nn.init.kaiming_normal_(w, mode="fan_out", nonlinearity="relu", generator=generator)
        elif activation in ("sigmoid", "tanh"):
            nn.init.xavier_uniform_(w, gain=5 / 3 if activation == "tanh" else 1.0, generator=generator)
        else:
            nn.init.kaiming_normal_(w, generator=generator)
        w.mul_(scale)
    for b in biases:
        b.fill_(bias)
    return module


@torch.no_grad()
def initialize_default_(module: nn.Module, generator: torch.Generator) -> nn.Module:
    """PyTorch's own default, in place: weights and biases uniform in +-1/sqrt(fan_in), from `generator`.

    Weights and biases are visited in the order of `module.parameters()`, as `nn.Linear.reset_parameters` would, so a
    module built after `torch.manual_seed(s)` and one filled from `torch.Generator().manual_seed(s)` are equal.
    """
    fan_in = 1
    for p in module.parameters():
        if p.ndim > 1:
            fan_in = p[0].numel()
        bound = 1 / math.sqrt(fan_in)
        p.uniform_(-bound, bound, generator=generator)
    return module
