"""All that the bounds ask of a network and its data: norms of each layer, and a few sums over samples."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import torch
from torch import Tensor, nn

from sparsenn_core.bounds import norms
from sparsenn_core.bounds.chain import Chain, chain
from sparsenn_core.bounds.layer_norms import LayerNorms
from sparsenn_core.bounds.margins import checked_labels, error, margin_error, margins
from sparsenn_core.errors import InputError
from sparsenn_core.networks import Layer

BATCH = 256  # samples evaluated at once


@dataclass(frozen=True)
class Samples:
    """Sums over the data, as the network sees them; made by `Samples.of` in one pass.

    count          n
    margins        [n]
    total          sum_i ||x_i||^2
    largest        max_i ||x_i||
    largest_entry  max_i ||x_i||_inf
    coordinates    max over coordinates of sum_i x_i^2
    pixel          max over nodes of the input of sum_i ||x_i at the node||^2 (channels are summed)
    patch          max over the first layer's output nodes of sum_i ||the patch that feeds it||^2
    one_patch      max over samples and output nodes of ||the patch||
    nodes          number of nodes of the input
    patches        number of patches
    size           entries of a sample
    """

    count: int
    margins: Tensor
    total: float
    largest: float
    largest_entry: float
    coordinates: float
    pixel: float
    patch: float
    one_patch: float
    nodes: int
    patches: int
    size: int

    @classmethod
    def of(cls, network: Chain, x: Tensor, y: Tensor) -> Samples:
        """One pass over samples x [n, ...] with labels y [n]; sums in float64. Cost: one forward pass."""
        first = network.layers[0]
        dtype, device = first.weight.dtype, first.weight.device
        entries, pixels, patches = (torch.zeros((), device=device) for _ in range(3))
        found: list[Tensor] = []
        squares: list[Tensor] = []
        largest_entry = one_patch = 0.0
        for start in range(0, len(x), BATCH):
            rows = x[start : start + BATCH].to(device, dtype)
            found.append(margins(network.reading(rows).double(), y[start : start + BATCH].to(device)))
            entered = network.entered(rows).double()
            squared = entered.square()
            largest_entry = max(largest_entry, float(entered.abs().max()))
            squares.append(squared.flatten(1).sum(1))
            fed = _patch_squares(first, squared)
            entries = entries + squared.sum(0)
            pixels = pixels + _over_channels(squared).sum(0)
            patches = patches + fed.sum(0)
            one_patch = max(one_patch, math.sqrt(float(fed.max())))
        norms_squared = torch.cat(squares)
        return cls(
            len(x), torch.cat(found).cpu(), float(norms_squared.sum()), math.sqrt(float(norms_squared.max())),
            largest_entry, float(entries.max()), float(pixels.max()), float(patches.max()), one_patch,
            pixels.numel(), patches.numel(), entries.numel(),
        )  # fmt: skip


def _over_channels(squared: Tensor) -> Tensor:
    """Squares [n, channels, positions ...] summed over channels: [n, positions ...], or [n, 1] of vectors."""
    return squared.sum(1) if squared.ndim > 2 else squared.sum(1, keepdim=True)


def _patch_squares(first: Layer, squared: Tensor) -> Tensor:
    """The squared norm [n, patches] of what feeds each output node of the first layer."""
    if first.kind == "linear":
        return squared.flatten(1).sum(1, keepdim=True)
    one = first.weight.new_ones(1, 1, *first.weight.shape[2:]).double()
    return replace(first, weight=one, bias=None, groups=1).affine(squared.sum(1, keepdim=True)).flatten(1)


@dataclass(frozen=True)
class Measured:
    """A network with its data: what bounds are computed from. Made by `measure`."""

    network: Chain
    samples: Samples
    layers: tuple[LayerNorms, ...]
    gamma: float
    delta: float
    referred: bool

    @property
    def n(self) -> int:
        """Number of samples."""
        return self.samples.count

    @property
    def classes(self) -> int:
        """Number of outputs."""
        return self.network.outputs

    @property
    def hidden(self) -> tuple[LayerNorms, ...]:
        """All layers but the last."""
        return self.layers[:-1]

    @property
    def head(self) -> LayerNorms:
        """The last layer."""
        return self.layers[-1]

    @cached_property
    def margin_error(self) -> float:
        """The share of training margins below gamma."""
        return margin_error(self.samples.margins, self.gamma)

    @cached_property
    def training_error(self) -> float:
        """The share of training margins that are not positive."""
        return error(self.samples.margins)

    def log_product(self, norm: Callable[[LayerNorms], float], *, hidden: bool = False) -> float:
        """The logarithm of the product of a norm over all, or over the hidden, layers; -inf where one is zero."""
        return sum(log(norm(layer)) for layer in (self.hidden if hidden else self.layers))

    @cached_property
    def head_rows(self) -> float:
        """sum_c ||w^L_c||_2."""
        return norms.rows_l2(self.head.layer)

    @cached_property
    def head_nodes(self) -> float:
        """sum_c sum_j ||w^L_{c,j}||_2, j over the nodes before the last layer."""
        shape = self.network.nodes(self.network.depth - 1)
        weight = self.head.layer.weight.double()
        blocks = weight.reshape(len(weight), *shape) if len(shape) > 1 else weight
        return float(blocks.norm(dim=1).sum())


def log(value: float) -> float:
    """The natural logarithm; of zero -inf."""
    return math.log(value) if value > 0 else -math.inf


def measure(
    model: nn.Module, x: Tensor, y: Tensor, *, margin: float, delta: float, reference: nn.Module | None = None
) -> Measured:
    """Read the network and pass over the data once; refuses (`InputError`) what `table` says that it refuses."""
    _check(x, margin, delta)
    network = chain(model, x)
    y = checked_labels(y, network.outputs, len(x))
    starts = _reference(network, reference, x)
    samples = Samples.of(network, x, y)
    if not bool(samples.margins.isfinite().all()):
        raise InputError("the network's outputs on the data are not finite")
    layers = tuple(LayerNorms(own, start) for own, start in zip(network.layers, starts, strict=True))
    return Measured(network, samples, layers, float(margin), float(delta), reference is not None)


def _check(x: Tensor, margin: float, delta: float) -> None:
    if not isinstance(x, Tensor) or x.ndim < 2 or not x.dtype.is_floating_point:
        raise InputError("x must be a floating-point tensor of samples [n, ...]")
    if len(x) < 2:
        raise InputError(f"{len(x)} samples are too few; the bounds need at least 2")
    if not bool(x.isfinite().all()):
        raise InputError("x has entries that are not finite")
    if not (math.isfinite(margin) and margin > 0):
        raise InputError(f"margin {margin!r} is not above 0: no bound of this kind holds at margin 0")
    if not 0 < delta < 1:
        raise InputError(f"delta {delta!r} is not inside (0, 1); a confidence of 99.9 % is 0.001")


def _reference(network: Chain, reference: nn.Module | None, x: Tensor) -> tuple[Layer | None, ...]:
    if reference is None:
        return (None,) * network.depth
    layers = chain(reference, x).layers
    shapes = [tuple(layer.weight.shape) for layer in network.layers]
    if [tuple(layer.weight.shape) for layer in layers] != shapes:
        raise InputError("the reference has other layers than the network; give the network as it was initialized")
    return layers
