"""VV (variation) norm and neural balance of a two-layer ReLU network f(x) = c + sum_k v_k relu(w_k . x + b_k).

The bias counts as a weight: with wbar_k = (w_k, b_k) the VV norm is sum_k ||v_k||_2 ||wbar_k||_2 (Shenouda, Parhi,
Lee, Nowak 2023, arXiv:2305.16534). (wbar_k, v_k) -> (c wbar_k, v_k / c), c > 0, changes neither f nor the norm, and
(||wbar_k||^2 + ||v_k||^2) / 2 is least, and equal to the product, where both norms agree: weight decay pays the VV
norm.
"""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

from sparsenn_core.errors import InputError
from sparsenn_core.networks.layers import Layer
from sparsenn_core.networks.reading import reading


def vv_norm(network: nn.Module) -> float:
    """sum_k ||v_k||_2 ||(w_k, b_k)||_2 of a network with layers Linear, ReLU, Linear (an output bias is free)."""
    hidden, output = shallow_relu_layers(network)
    return float((_incoming(hidden) * _outgoing(output)).sum())


def half_squares(network: nn.Module) -> float:
    """(||W||^2 + ||b||^2 + ||V||^2) / 2, what weight decay pays: at least `vv_norm`, equal for a balanced network."""
    hidden, output = shallow_relu_layers(network)
    return float((_incoming(hidden).square() + _outgoing(output).square()).sum()) / 2


def balance(network: nn.Module) -> nn.Module:
    """A copy that computes the same function with ||wbar_k|| = ||v_k|| for every unit; dead units become zero."""
    balanced = copy.deepcopy(network)
    hidden, output = shallow_relu_layers(balanced, plain=True)
    incoming, outgoing = _incoming(hidden), _outgoing(output)
    alive = (incoming > 0) & (outgoing > 0)
    target = (incoming * outgoing).sqrt()
    into = torch.where(alive, target / incoming.where(alive, 1.0), 0.0)
    out_of = torch.where(alive, target / outgoing.where(alive, 1.0), 0.0)
    # a layer that was read shares the memory of its parameters
    hidden.weight.mul_(into[:, None].to(hidden.weight.dtype))
    if hidden.bias is not None:
        hidden.bias.mul_(into.to(hidden.weight.dtype))
    output.weight.mul_(out_of.to(hidden.weight.dtype))
    return balanced


def shallow_relu_layers(network: nn.Module, *, plain: bool = False) -> tuple[Layer, Layer]:
    """The two layers of a network that computes linear(relu(linear(x))), or an `InputError`; see `Reading.require`."""
    read = reading(network)
    layers = read.require("linear", plain=plain)
    if len(layers) != 2 or read.activations != ("relu", "linear"):
        chain = ", ".join(f"linear, {name}" if name != "linear" else "linear" for name in read.activations)
        raise InputError(f"{read.of}: the VV norm needs linear, relu, linear, not {chain}")
    hidden, output = layers
    return hidden, output


def _incoming(hidden: Layer) -> Tensor:
    weight = hidden.weight.double()
    wbar = weight if hidden.bias is None else torch.cat([weight, hidden.bias.double()[:, None]], 1)
    return wbar.norm(dim=1)


def _outgoing(output: Layer) -> Tensor:
    return output.weight.double().norm(dim=0)
