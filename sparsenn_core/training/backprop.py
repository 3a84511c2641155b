"""Mean squared error of fully connected networks and its gradient, written out and computed in place.

Automatic differentiation makes new tensors for all intermediate values; where a batch is large, moving them through
memory takes longer than the arithmetic. Here one tile of samples after the other passes through all networks and back,
in buffers that are made once and that a processor's cache holds. The formulas are those of Rumelhart, Hinton &
Williams 1986, Nature 323 (recalled).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn

from sparsenn_core.errors import InputError
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
    """The layers of an `MLP` with activations that are known here; None for any other network."""
    if not isinstance(net, MLP):
        return None
    linear = cast("list[nn.Linear]", list(net.layers))
    following = [type(net.activation)] * (len(linear) - 1) + [type(net.last_activation)]
    if not ACTIVATIONS.keys() >= set(following):
        return None
    names = [(f"layers.{i}.weight", None if one.bias is None else f"layers.{i}.bias") for i, one in enumerate(linear)]
    return [
        Layer(*name, one.in_features, one.out_features, ACTIVATIONS[kind])
        for name, one, kind in zip(names, linear, following, strict=True)
    ]


def whole_lines(samples: int) -> int:
    """`samples` rounded down so that rows start at the start of a cache line: a multiple of 16, if not less."""
    return samples if samples < 16 else samples - samples % 16


class Passage:
    """The way of a tile of samples through one layer and back, in buffers [R, features, samples].

    `below` is what the layer sees. `above` receives what it puts out and, on the way back, the slope of the loss in its
    affine sums. The scratch buffer `sums` holds these sums on the way up and the slope in `above` on the way back.
    """

    def __init__(self, layer: Layer, below: Tensor, sums: Tensor, above: Tensor, slope_below: Tensor | None) -> None:
        self.below, self.sums, self.above, self.slope_below = below, sums, above, slope_below
        self.activation = layer.activation
        self.factors = (below, above.mT) if layer.turned else (above, below.mT)
        # with one output the product is an outer one, for which multiplying is faster
        self.times = torch.mul if layer.outputs == 1 else torch.bmm

    def push(self, matrix: Tensor) -> None:
        """From `below` to `above`."""
        self.activation.push(torch.bmm(matrix, self.below, out=self.sums), self.above)

    def pull(self, weight_t: Tensor, total: Tensor, keep: int) -> None:
        """From the slope in `above`, held by `sums`, to those in the matrix, added to keep * total, and in `below`."""
        self.activation.pull(self.sums, self.above)
        total.baddbmm_(*self.factors, beta=keep)
        if self.slope_below is not None:
            self.times(weight_t, self.above, out=self.slope_below)


class Buffers:
    """Room for `samples` samples of `runs` networks; tiles of one size share it."""

    def __init__(self, layers: list[Layer], runs: int, samples: int, like: Tensor) -> None:
        self.layers = layers
        self.below = [like.new_ones(runs, layer.seen, samples) for layer in layers[1:]]
        hidden = [h[:, : layer.inputs] for h, layer in zip(self.below, layers[1:], strict=True)]
        self.above = [*hidden, like.new_empty(runs, layers[-1].outputs, samples)]
        scratch = like.new_empty(max(layer.outputs for layer in layers) * runs * samples)
        shapes = [(runs, layer.outputs, samples) for layer in layers]
        self.sums = [scratch[: math.prod(shape)].view(shape) for shape in shapes]

    def passages(self, inputs: Tensor) -> list[Passage]:
        """The way of `inputs`, layer by layer."""
        slopes = [None, *self.sums[:-1]]
        return [
            Passage(*parts)
            for parts in zip(self.layers, [inputs, *self.below], self.sums, self.above, slopes, strict=True)
        ]


class Backprop:
    """The loss of every run and its gradient.

    Called with the parameters, inputs x and targets y, [n, ...] for all runs or [R, n, ...]; returns the gradients by
    name and the losses [R], means over samples and outputs. Cost: 6 n R operations a weight; in memory the activations
    of `tile` samples (None: of all) and a copy of the data, made when x or y are other tensors than the time before.
    """

    def __init__(self, layers: list[Layer], tile: int | None = None) -> None:
        self.layers = layers
        self.tile = tile
        self.laid_out: tuple[Tensor, Tensor, int] | None = None
        self.tiles: list[tuple[list[Passage], Tensor]] = []

    def __call__(self, params: Params, x: Tensor, y: Tensor) -> tuple[Params, Tensor]:
        matrices = [layer.matrix(params) for layer in self.layers]
        weights_t = [params[layer.weight].mT for layer in self.layers]
        runs = len(matrices[0])
        old = self.laid_out
        if old is None or old[0] is not x or old[1] is not y or old[2] != runs:
            self.tiles = self._lay_out(x, y, runs)
            self.laid_out = (x, y, runs)
        totals = [layer.total(matrix) for layer, matrix in zip(self.layers, matrices, strict=True)]
        losses = x.new_empty(runs, 1, 1)
        count = y.shape[-2] * y.shape[-1]
        # on the way back a residual stands for its slope, 2 / count of it
        weights_t[-1] = weights_t[-1] * (2 / count)
        for number, (passages, targets) in enumerate(self.tiles):
            keep = int(number > 0)  # the first tile writes over what was there
            for passage, matrix in zip(passages, matrices, strict=True):
                passage.push(matrix)
            last = passages[-1]
            residual = torch.sub(last.above, targets, out=last.sums).view(runs, 1, -1)
            losses.baddbmm_(residual, residual.mT, beta=keep)
            for passage, weight_t, total in zip(passages[::-1], weights_t[::-1], totals[::-1], strict=True):
                passage.pull(weight_t, total, keep)
        totals[-1] *= 2 / count
        grads: Params = {}
        for layer, total in zip(self.layers, totals, strict=True):
            grads |= layer.parts(total.mT if layer.turned else total)
        return grads, losses.flatten() / count

    def _lay_out(self, x: Tensor, y: Tensor, runs: int) -> list[tuple[list[Passage], Tensor]]:
        """The samples cut into tiles, features first."""
        wanted = (*x.shape[:-1], self.layers[-1].outputs)
        if y.shape != wanted:
            raise InputError(f"the networks give outputs {wanted}, targets {tuple(y.shape)} do not fit")
        size = x.shape[-2] if self.tile is None else whole_lines(self.tile)
        buffers: dict[int, Buffers] = {}
        tiles = []
        first = self.layers[0]
        for x_part, y_part in zip(x.split(size, -2), y.split(size, -2), strict=True):
            count = x_part.shape[-2]
            inputs = x.new_ones(*x_part.shape[:-2], first.seen, count)
            inputs[..., : first.inputs, :] = x_part.mT
            if count not in buffers:
                buffers[count] = Buffers(self.layers, runs, count, x)
            tiles.append((buffers[count].passages(inputs.expand(runs, -1, -1)), y_part.mT.contiguous()))
        return tiles
