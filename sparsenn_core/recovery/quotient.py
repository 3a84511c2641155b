"""The distance of two tanh networks up to permutations and sign flips of their hidden units."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from sparsenn_core.errors import InputError
from sparsenn_core.networks import MLP
from sparsenn_core.randomness import generator
from sparsenn_core.recovery.matching import ENUMERATE_UP_TO, matched
from sparsenn_core.recovery.separation import separation
from sparsenn_core.recovery.weight_arrays import WeightArrays, read_module


@dataclass(frozen=True)
class QuotientDistance:
    """What `quotient_distance` returns; `float()` gives the distance.

    distance   Euclidean norm (not its square) of the parameters of a minus those of b, b's units arranged like a's
    certified  whether no arrangement is closer; else `distance` is an upper bound
    aligned    b's parameters so arranged, float64, in the order and shapes of `b.parameters()`
    """

    distance: float
    certified: bool
    aligned: list[Tensor]

    def __float__(self) -> float:
        return self.distance


def linear_layers(net: nn.Module) -> list[nn.Linear]:
    """The layers of a fully connected network, `MLP` or `nn.Sequential` of `nn.Linear` and activations."""
    if not isinstance(net, (MLP, nn.Sequential)):
        raise InputError(f"need an MLP or an nn.Sequential of nn.Linear layers, not {type(net).__name__}")
    children = (net.layers if isinstance(net, MLP) else net).children()
    layers = [m for m in children if isinstance(m, nn.Linear)]
    if len(layers) < 2:
        raise InputError(f"a network of {len(layers)} nn.Linear layer(s) has no hidden units; need two or more")
    return layers


def read_tanh_mlp(net: nn.Module) -> WeightArrays:
    """The weight arrays of a fully connected network with tanh after every hidden layer; `InputError` for any other."""
    count = len(linear_layers(net))
    if isinstance(net, MLP):
        kinds = [type(net.activation).__name__] * (count - 1)
    else:
        names = [type(m).__name__ for m in net.children()]
        wanted = ["Linear", "Tanh"] * (count - 1) + ["Linear"]
        if names not in (wanted, [*wanted, "Tanh"]):
            raise InputError(f"need nn.Linear and nn.Tanh in turn, not {', '.join(names)}")
        kinds = ["Tanh"] * (count - 1)
    if any(kind != "Tanh" for kind in kinds):
        raise InputError(f"the sign symmetry needs tanh after every hidden layer, not {kinds[0]}")
    return read_module(net)


def quotient_distance(
    a: nn.Module,
    b: nn.Module,
    *,
    starts: int = 8,
    inputs: Tensor | None = None,
    seed: int = 0,
    enumerate_up_to: int = ENUMERATE_UP_TO,
) -> QuotientDistance:
    """min over g of ||theta_a - g theta_b||: g permutes and flips the hidden units of two tanh networks of one shape.

    `a`, `b`: `MLP`, or `nn.Sequential` of `nn.Linear` and `nn.Tanh` in turn, any depth and widths, biases or none.
    Where every second hidden layer has no more than `enumerate_up_to` signed permutations (units! * 2^units), the
    minimum is found exactly; one hidden layer is always exact. Elsewhere alternating assignments, each exact for one
    layer, descend from b as it is, from the assignment of the hidden activations on `inputs` [n, features] (default:
    400 points uniform in [-1, 1]), and from `starts` random elements drawn from `seed`; the best counts. It is
    certified if it is below half of a's or b's distance from its own copies (`separation`). Two networks with
    parameters unlike each other end in different local minima for different starts, so read an uncertified distance
    as what it is. Cost for two hidden layers of 25 units: 1 ms where b as it is is certified, 5 ms where the first two
    starts are, else some 15 ms with 8 random starts.
    """
    target, source = read_tanh_mlp(a), read_tanh_mlp(b)
    shapes = [[tuple(p.shape) for p in net.parameters()] for net in (a, b)]
    if shapes[0] != shapes[1]:
        raise InputError(f"the networks have parameters of different shapes: {shapes[0]} and {shapes[1]}")
    if not np.isfinite(target.squared_norm() + source.squared_norm()).all():
        raise InputError("quotient_distance: a parameter is not a finite number")
    enough = separation(target) / 2
    distance = float(np.sqrt(target.squared_distance(source)[0]))
    if distance < enough:
        return QuotientDistance(distance, True, _parameters(source, b))
    if inputs is None:
        features = target.weights[0].shape[2]
        inputs = 2 * torch.rand(400, features, generator=generator(0, "alignment"), dtype=torch.float64) - 1
    x = inputs.detach().cpu().double().numpy()
    enough = max(enough, separation(source) / 2)
    for k in dict.fromkeys((0, starts)):
        moved, exact = matched(
            target, source, "tanh", signed=True, inputs=x, starts=k, seed=seed, enumerate_up_to=enumerate_up_to
        )
        distance = float(np.sqrt(target.squared_distance(moved)[0]))
        certified = bool(exact[0]) or distance < enough
        # nothing can be closer, so the random starts are left out
        if certified:
            break
    return QuotientDistance(distance, certified, _parameters(moved, b))


def _parameters(arrays: WeightArrays, like: nn.Module) -> list[Tensor]:
    values = []
    for weight, bias, layer in zip(arrays.weights, arrays.biases, linear_layers(like), strict=True):
        values.append(torch.from_numpy(weight[0, :, :, 0].copy()))
        if layer.bias is not None:
            values.append(torch.from_numpy(bias[0].copy()))
    return values
