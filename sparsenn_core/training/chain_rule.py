"""The gradient of fully connected networks on minibatches, written out: the chain rule, layer by layer.

Automatic differentiation records every operation and makes a tensor for every slope. On minibatches of a few dozen
samples the recording takes as long as the arithmetic, and for wide layers the fresh tensors do. Here the slopes of the
weights are written where the optimizer reads them.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from sparsenn_core.networks import Layer
from sparsenn_core.penalties import Params

_aten = torch.ops.aten

SMALL = 2**13
"""Numbers of a weight that are copied in about the time of a call."""

ACTIVATIONS: dict[str, tuple[Callable[[Tensor], Tensor], Callable[[Tensor, Tensor], Tensor]]] = {
    "relu": (torch.relu_, lambda slope, out: _aten.threshold_backward(slope, out, 0)),
    "tanh": (torch.tanh_, lambda slope, out: _aten.tanh_backward(slope, out)),
    "sigmoid": (torch.sigmoid_, lambda slope, out: _aten.sigmoid_backward(slope, out)),
    "linear": (lambda z: z, lambda slope, out: slope),
}
"""Of each activation: itself, in place, and the slope in its input from the slope in its output and the output."""


def is_chain(layers: tuple[Layer, ...]) -> bool:
    """Whether the layers are fully connected, with activations known here and nothing between them."""
    return all(
        layer.kind == "linear" and layer.plain and layer.activation in ACTIVATIONS and not layer.after
        for layer in layers
    ) and not any(operation.name != "flatten" for operation in layers[0].before)


def gradients(
    layers: tuple[Layer, ...],
    loss: Callable[[Tensor, Tensor], tuple[Tensor, Tensor]],
    params: Params,
    x: Tensor,
    y: Tensor,
    into: Params,
) -> Tensor:
    """Write the slopes of every run's loss in all weights and biases `into` tensors like them; returns losses [R].

    `loss` maps outputs and targets [R, n, ...] to losses [R] and their slopes in the outputs; x is [R, n, ...].
    """
    flat = x.flatten(2) if layers[0].before else x
    seen = [flat]  # by each layer, and at last the outputs
    for layer in layers:
        weight_t = params[str(layer.weight_name)].mT
        if layer.bias_name is None:
            z = torch.bmm(seen[-1], weight_t)
        else:
            z = torch.baddbmm(params[layer.bias_name].unsqueeze(1), seen[-1], weight_t)
        seen.append(ACTIVATIONS[layer.activation][0](z))
    losses, slope = loss(seen[-1], y)
    for number in reversed(range(len(layers))):
        layer = layers[number]
        slope = ACTIVATIONS[layer.activation][1](slope, seen[number + 1])
        _multiply(slope.mT, seen[number], into[str(layer.weight_name)])
        if layer.bias_name is not None:
            torch.sum(slope, 1, out=into[layer.bias_name])
        if number:
            slope = torch.bmm(slope, params[str(layer.weight_name)])
    return losses


def _multiply(a: Tensor, b: Tensor, into: Tensor) -> None:
    """Products of all runs [R, m, k] x [R, k, n] into [R, m, n], which lie apart: there PyTorch goes run by run, and
    for small ones calling takes longer than copying."""
    if into[0].numel() > SMALL:
        torch.bmm(a, b, out=into)
    else:
        into.copy_(torch.bmm(a, b))
