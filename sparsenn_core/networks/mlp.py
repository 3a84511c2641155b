"""Fully connected networks of any depth, width and activation."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import cast

import torch
from torch import Tensor, nn

from sparsenn_core.errors import InputError
from sparsenn_core.networks.initialization import activation_module, initialize_default_

IN_PLACE: dict[type[nn.Module], Callable[[Tensor], Tensor]] = {
    nn.ReLU: torch.relu_,
    nn.Sigmoid: torch.sigmoid_,
    nn.Tanh: torch.tanh_,
}


def affine(layer: nn.Linear, h: Tensor) -> Tensor:
    """`layer` on features first: [..., in, n] -> [..., out, n]; its parameters may be stacks of as many dimensions.

    The same numbers as `layer(h.T).T`; but the gradient of the weight comes out in the weight's own memory order, so
    that the update of a stacked ensemble compiles to vector code.
    """
    out = layer.weight @ h
    return out if layer.bias is None else out.add_(layer.bias.unsqueeze(-1))


def activated_(activation: nn.Module, z: Tensor) -> Tensor:
    """`activation(z)`, written over `z` where it can be: fresh memory costs more than the arithmetic."""
    in_place = IN_PLACE.get(type(activation))
    return cast("Tensor", activation(z)) if in_place is None else in_place(z)


class MLP(nn.Module):
    """A fully connected network with widths[0] inputs and widths[-1] outputs.

    `activation` follows every hidden layer, `last_activation` the last one (default: none, "linear"). The students
    `fcn_128_128` and `fcn_256_32` of the L1 study are `MLP((12, 128, 128, 1), act, last_activation=act, bias=False)`
    and likewise (12, 256, 32, 1). Layers are `nn.Linear`, weights [out, in], initialised by PyTorch's default from
    `generator`.
    """

    takes_stacks = True
    """`forward` also works with the parameters of R networks stacked, as an ensemble has them."""

    def __init__(
        self,
        widths: Sequence[int],
        activation: str,
        *,
        last_activation: str = "linear",
        bias: bool = True,
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        if len(widths) < 2 or min(widths) < 1:
            raise InputError(
                f"widths must name at least an input and an output of one unit or more, not {list(widths)}"
            )
        # skip_init: nn.Linear's own constructor would draw from the global generator
        self.layers = nn.ModuleList(
            nn.utils.skip_init(nn.Linear, i, o, bias=bias) for i, o in itertools.pairwise(widths)
        )
        self.activation = activation_module(activation)
        self.last_activation = activation_module(last_activation)
        initialize_default_(self, generator)

    def modules_in_order(self) -> list[nn.Module]:
        """What `forward` applies to samples one after the other, for `reading`."""
        hidden = [module for layer in self.layers[:-1] for module in (layer, self.activation)]
        return [*hidden, self.layers[-1], self.last_activation]

    def forward(self, x: Tensor) -> Tensor:
        """[n, widths[0]] -> [n, widths[-1]]; with parameters stacked to [R, ...] these too have R in front."""
        *hidden, last = cast("list[nn.Linear]", list(self.layers))
        h = x.mT
        for layer in hidden:
            h = activated_(self.activation, affine(layer, h))
        return self.last_activation(affine(last, h)).mT
