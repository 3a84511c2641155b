"""Weights of many networks of one shape as arrays: what every comparison of weights in this room works on.

A fully connected layer [out, in] is a convolution whose kernel has one tap, so that one array shape,
[runs, out, in, taps], serves `MLP` and `TreeCNN` alike: what a symmetry permutes, flips or rescales are the units
(channels), and a unit's filter is shared by all positions.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from sparsenn_core.errors import InputError, unknown
from sparsenn_core.networks import Layer, reading

Array = NDArray[np.float64]
ACTIVATIONS = ("relu", "sigmoid", "tanh")


@dataclass
class WeightArrays:
    """Weights [runs, out, in, taps] and biases [runs, out] (zeros where the networks have none), first layer first."""

    weights: list[Array]
    biases: list[Array]

    @property
    def runs(self) -> int:
        return len(self.weights[0])

    @property
    def hidden(self) -> list[int]:
        """Number of units of each hidden layer."""
        return [w.shape[1] for w in self.weights[:-1]]

    def select(self, index: Any) -> WeightArrays:
        """The runs at `index` (slice or integer array), copied."""
        return WeightArrays([w[index].copy() for w in self.weights], [b[index].copy() for b in self.biases])

    def copy(self) -> WeightArrays:
        """The same runs in arrays of their own."""
        return self.select(slice(None))

    def squared_distance(self, other: WeightArrays) -> Array:
        """Sum of squared differences over all weights and biases, one a run; either side may have one run only."""
        pairs = zip(self.weights + self.biases, other.weights + other.biases, strict=True)
        return np.sum([np.square(a - b).reshape(max(len(a), len(b)), -1).sum(1) for a, b in pairs], axis=0)

    def squared_norm(self) -> Array:
        """Sum of squares of all weights and biases, one a run."""
        return np.sum([np.square(a).reshape(len(a), -1).sum(1) for a in self.weights + self.biases], axis=0)

    def padded(self, hidden: Sequence[int]) -> WeightArrays:
        """Hidden layers widened to `hidden` units with zeros; the function of a network without biases is the same
        for relu and tanh, and for every activation in so far as the new units have no outgoing weights."""
        widths = [self.weights[0].shape[2], *hidden, self.weights[-1].shape[1]]
        weights, biases = [], []
        for w, b, before, after in zip(self.weights, self.biases, widths[:-1], widths[1:], strict=True):
            weights.append(np.pad(w, ((0, 0), (0, after - w.shape[1]), (0, before - w.shape[2]), (0, 0))))
            biases.append(np.pad(b, ((0, 0), (0, after - b.shape[1]))))
        return WeightArrays(weights, biases)


def known_activation(name: str) -> str:
    """`name` if symmetries are known for it, else `InputError`."""
    if name not in ACTIVATIONS:
        raise unknown("activation", name, ACTIVATIONS)
    return name


def weight_arrays(weights: Sequence[Tensor | Array], *, batched: bool) -> WeightArrays:
    """Arrays without biases from layer weights [out, in], or [out, in, taps], with a leading run axis if `batched`."""
    arrays = [_numbers(w) if isinstance(w, Tensor) else w for w in weights]
    full = []
    for number, w in enumerate(arrays, start=1):
        w = w if batched else w[None]
        if w.ndim not in (3, 4):
            raise InputError(
                f"weight {number} has shape {arrays[number - 1].shape}, not [out, in] or [out, in, taps] (no biases)"
            )
        full.append(np.array(w[..., None] if w.ndim == 3 else w))
    check_chain(full)
    return WeightArrays(full, [np.zeros(w.shape[:2]) for w in full])


def check_chain(weights: Sequence[Array]) -> None:
    """`InputError` unless the layers fit: outputs of one are the inputs of the next, and all have the same runs."""
    if len(weights) < 2:
        raise InputError(f"a network of {len(weights)} layer(s) has no hidden units to compare; need two or more")
    for number, (first, second) in enumerate(itertools.pairwise(weights), start=1):
        if first.shape[1] != second.shape[2] or len(first) != len(second):
            raise InputError(f"weights {number} and {number + 1} do not fit: {first.shape} then {second.shape}")


def arrays_of_layers(layers: Sequence[Layer]) -> WeightArrays:
    """The weight arrays, of one run, of layers that were read; zeros for biases where there are none."""
    weights = [_numbers(layer.weight).reshape(1, layer.outputs, layer.inputs, -1) for layer in layers]
    biases = [np.zeros(layer.outputs) if layer.bias is None else _numbers(layer.bias) for layer in layers]
    check_chain(weights)
    return WeightArrays(weights, [b[None] for b in biases])


def _numbers(tensor: Tensor) -> Array:
    return np.array(tensor.detach().cpu().double().numpy())


def layer_weights(network: nn.Module | Sequence[Tensor]) -> list[Tensor]:
    """The layer weights of a `TreeCNN` or a fully connected network without biases, read off a module or given."""
    if not isinstance(network, nn.Module):
        return list(network)
    layers = reading(network).require("linear", "disjoint conv")
    if len({layer.kind for layer in layers}) > 1:
        raise InputError(f"{type(network).__name__}: fully connected and convolutional layers are mixed")
    if any(layer.bias is not None for layer in layers):
        raise InputError(f"{type(network).__name__}: only networks without biases have a canonical form here")
    return [layer.weight for layer in layers]


def hidden_activation(network: nn.Module | Sequence[Tensor], name: str | None) -> str:
    """`name`, or the hidden activation read off a module; `InputError` unless it is relu, sigmoid or tanh."""
    if name is None and isinstance(network, nn.Module):
        name = reading(network).hidden_activation
        if name not in ACTIVATIONS:
            raise InputError(f"{type(network).__name__}: symmetries are known for {', '.join(ACTIVATIONS)}, not {name}")
    if name is None:
        raise InputError("name the activation (relu, sigmoid or tanh) of a network that is given as weights")
    return known_activation(name)


def apply_activation(name: str, z: Array) -> Array:
    """relu, sigmoid or tanh of `z`, elementwise."""
    if name == "relu":
        return np.maximum(z, 0.0)
    if name == "tanh":
        return np.tanh(z)
    return 0.5 * (1.0 + np.tanh(0.5 * z))


def hidden_activations(arrays: WeightArrays, activation: str, inputs: Array) -> list[Array]:
    """Outputs of every hidden layer on `inputs` [n, features]: one [runs, units, n * positions] a layer.

    A first layer with one input channel and several taps reads the features as one channel of that length
    (`TreeCNN`), any other reads a feature a channel (`MLP`).
    """
    n = len(inputs)
    first = arrays.weights[0]
    length = inputs.shape[1] // first.shape[2]
    h = np.broadcast_to(inputs.reshape(n, first.shape[2], length), (arrays.runs, n, first.shape[2], length))
    layers = []
    for w, b in zip(arrays.weights[:-1], arrays.biases[:-1], strict=True):
        runs, out, inside, taps = w.shape
        positions = h.shape[-1] // taps
        patches = h.reshape(runs, n, inside, positions, taps).transpose(0, 2, 4, 1, 3).reshape(runs, inside * taps, -1)
        z = w.reshape(runs, out, -1) @ patches + b[:, :, None]
        layers.append(apply_activation(activation, z))
        h = layers[-1].reshape(runs, out, n, positions).transpose(0, 2, 1, 3)
    return layers


def as_tensors(weights: Sequence[Array], like: Sequence[Tensor | Array], *, batched: bool) -> list[Tensor]:
    """Arrays [runs, out, in, taps] as float64 tensors with as many axes as `like` has, the run axis if `batched`."""
    out = []
    for w, reference in zip(weights, like, strict=True):
        layer = w if reference.ndim - int(batched) == 3 else w[..., 0]
        out.append(torch.from_numpy(np.ascontiguousarray(layer if batched else layer[0])))
    return out
