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
from sparsenn_core.randomness import generator


def vv_norm(network: nn.Module) -> float:
    """sum_k ||v_k||_2 ||(w_k, b_k)||_2 of a network with layers Linear, ReLU, Linear (an output bias is free)."""
    hidden, output = layers(network)
    return float((_incoming(hidden) * _outgoing(output)).sum())


def half_squares(network: nn.Module) -> float:
    """(||W||^2 + ||b||^2 + ||V||^2) / 2, what weight decay pays: at least `vv_norm`, equal for a balanced network."""
    hidden, output = layers(network)
    return float((_incoming(hidden).square() + _outgoing(output).square()).sum()) / 2


def balance(network: nn.Module) -> nn.Module:
    """A copy that computes the same function with ||wbar_k|| = ||v_k|| for every unit; dead units become zero."""
    balanced = copy.deepcopy(network)
    hidden, output = layers(balanced)
    incoming, outgoing = _incoming(hidden), _outgoing(output)
    alive = (incoming > 0) & (outgoing > 0)
    target = (incoming * outgoing).sqrt()
    into = torch.where(alive, target / incoming.where(alive, 1.0), 0.0)
    out_of = torch.where(alive, target / outgoing.where(alive, 1.0), 0.0)
    with torch.no_grad():
        hidden.weight.mul_(into[:, None].to(hidden.weight.dtype))
        if hidden.bias is not None:
            hidden.bias.mul_(into.to(hidden.weight.dtype))
        output.weight.mul_(out_of.to(hidden.weight.dtype))
    return balanced


def layers(network: nn.Module) -> tuple[nn.Linear, nn.Linear]:
    """The two Linear layers, or an `InputError` if the module computes anything but output(relu(hidden(x)))."""
    linear = [module for module in network.modules() if isinstance(module, nn.Linear)]
    if len(linear) != 2 or linear[0].out_features != linear[1].in_features:
        sizes = [(layer.in_features, layer.out_features) for layer in linear]
        raise InputError(f"a network of two Linear layers that fit is needed; Linear layers found: {sizes}")
    hidden, output = linear
    # probing finds functional activations, residual paths and dropout, which the module tree does not show
    weight = hidden.weight
    x = torch.randn(16, hidden.in_features, generator=generator(0, "probe")).to(weight.device, weight.dtype)
    with torch.no_grad():
        expected = output(torch.relu(hidden(x)))
        found = network(x)
    tolerance = 1e-4 if weight.dtype != torch.float64 else 1e-10
    if found.shape != expected.shape or not torch.allclose(found, expected, rtol=tolerance, atol=tolerance):
        raise InputError("the network does not compute Linear(relu(Linear(x))): the VV norm is not defined for it")
    return hidden, output


def _incoming(hidden: nn.Linear) -> Tensor:
    weight = hidden.weight.detach().double()
    wbar = weight if hidden.bias is None else torch.cat([weight, hidden.bias.detach().double()[:, None]], 1)
    return wbar.norm(dim=1)


def _outgoing(output: nn.Linear) -> Tensor:
    return output.weight.detach().double().norm(dim=0)
