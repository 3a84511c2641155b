"""A network as the bounds see it: layers, the nodes between them, and what lies outside of what they cover.

A node is one position with all its channels; a layer of units is one node. Source of the view: Galanti, Xu, Galanti and
Poggio 2023, as their public code has it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from sparsenn_core.errors import InputError
from sparsenn_core.networks import Layer, Operation, Reading, reading


@dataclass(frozen=True)
class Chain:
    """A network that was read, on samples of a known shape; made by `chain`.

    reading       the layers; called on samples it gives the network's outputs
    sample_shape  of one sample
    """

    reading: Reading
    sample_shape: tuple[int, ...]

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The layers with weights, first one first."""
        return self.reading.layers

    @property
    def depth(self) -> int:
        """Number of layers with weights, the last one included."""
        return len(self.layers)

    @property
    def outputs(self) -> int:
        """Number of outputs; 1 is a binary classifier, the sign of whose output is the label."""
        return self.layers[-1].outputs

    @property
    def parameters(self) -> int:
        """Number of weights and biases, as they act: of a normalised weight its entries."""
        return sum(p.numel() for layer in self.layers for p in (layer.weight, layer.bias) if p is not None)

    def positions(self, place: int) -> int:
        """Number of nodes that feed layer `place` (0 is the first): positions before it is flattened."""
        return math.prod(self.nodes(place)[1:])

    def nodes(self, place: int) -> tuple[int, ...]:
        """The shape [channels, positions ...] of a sample before layer `place`, before it is flattened."""
        shape = self.sample_shape if place == 0 else self.layers[place - 1].output_shape
        h = torch.zeros(1, *shape, dtype=self.layers[0].weight.dtype)
        for operation in self.layers[place].before:
            if operation.name == "flatten":
                break
            h = operation.apply(h)
        return tuple(h.shape[1:])

    def degree(self, place: int) -> int:
        """Number of nodes that feed one node of layer `place`: positions in the kernel, or all for a linear layer."""
        layer = self.layers[place]
        return self.positions(place) if layer.kind == "linear" else math.prod(layer.weight.shape[2:])

    def entered(self, x: Tensor) -> Tensor:
        """Samples as the first layer's nodes see them: after what comes before it, but not flattened."""
        for operation in self.layers[0].before:
            if operation.name == "flatten":
                break
            x = operation.apply(x)
        return x

    def uncovered(self, *, hidden: int = 0) -> str:
        """Why norm-based bounds for ReLU networks say nothing of this one; empty if they do.

        `hidden` is the number of hidden layers asked for at least.
        """
        for layer in self.layers:
            if layer.bias is not None:
                return f"layer {layer.name!r} has a bias"
        wrong = next((a for a in self.reading.activations[:-1] if a != "relu"), None)
        if wrong is not None:
            return f"the activation {wrong} is not relu" if wrong != "linear" else "two layers without relu between"
        if self.depth <= hidden:
            return f"it has {self.depth - 1} hidden layers, and {hidden} is needed"
        pools = [o for layer in self.layers for o in layer.after if "pool" in o.name]
        if any(o.name == "max pool" for o in pools):
            return "it has max pooling"
        shifted = any(o.name == "unflatten" for layer in self.layers for o in layer.after)
        return "units become positions between layers" if shifted else self._grown()

    @property
    def pooled(self) -> bool:
        """Whether there is pooling between layers."""
        return any("pool" in o.name for layer in self.layers for o in layer.after)

    def _grown(self) -> str:
        """A reason if an average pool gives some entry more than weight one in all, so that it may stretch vectors.

        A non-negative matrix has a spectral norm of at most the root of its largest row sum times its largest column
        sum, and an average has row sums of at most one.
        """
        for layer in self.layers:
            shape = layer.output_shape
            for operation in layer.after:
                if operation.name == "average pool" and _column_sum(operation, shape) > 1 + 1e-9:
                    return "an average pool counts an entry more than once in all"
                shape = tuple(operation.apply(torch.zeros(1, *shape)).shape[1:])
        return ""


def chain(model: nn.Module, x: Tensor) -> Chain:
    """The network as bounds see it, on samples like `x` [n, ...]; `InputError` for what `networks.reading` cannot read
    (residual additions, batch normalisation, ...) and unless its last layer is linear, with nothing after it.
    """
    read = reading(model, x)
    last = read.layers[-1]
    if last.kind != "linear" or last.activation != "linear":
        what = last.kind if last.kind != "linear" else f"followed by {last.activation}"
        raise InputError(f"{read.of}: bounds need a linear last layer, and {last.name!r} is {what}")
    return Chain(read, tuple(x.shape[1:]))


def _column_sum(operation: Operation, shape: tuple[int, ...]) -> float:
    """The largest column sum of the matrix of a pool on samples of this shape."""
    with torch.enable_grad():
        h = torch.zeros(1, *shape, dtype=torch.float64, requires_grad=True)
        (sums,) = torch.autograd.grad(operation.apply(h).sum(), h)
    return float(sums.max())
