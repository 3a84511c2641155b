"""A smaller dense network that computes the same: units without inputs or outputs, and unread inputs, left out."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from sparsenn_core.errors import InputError
from sparsenn_core.networks import Layer, activation_module, reading
from sparsenn_core.networks import Operation as Between


@dataclass
class _Affine:
    """The weight and bias of a layer while units are left out; `width` columns of the weight belong to one unit of the
    layer before.
    """

    layer: Layer
    weight: Tensor
    bias: Tensor | None
    width: int = 1

    def by_unit(self) -> Tensor:
        """The weight as [outputs, units of the layer before, entries]."""
        return self.weight.reshape(len(self.weight), self.weight.shape[1] // self.width, -1)


def smaller(model: nn.Module, example: Tensor | None = None) -> nn.Sequential:
    """A dense chain that computes what `model` computes in evaluation mode, without its unneeded units.

    Left out are hidden units, or channels, of which all outgoing weights are zero; those of which all incoming weights
    are zero, whose constant goes into the next bias where the next layer is linear and follows at once (else only those
    whose constant is zero); and inputs that no unit of a first linear layer reads. At least one unit stays in each
    layer. Outputs agree up to the order of additions. For chains that `networks.reading` knows, with convolutions
    without groups; `example` [n, ...] as there.
    """
    layers = reading(model, example).require("linear", "conv", pools=True)
    if any(layer.groups > 1 for layer in layers):
        raise InputError(f"{type(model).__name__}: units of a convolution with groups cannot be left out")
    parts = [_Affine(o, o.weight.clone(), None if o.bias is None else o.bias.clone()) for o in layers]
    for first, second in itertools.pairwise(parts):
        second.width = second.weight.shape[1] // len(first.weight)
    while any(_shrink(first, second) for first, second in itertools.pairwise(parts)):
        pass
    modules: list[nn.Module] = [_Applied(operation) for operation in layers[0].before]
    if layers[0].kind == "linear":
        read = parts[0].weight.abs().sum(0) > 0
        read[0] |= not bool(read.any())
        if not bool(read.all()):
            modules.append(Selected(read.nonzero()[:, 0]))
            parts[0].weight = parts[0].weight[:, read]
    for part in parts:
        modules += [_module(part), activation_module(part.layer.activation)]
        modules += [_Applied(operation) for operation in part.layer.after]
    return nn.Sequential(*modules)


def _shrink(first: _Affine, second: _Affine) -> bool:
    """Leave out what is not needed of the units between two layers; whether there was anything."""
    outgoing = second.by_unit().abs().sum((0, 2)) > 0
    constant = (first.weight.flatten(1).abs().sum(1) == 0) & outgoing
    bias = torch.zeros_like(first.weight.flatten(1)[:, 0]) if first.bias is None else first.bias
    value = activation_module(first.layer.activation)(bias)
    foldable = second.layer.kind == "linear" and not first.layer.after
    folded = constant & ((value == 0) | foldable)
    kept = outgoing & ~folded
    if not bool(kept.any()):
        # one unit stays: of the constant ones the first, which then needs no folding
        kept[0] = True
        folded[0] = False
    if bool(kept.all()):
        return False
    if bool(folded.any()) and foldable:
        moved = second.weight[:, folded] @ value[folded]
        second.bias = moved if second.bias is None else second.bias + moved
    second.weight = second.by_unit()[:, kept].reshape(len(second.weight), -1, *second.weight.shape[2:])
    first.weight, first.bias = first.weight[kept], None if first.bias is None else first.bias[kept]
    return True


def _module(part: _Affine) -> nn.Module:
    """A plain layer with the weights that are left."""
    outputs, inputs = part.weight.shape[:2]
    has_bias = part.bias is not None
    made: nn.Module
    if part.layer.kind == "linear":
        made = nn.Linear(inputs, outputs, has_bias)
    else:
        kind = nn.Conv1d if part.weight.ndim == 3 else nn.Conv2d
        o = part.layer
        made = kind(inputs, outputs, part.weight.shape[2:], o.stride, o.padding, o.dilation, bias=has_bias)  # type: ignore[arg-type]
    made.weight = nn.Parameter(part.weight)
    if part.bias is not None:
        made.bias = nn.Parameter(part.bias)
    return made


class Selected(nn.Module):
    """Some of the inputs [n, inputs] -> [n, chosen]."""

    chosen: Tensor

    def __init__(self, chosen: Tensor) -> None:
        super().__init__()
        self.register_buffer("chosen", chosen)

    def forward(self, x: Tensor) -> Tensor:
        """The chosen columns."""
        return x.index_select(-1, self.chosen)


class _Applied(nn.Module):
    """An operation without weights as a module."""

    def __init__(self, operation: Between) -> None:
        super().__init__()
        self.operation = operation

    def forward(self, x: Tensor) -> Tensor:
        return self.operation.apply(x)
