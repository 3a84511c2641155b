"""Mean squared error of fully connected networks and its gradient, written out and computed in place.

Automatic differentiation makes new tensors for all intermediate values; where a batch is large, moving them through
memory takes longer than the arithmetic. Here one tile of samples after the other passes through all networks and back,
in buffers that are made once and that a processor's cache holds. The formulas are those of Rumelhart, Hinton &
Williams 1986, Nature 323 (recalled).
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import torch
from torch import Tensor

from sparsenn_core.errors import InputError
from sparsenn_core.penalties import Params
from sparsenn_core.training.stacked_layers import StackedLayer

CACHED = 100_000
"""About so many activations of the widest layer at a time: a processor's second cache holds those of all layers."""

TILED = 10_000
"""About so many of one run: fewer make products of too few columns, more leave room for too few runs."""


class Passage:
    """The way of a tile of samples through one layer and back, in buffers [R, features, samples].

    `below` is what the layer sees. `above` receives what it puts out and, on the way back, the slope of the loss in its
    affine sums. The scratch buffer `sums` holds these sums on the way up and the slope in `above` on the way back.
    """

    def __init__(
        self, layer: StackedLayer, below: Tensor, sums: Tensor, above: Tensor, slope_below: Tensor | None
    ) -> None:
        self.below, self.sums, self.above, self.slope_below = below, sums, above, slope_below
        self.activation = layer.activation
        self.factors = (below, above.mT) if layer.turned else (above, below.mT)
        # with one output the product is an outer one, for which multiplying is faster
        self.times = torch.mul if layer.outputs == 1 else torch.bmm

    def push(self, matrix: Tensor) -> None:
        """From `below` to `above`."""
        self.activation.push(torch.bmm(matrix, self.below, out=self.sums), self.above)

    def pull(self, weight_t: Tensor, total: Tensor, keep: int, share: float) -> None:
        """From the slope in `above`, held by `sums`, to that in the matrix and that in `below`.

        `share` times the former is added to keep * `total`.
        """
        self.activation.pull(self.sums, self.above)
        total.baddbmm_(*self.factors, beta=keep, alpha=share)
        if self.slope_below is not None:
            self.times(weight_t, self.above, out=self.slope_below)


class Buffers:
    """Room for `samples` samples of `runs` networks; tiles of one size share it."""

    def __init__(self, layers: list[StackedLayer], runs: int, samples: int, like: Tensor) -> None:
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


