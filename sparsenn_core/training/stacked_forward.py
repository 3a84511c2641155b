"""The outputs of R networks at once, for chains of known layers: batched products and grouped convolutions.

`torch.func.vmap` evaluates any network for R sets of parameters, at the price of some Python for every operation. For
the chains that `networks.reading` knows, the same is written here operation by operation.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from sparsenn_core.errors import InputError
from sparsenn_core.networks import Layer, Operation, activation_module, reading
from sparsenn_core.penalties import Params
from sparsenn_core.training.members import alike, attributes


@dataclass(frozen=True)
class Stacked:
    """What lies between two operations: samples of R runs, in the layout that the operation before left.

    rows      [R, n, ...], with channels first where there are any
    shared    [n, ...], the same samples for all runs, before the first layer
    channels  [n, R * channels, ...], as grouped convolutions want it
    last      [R, n, length, channels], where the patches of a `DisjointConv1d` lie in one piece
    """

    values: Tensor
    runs: int
    layout: str = "rows"

    def rows(self) -> Tensor:
        """The values as [R, n, ...]."""
        if self.layout == "shared":
            return self.values.unsqueeze(0).expand(self.runs, *self.values.shape)
        if self.layout == "channels":
            return self.values.unflatten(1, (self.runs, -1)).transpose(0, 1)
        return self.values.mT if self.layout == "last" else self.values

    def channels(self) -> Tensor:
        """The values as [n, R * channels, ...]."""
        return self.values if self.layout == "channels" else self.rows().transpose(0, 1).flatten(1, 2)

    def last(self) -> Tensor:
        """The values as [R, n, length, channels]."""
        return self.values if self.layout == "last" else self.rows().mT.contiguous()

    def then(self, values: Tensor, layout: str = "rows") -> Stacked:
        """Other values of the same runs."""
        return Stacked(values, self.runs, layout)


Operator = Callable[[Stacked, Params], Stacked]


def chain_of(net: nn.Module) -> tuple[Layer, ...]:
    """The layers of a chain of known layers with weights of their own; none for any other network, for one with hooks,
    and where dropout is at work: what is not the same operation by operation is left to `vmap`.
    """
    if any(_has_hooks(module) for module in net.modules()) or any(_drops(module) for module in net.modules()):
        return ()
    traced = copy.deepcopy(net)
    try:
        layers = reading(traced, own_mode=True).layers
    except InputError:
        return ()
    # a forward that changes attributes may do something else at the next call
    unchanged = all(alike(attributes(a), attributes(b)) for a, b in zip(net.modules(), traced.modules(), strict=True))
    return layers if unchanged and all(layer.plain for layer in layers) else ()


def stacked_forward(layers: tuple[Layer, ...]) -> Callable[[Params, Tensor, bool], Tensor]:
    """`forward(params, x, shared)`: outputs [R, n, ...] for samples x [R, n, ...], or [n, ...] if shared."""
    operators = [_operation(o) for o in layers[0].before]
    for layer in layers:
        operators += [_affine(layer), _activation(layer.activation), *(_operation(o) for o in layer.after)]

    def forward(params: Params, x: Tensor, shared: bool) -> Tensor:
        h = Stacked(x, len(next(iter(params.values()))), "shared" if shared else "rows")
        for operator in operators:
            h = operator(h, params)
        return h.rows()

    return forward


def _has_hooks(module: nn.Module) -> bool:
    return bool(module._forward_hooks or module._forward_pre_hooks or module._backward_hooks)


def _drops(module: nn.Module) -> bool:
    return isinstance(module, nn.modules.dropout._DropoutNd) and module.training and module.p > 0


def _affine(layer: Layer) -> Operator:
    return {"linear": _linear, "conv": _convolution, "disjoint conv": _disjoint_convolution}[layer.kind](layer)


def _linear(layer: Layer) -> Operator:
    def apply(h: Stacked, params: Params) -> Stacked:
        weight_t, x = params[str(layer.weight_name)].mT, h.rows()
        shape = x.shape[2:-1]
        x = x.flatten(1, -2)
        if layer.bias_name is None:
            out = torch.bmm(x, weight_t)
        else:
            out = torch.baddbmm(params[layer.bias_name].unsqueeze(1), x, weight_t)
        return h.then(out.unflatten(1, (-1, *shape)) if shape else out)

    return apply


def _convolution(layer: Layer) -> Operator:
    convolve = nn.functional.conv1d if layer.weight.ndim == 3 else nn.functional.conv2d

    def apply(h: Stacked, params: Params) -> Stacked:
        weight = params[str(layer.weight_name)].flatten(0, 1)
        bias = None if layer.bias_name is None else params[layer.bias_name].flatten()
        # all runs see the same samples: their filters are filters of one convolution
        shared = h.layout == "shared" and layer.groups == 1
        x, groups = (h.values, 1) if shared else (h.channels(), h.runs * layer.groups)
        out = convolve(x, weight, bias, layer.stride, layer.padding, layer.dilation, groups)
        return h.then(out, "channels")

    return apply


def _disjoint_convolution(layer: Layer) -> Operator:
    (kernel,) = layer.stride

    def apply(h: Stacked, params: Params) -> Stacked:
        x = h.last()
        runs, n, length, channels = x.shape
        weight = params[str(layer.weight_name)].transpose(2, 3).flatten(2)  # [R, out, kernel * channels]
        out = torch.bmm(x.view(runs, n * length // kernel, kernel * channels), weight.mT)
        if layer.bias_name is not None:
            out = out + params[layer.bias_name].unsqueeze(1)
        return h.then(out.view(runs, n, length // kernel, -1), "last")

    return apply


def _activation(name: str) -> Operator:
    function = activation_module(name)

    def apply(h: Stacked, params: Params) -> Stacked:
        return h.then(function(h.values), h.layout)

    return apply


def _operation(operation: Operation) -> Operator:
    def apply(h: Stacked, params: Params) -> Stacked:
        if h.layout == "shared" or (h.layout == "channels" and "pool" in operation.name):
            return h.then(operation.apply(h.values), h.layout)
        rows = h.rows()
        return h.then(operation.apply(rows.flatten(0, 1)).unflatten(0, (h.runs, rows.shape[1])))

    return apply
