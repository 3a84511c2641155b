"""A tree CNN written as the fully connected network that computes the same function."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from sparsenn_core.errors import InputError
from sparsenn_core.networks.cnn import SplitFilterCNN
from sparsenn_core.networks.reading import reading


def _block_layer(filters: Tensor, positions: int) -> Tensor:
    """The matrix [positions * out, positions * kernel * in] of one disjoint convolution.

    `filters` is [positions, out, in, kernel]. Units are ordered by position first, then channel: unit (p, o) reads
    inputs (p * kernel + t, i).
    """
    _, out, inside, kernel = filters.shape
    matrix = filters.new_zeros(positions * out, positions * kernel * inside)
    for p in range(positions):
        rows, columns = p * out, p * kernel * inside
        # [out, in, kernel] -> [out, kernel, in]: neighbours in the input are the channels of one position
        matrix[rows : rows + out, columns : columns + kernel * inside] = filters[p].transpose(1, 2).flatten(1)
    return matrix


def _filters(network: nn.Module) -> list[Tensor]:
    """Each layer's filters [positions, out, in, kernel], first layer first."""
    if isinstance(network, SplitFilterCNN):
        first, second, last = (p.detach()[:, None, None, :] for p in (network.first, network.second, network.last))
        return [torch.cat([first, first]), second, last]
    layers = reading(network).require("disjoint conv")
    if layers[-1].output_shape[1:] != (1,):
        raise InputError(f"{type(network).__name__}: its last layer has {layers[-1].output_shape[1:]} positions, not 1")
    return [layer.weight.expand(layer.output_shape[1], *layer.weight.shape) for layer in layers]


def embed(network: nn.Module) -> list[Tensor]:
    """The weight matrices [out, in] of the fully connected network equal to a tree CNN without biases.

    For a filter of kernel k at position p: W[p * out + o, (p * k + t) * in + i] = filter[o, i, t]. The baseline
    teacher becomes 12-4-2-1 with 12 / 4 / 2 non-zeros, the multi-channel one 12-16-8-1.
    """
    if any(p.ndim == 1 for p in network.parameters()):
        raise InputError("only networks without biases can be embedded")
    return [_block_layer(filters, filters.shape[0]) for filters in _filters(network)]