def tile_size(samples: int, tile: int) -> int:
    """The size of about equal tiles of at most `tile` of the samples; a multiple of 16 if `tile` is 16 or more.

    Rows of such tiles start at the start of a cache line.
    """
    line = 16 if tile >= 16 else 1
    count = -(-samples // (tile - tile % line))
    return -(-samples // (count * line)) * line


def run_groups(runs: int, least: int) -> list[slice]:
    """Runs in groups of about equal size, each of `least` or more where there are as many."""
    count = max(1, runs // least)
    ends = [i * runs // count for i in range(count + 1)]
    return [slice(start, stop) for start, stop in itertools.pairwise(ends)]


@dataclass(frozen=True)
class Tile:
    """Some samples of some runs: the passages through all layers, first layer first, and the targets."""

    passages: list[Passage]
    targets: Tensor

    def up(self, matrices: list[Tensor], losses: Tensor, keep: int) -> None:
        """Write keep * `losses` plus the squared errors [R, 1, 1] to `losses`."""
        for passage, matrix in zip(self.passages, matrices, strict=True):
            passage.push(matrix)
        last = self.passages[-1]
        residual = torch.sub(last.above, self.targets, out=last.sums).view(len(losses), 1, -1)
        losses.baddbmm_(residual, residual.mT, beta=keep)

    def down(self, weights_t: list[Tensor], totals: list[Tensor], keep: int, share: float) -> None:
        """After `up`: write keep * `totals` plus the gradients to `totals`.

        The slope of the loss in the outputs is `share` times the residual; the last of `weights_t` has this factor.
        """
        for passage, weight_t, total in zip(self.passages[::-1], weights_t[::-1], totals[::-1], strict=True):
            passage.pull(weight_t, total, keep, share)
            share = 1.0


class Backprop:
    """The losses of all runs [R] and their gradients by name: mean squared errors over samples and outputs.

    Inputs x and targets y are [n, features] for all runs if `shared`, else [R, n, features]. They are taken `tile`
    samples at a time (default: about 10,000 activations of the widest layer), of as many runs as a cache holds. Cost: 6
    n R operations a weight, 2 n R without gradients; in memory the activations of a tile and a copy of the data, made
    when x or y are other tensors than the time before.
    """

    def __init__(self, layers: list[StackedLayer], *, shared: bool, tile: int | None = None) -> None:
        self.layers = layers
        self.shared = shared
        self.widest = max(layer.outputs for layer in layers)
        self.tile = tile or max(16, TILED // self.widest)
        self.laid_out: tuple[Tensor, Tensor, int] | None = None
        self.groups: list[tuple[slice, list[Tile]]] = []

    def losses(self, params: Params, x: Tensor, y: Tensor) -> Tensor:
        """The losses alone."""
        matrices, losses = self._begin(params, x, y)
        for group, tiles in self.groups:
            own_matrices, own_losses = [m[group] for m in matrices], losses[group]
            for number, tile in enumerate(tiles):
                tile.up(own_matrices, own_losses, keep=int(number > 0))
        return losses.flatten() / (y.shape[-2] * y.shape[-1])

    def gradients(self, params: Params, x: Tensor, y: Tensor) -> tuple[Params, Tensor]:
        """Gradients and losses."""
        matrices, losses = self._begin(params, x, y)
        count = y.shape[-2] * y.shape[-1]
        weights_t = [params[layer.weight].mT for layer in self.layers]
        share = 2 / count
        weights_t[-1] = weights_t[-1] * share
        totals = [layer.total(matrix) for layer, matrix in zip(self.layers, matrices, strict=True)]
        for group, tiles in self.groups:
            own_matrices, own_weights_t, own_totals = ([w[group] for w in ws] for ws in (matrices, weights_t, totals))
            own_losses = losses[group]
            for number, tile in enumerate(tiles):
                tile.up(own_matrices, own_losses, keep=int(number > 0))
                tile.down(own_weights_t, own_totals, int(number > 0), share)
        grads: Params = {}
        for layer, total in zip(self.layers, totals, strict=True):
            grads |= layer.parts(total.mT if layer.turned else total)
        return grads, losses.flatten() / count

    def _begin(self, params: Params, x: Tensor, y: Tensor) -> tuple[list[Tensor], Tensor]:
        """Weights and biases of the layers, room for the losses [R, 1, 1]; the data are laid out."""
        matrices = [layer.matrix(params) for layer in self.layers]
        runs = len(matrices[0])
        old = self.laid_out
        if old is None or old[0] is not x or old[1] is not y or old[2] != runs:
            self.groups = self._lay_out(x, y, runs)
            self.laid_out = (x, y, runs)
        return matrices, x.new_empty(runs, 1, 1)

    def _lay_out(self, x: Tensor, y: Tensor, runs: int) -> list[tuple[slice, list[Tile]]]:
        """The samples cut into tiles, features first."""
        self._check(x, y, runs)
        size = tile_size(x.shape[-2], self.tile)
        groups = run_groups(runs, max(2, CACHED // (min(size, x.shape[-2]) * self.widest)))
        buffers: dict[tuple[int, int], Buffers] = {}
        laid_out = []
        for group in groups:
            tiles = []
            own_x, own_y = (data if self.shared else data[group] for data in (x, y))
            for x_part, y_part in zip(own_x.split(size, -2), own_y.split(size, -2), strict=True):
                shape = (group.stop - group.start, x_part.shape[-2])
                if shape not in buffers:
                    buffers[shape] = Buffers(self.layers, *shape, x)
                seen = self._features_first(x_part).expand(shape[0], -1, -1)
                tiles.append(Tile(buffers[shape].passages(seen), y_part.mT.contiguous()))
            laid_out.append((group, tiles))
        return laid_out

    def _check(self, x: Tensor, y: Tensor, runs: int) -> None:
        front = x.shape[:1] if self.shared else (runs, *x.shape[1:2])
        wanted = [(*front, self.layers[0].inputs), (*front, self.layers[-1].outputs)]
        for name, data, shape in zip(("inputs", "targets"), (x, y), wanted, strict=True):
            if data.shape != shape:
                raise InputError(f"the networks need {name} of shape {tuple(shape)}, not {tuple(data.shape)}")

    def _features_first(self, x: Tensor) -> Tensor:
        """What the first layer sees of samples x [..., n, inputs]."""
        first = self.layers[0]
        seen = x.new_ones(*x.shape[:-2], first.seen, x.shape[-2])
        seen[..., : first.inputs, :] = x.mT
        return seen
