"""The distance of two tanh networks up to permutations and sign flips of their hidden units."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from sparsenn_core.errors import InputError
from sparsenn_core.networks import Layer, reading
from sparsenn_core.randomness import generator
from sparsenn_core.recovery.matching import ENUMERATE_UP_TO, matched
from sparsenn_core.recovery.quotient_bound import least_distance
from sparsenn_core.recovery.separation import separation
from sparsenn_core.recovery.weight_arrays import WeightArrays, arrays_of_layers


@dataclass(frozen=True)
class QuotientDistance:
    """What `quotient_distance` returns; `float()` gives the distance.

    distance   Euclidean norm (not its square) of the parameters of a minus those of b, b's units arranged like a's
    certified  whether no arrangement is closer; else `distance` is an upper bound
    lower      a lower bound of the least distance, by proof (`least_distance`); `distance` itself where certified
    aligned    b's parameters so arranged, float64, in the order and shapes of `b.parameters()`
    """

    distance: float
    certified: bool
    lower: float
    aligned: list[Tensor]

    def __float__(self) -> float:
        return self.distance


def tanh_layers(net: nn.Module) -> tuple[Layer, ...]:
    """The layers of a fully connected network with tanh after every hidden layer; `InputError` for any other."""
    read = reading(net)
    layers = read.require("linear", plain=True)
    hidden = read.hidden_activation
    if hidden != "tanh":
        raise InputError(f"{read.of}: the sign symmetry needs tanh after every hidden layer, not {hidden}")
    return layers


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

    `a`, `b`: any fully connected networks with tanh after every hidden layer that `networks.reading` reads, of any
    depth and widths, with biases or none. Where every second hidden layer has no more than `enumerate_up_to` signed
    permutations (units! * 2^units), the minimum is found exactly; one hidden layer is always exact. Elsewhere
    alternating assignments, each exact for one layer, descend from b as it is, from the assignment of the hidden
    activations on `inputs` [n, features] (default: 400 points uniform in [-1, 1]), and from `starts` random elements
    drawn from `seed`; the best counts. It is certified if it is below half of a's or b's distance from its own copies
    (`separation`). Two networks with parameters unlike each other end in different local minima for different starts,
    so read an uncertified distance as the upper bound that it is, and `lower` for what no arrangement is below. Cost
    for two `MLP`s with two hidden layers of 25 units: 2 ms where b as it is is certified, 6 ms where the first two
    starts are, else some 25 ms with 8 random starts and the lower bound.
    """
    ours, theirs = tanh_layers(a), tanh_layers(b)
    target, source = arrays_of_layers(ours), arrays_of_layers(theirs)
    first, second = [[(layer.outputs, layer.inputs, layer.bias is not None) for layer in net] for net in (ours, theirs)]
    if first != second:
        raise InputError(f"the networks have layers of different shapes (outputs, inputs, bias): {first} and {second}")
    if not np.isfinite(target.squared_norm() + source.squared_norm()).all():
        raise InputError("quotient_distance: a parameter is not a finite number")
    enough = separation(target) / 2
    distance = float(np.sqrt(target.squared_distance(source)[0]))
    if distance < enough:
        return QuotientDistance(distance, True, distance, _parameters(source, theirs, b))
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
    lower = distance if certified else least_distance(target, source)
    return QuotientDistance(distance, certified, lower, _parameters(moved, theirs, b))


def _parameters(arrays: WeightArrays, layers: Sequence[Layer], net: nn.Module) -> list[Tensor]:
    """The arrays' one run as tensors in the order of `net.parameters()`."""
    values: dict[str | None, Tensor] = {}
    for weight, bias, layer in zip(arrays.weights, arrays.biases, layers, strict=True):
        values[layer.weight_name] = torch.from_numpy(weight[0, :, :, 0].copy())
        values[layer.bias_name] = torch.from_numpy(bias[0].copy())
    return [values[name] for name, _ in net.named_parameters()]
