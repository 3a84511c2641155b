"""Fully connected networks as a list of affine layers and activations whose slope follows from their output."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from sparsenn_core.errors import InputError
from sparsenn_core.networks import MLP, Layer, reading
from sparsenn_core.penalties import Params


@dataclass(frozen=True)
class InPlaceActivation:
    """`push(z, out)` writes the outputs; `pull(slope, outputs)` writes the slope in z over the outputs."""

    push: Callable[[Tensor, Tensor], object]
    pull: Callable[[Tensor, Tensor], object]


_aten = torch.ops.aten
ACTIVATIONS: dict[str, InPlaceActivation] = {
    "tanh": InPlaceActivation(
        lambda z, out: torch.tanh(z, out=out), lambda s, h: _aten.tanh_backward.grad_input(s, h, grad_input=h)
    ),
    "sigmoid": InPlaceActivation(
        lambda z, out: torch.sigmoid(z, out=out), lambda s, h: _aten.sigmoid_backward.grad_input(s, h, grad_input=h)
    ),
    "relu": InPlaceActivation(
        lambda z, out: torch.clamp(z, min=0, out=out),
        lambda s, h: _aten.threshold_backward.grad_input(s, h, 0, grad_input=h),
    ),
    "linear": InPlaceActivation(lambda z, out: out.copy_(z), lambda s, h: h.copy_(s)),
}


@dataclass(frozen=True)
class StackedLayer:
    """An affine layer of R networks as one: the names of its parameters, its widths and what follows it."""

    weight: str
    bias: str | None
    inputs: int
    outputs: int
    activation: InPlaceActivation

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


def stacked_layers(net: nn.Module) -> list[StackedLayer] | None:
    """The layers of an `MLP` with activations that are known here; None for any other network, subclasses included."""
    if type(net) is not MLP:
        return None
    try:
        layers = reading(net).require("linear", plain=True)
    except InputError:
        return None
    if not ACTIVATIONS.keys() >= {layer.activation for layer in layers}:
        return None
    return [_stacked(layer) for layer in layers]


def _stacked(layer: Layer) -> StackedLayer:
    assert layer.weight_name is not None
    return StackedLayer(layer.weight_name, layer.bias_name, layer.inputs, layer.outputs, ACTIVATIONS[layer.activation])
