"""Fully connected networks as a list of affine layers and activations whose slope follows from their output."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn

from sparsenn_core.networks import MLP
from sparsenn_core.penalties.base import Params


@dataclass(frozen=True)
class Activation:
    """`push(z, out)` writes the outputs; `pull(slope, outputs)` writes the slope in z over the outputs."""

    push: Callable[[Tensor, Tensor], object]
    pull: Callable[[Tensor, Tensor], object]


_aten = torch.ops.aten
ACTIVATIONS: dict[type[nn.Module], Activation] = {
    nn.Tanh: Activation(
        lambda z, out: torch.tanh(z, out=out), lambda s, h: _aten.tanh_backward.grad_input(s, h, grad_input=h)
    ),
    nn.Sigmoid: Activation(
        lambda z, out: torch.sigmoid(z, out=out), lambda s, h: _aten.sigmoid_backward.grad_input(s, h, grad_input=h)
    ),
    nn.ReLU: Activation(
        lambda z, out: torch.clamp(z, min=0, out=out),
        lambda s, h: _aten.threshold_backward.grad_input(s, h, 0, grad_input=h),
    ),
    nn.Identity: Activation(lambda z, out: out.copy_(z), lambda s, h: h.copy_(s)),
}


@dataclass(frozen=True)
class Layer:
    """An affine layer: the names of its parameters, its widths and what follows it."""

    weight: str
    bias: str | None
    inputs: int
    outputs: int
    activation: Activation

    @property
    def seen(self) -> int:
        """How many numbers it sees of a sample; biases are the weights of one more input, which is always 1."""
        return self.inputs + (self.bias is not None)

    @property
    def turned(self) -> bool:
        """Whether its gradient is computed transposed: products are several times faster with few rows than columns."""
        return self.seen < self.outputs

    def total(self, matrix: Tensor) -> Tensor:
        """Room for the sum of its gradients."""
        runs, outputs, seen = matrix.shape
        return matrix.new_empty((runs, seen, outputs) if self.turned else (runs, outputs, seen))

    def matrix(self, params: Params) -> Tensor:
        """Its weights and, as last column, biases, [R, outputs, seen]."""
        weight = params[self.weight]
        return weight if self.bias is None else torch.cat([weight, params[self.bias].unsqueeze(2)], 2)

    def parts(self, gradient: Tensor) -> Params:
        """What of a gradient in `matrix` belongs to weight and bias, by name."""
        parts = {self.weight: gradient[:, :, : self.inputs]}
        return parts if self.bias is None else parts | {self.bias: gradient[:, :, self.inputs]}


def read_layers(net: nn.Module) -> list[Layer] | None:
    """The layers of an `MLP` with activations that are known here; None for any other network, subclasses included."""
    if type(net) is not MLP:
        return None
    linear = cast("list[nn.Linear]", list(net.layers))
    following = [type(net.activation)] * (len(linear) - 1) + [type(net.last_activation)]
    if not ACTIVATIONS.keys() >= set(following):
        return None
    names = [(f"layers.{i}.weight", None if one.bias is None else f"layers.{i}.bias") for i, one in enumerate(linear)]
    if {name for pair in names for name in pair if name} != {name for name, _ in net.named_parameters()}:
        return None  # reparametrised, say
    return [
        Layer(*name, one.in_features, one.out_features, ACTIVATIONS[kind])
        for name, one, kind in zip(names, linear, following, strict=True)
    ]
