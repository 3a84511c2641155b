"""The convolutional networks of the L1 study: filters that do not overlap, so that the network is a tree."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn

from sparsenn_core.errors import InputError
from sparsenn_core.networks.initialization import activation_module, initialize_default_


class DisjointConv1d(nn.Module):
    """A one-dimensional convolution whose stride is its kernel size: `nn.Conv1d(..., stride=kernel, padding=0)`.

    Weight [out_channels, in_channels, kernel] as in `nn.Conv1d`; no bias unless asked for. Because patches do not
    overlap it is one matrix product, which stacks over many networks far better than a convolution does.
    Channels come first: input [in_channels, n, length], length a multiple of kernel; output
    [out_channels, n, length / kernel].
    """

    def __init__(self, in_channels: int, out_channels: int, kernel: int, *, bias: bool = False) -> None:
        super().__init__()
        self.kernel = kernel
        self.weight = nn.Parameter(torch.empty(out_channels, in_channels, kernel))
        self.bias = nn.Parameter(torch.empty(out_channels)) if bias else None

    def forward(self, x: Tensor) -> Tensor:
        channels, n, length = x.shape
        patches = x.reshape(channels, n * length // self.kernel, self.kernel).transpose(1, 2).flatten(0, 1)
        out = self.weight.flatten(1) @ patches
        if self.bias is not None:
            out = out + self.bias[:, None]
        return out.unflatten(1, (n, length // self.kernel))

    def extra_repr(self) -> str:
        out_channels, in_channels, kernel = self.weight.shape
        return f"{in_channels}, {out_channels}, kernel={kernel}, bias={self.bias is not None}"


class TreeCNN(nn.Module):
    """A stack of `DisjointConv1d` layers with an activation after each.

    `channels` has one entry more than `kernels`; the input is a vector of length prod(kernels) seen as one channel,
    so channels[0] is 1. The study's own setting is: no bias, and the activation also after the last layer, which
    bounds the output's range (relu: not negative; sigmoid: in (0, 1); tanh: in (-1, 1)); `last_activation` is the
    option that frees it, e.g. "linear".
    """

    def __init__(
        self,
        channels: Sequence[int],
        kernels: Sequence[int],
        activation: str,
        *,
        last_activation: str | None = None,
        bias: bool = False,
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        if len(channels) != len(kernels) + 1 or channels[0] != 1:
            raise InputError(
                f"channels must be 1 and then one a layer; got {list(channels)} for kernels {list(kernels)}"
            )
        self.layers = nn.ModuleList(
            DisjointConv1d(i, o, k, bias=bias) for i, o, k in zip(channels[:-1], channels[1:], kernels, strict=True)
        )
        self.activation = activation_module(activation)
        self.last_activation = activation_module(last_activation or activation)
        initialize_default_(self, generator)

    def modules_in_order(self) -> list[nn.Module]:
        """What `forward` applies to samples one after the other, for `reading`."""
        *hidden, last = cast("list[DisjointConv1d]", list(self.layers))
        length = math.prod(layer.kernel for layer in (*hidden, last))
        middle = [module for layer in hidden for module in (layer, self.activation)]
        return [nn.Unflatten(1, (1, length)), *middle, last, self.last_activation, nn.Flatten()]

    def forward(self, x: Tensor) -> Tensor:
        """[n, prod(kernels)] -> [n, channels[-1]]."""
        h = x.unsqueeze(0)
        for layer in self.layers[:-1]:
            h = self.activation(layer(h))
        return self.last_activation(self.layers[-1](h)).squeeze(2).T


def baseline_cnn(activation: str, *, generator: torch.Generator, **options: object) -> TreeCNN:
    """`baselineCNN` of the L1 study: one channel, kernels 3, 2, 2; 7 weights. Options as for `TreeCNN`."""
    return TreeCNN((1, 1, 1, 1), (3, 2, 2), activation, generator=generator, **options)  # type: ignore[arg-type]


def multi_channel_cnn(activation: str, *, generator: torch.Generator, **options: object) -> TreeCNN:
    """`multiChannelCNN` of the L1 study: four channels in the two hidden layers; 52 weights. Options: `TreeCNN`."""
    return TreeCNN((1, 4, 4, 1), (3, 2, 2), activation, generator=generator, **options)  # type: ignore[arg-type]


class SplitFilterCNN(nn.Module):
    """`splitFilterCNN` of the L1 study: `baseline_cnn`, but even and odd positions have filters of their own.

    12 weights: first [2, 3], second [2, 2], last [1, 2]; no bias, the activation after every layer.
    """

    def __init__(self, activation: str, *, generator: torch.Generator) -> None:
        super().__init__()
        self.first = nn.Parameter(torch.empty(2, 3))
        self.second = nn.Parameter(torch.empty(2, 2))
        self.last = nn.Parameter(torch.empty(1, 2))
        self.activation = activation_module(activation)
        initialize_default_(self, generator)

    def forward(self, x: Tensor) -> Tensor:
        """[n, 12] -> [n, 1]."""
        patches = x.reshape(-1, 2, 2, 3)  # position = 2 * pair + parity
        h = self.activation((patches * self.first).sum(-1))
        u = self.activation((h * self.second).sum(-1))
        return self.activation(u @ self.last.T)
