"""Norms of the linear map that a layer is, not of its kernel: rows are output neurons, columns input neurons.

A convolution's map is the (Toeplitz) matrix that its stride, padding and dilation make of the kernel on images of the
size at hand. Its sums over rows come from one convolution of ones with the squared (or absolute) kernel. Biases are no
part of the map. Everything is computed in float64.
"""

from __future__ import annotations

import math
from dataclasses import replace

import torch
from torch import Tensor

from sparsenn_core.networks import Layer


def linear_map(layer: Layer) -> Layer:
    """The layer without its bias, in float64 on the CPU: what all norms here are about."""
    return replace(layer, weight=layer.weight.detach().double().cpu(), bias=None)


def difference(layer: Layer, reference: Layer | None) -> Layer:
    """The map of `layer` minus that of `reference`, a layer of the same kind and shape; None is the zero map."""
    own = linear_map(layer)
    return own if reference is None else replace(own, weight=own.weight - reference.weight.detach().double().cpu())


def dense(layer: Layer) -> Tensor:
    """The matrix of the map, [output neurons, input neurons], float64. Memory: all its entries, zeros included."""
    own = linear_map(layer)
    columns = math.prod(layer.input_shape)
    units = torch.eye(columns, dtype=torch.float64).reshape(columns, *layer.input_shape)
    return own.affine(units).reshape(columns, -1).T


def frobenius(layer: Layer) -> float:
    """||A||_F, the root of the sum of all squares. Without padding it is the kernel's, times the root of positions."""
    return math.sqrt(float(_row_squares(layer).sum()))


def rows_l2(layer: Layer) -> float:
    """||A^T||_{2,1}: the sum over output neurons of the Euclidean norm of their row."""
    return float(_row_squares(layer).sqrt().sum())


def largest_row(layer: Layer) -> float:
    """||A||_{2,inf}: the largest Euclidean norm of a row."""
    return math.sqrt(float(_row_squares(layer).max()))


def one_inf(layer: Layer) -> float:
    """||A||_{1,inf}: the largest sum of a row's absolute values, the operator norm from l_inf to l_inf."""
    own = linear_map(layer)
    return float(_on_ones(replace(own, weight=own.weight.abs())).max())


def kernel_frobenius(layer: Layer) -> float:
    """The Frobenius norm of the kernel: of the weights of one node, where all positions share them."""
    return float(layer.weight.detach().double().norm())


def filters_l2(layer: Layer) -> float:
    """The sum over filters (output channels or units) of the Euclidean norm of all weights of the filter."""
    return float(layer.weight.detach().double().flatten(1).norm(dim=1).sum())


def taps_l2(layer: Layer) -> float:
    """The sum over output channels and positions in the kernel of the Euclidean norm over input channels."""
    return float(layer.weight.detach().double().norm(dim=1).sum())


def reshaped_spectral(layer: Layer) -> float:
    """The largest singular value of the kernel reshaped to [out, rest]. Often used for that of the map, which may be
    larger by up to the root of the number of kernel positions.
    """
    return float(torch.linalg.svdvals(layer.weight.detach().double().flatten(1))[0])


def _row_squares(layer: Layer) -> Tensor:
    """The squared Euclidean norm of each row, in the shape of a sample after the layer."""
    own = linear_map(layer)
    return _on_ones(replace(own, weight=own.weight.square()))


def _on_ones(layer: Layer) -> Tensor:
    return layer.affine(torch.ones(1, *layer.input_shape, dtype=torch.float64))[0]
