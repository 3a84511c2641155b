"""The one way to look into a user's module: its layers in order, with weights, activations and what lies between.

A module is read by following its `forward` (torch.fx), never by the names or the order of its parameters. Then the
chain that was read is compared with the module on random inputs, so that what cannot be seen (hooks, say) is refused.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from sparsenn_core.errors import InputError
from sparsenn_core.networks.layers import Layer, grouped
from sparsenn_core.networks.operations import ACTIVATIONS, Operation, Piece
from sparsenn_core.networks.tracing import pieces
from sparsenn_core.randomness import generator

_SAMPLES = 16


@dataclass(frozen=True)
class Reading:
    """What `reading` returns: the layers, first layer first. Called on [n, ...] it computes what the module does."""

    layers: tuple[Layer, ...]
    of: str
    """The class of the module, for messages."""

    def __call__(self, x: Tensor) -> Tensor:
        """The network's outputs on samples [n, ...], from what was read alone."""
        return _passed(self.layers, x)[0]

    @property
    def activations(self) -> tuple[str, ...]:
        """The activation after each layer, the last one's included."""
        return tuple(layer.activation for layer in self.layers)

    @property
    def hidden_activation(self) -> str:
        """The activation after every layer but the last; `InputError` if these differ or there is none."""
        found = dict.fromkeys(self.activations[:-1])
        if len(found) != 1:
            what = " and ".join(found) or "no hidden layer"
            raise InputError(f"{self.of}: one hidden activation is needed, and it has {what}")
        return next(iter(found))

    def require(self, *kinds: str, plain: bool = False, pools: bool = False) -> tuple[Layer, ...]:
        """The layers, if all are of one of the `kinds`; else, or if units of one linear layer are not the inputs of the
        next, `InputError`. `plain` asks that weights are parameters themselves, `pools` allows pools between layers.
        """
        for layer in self.layers:
            if layer.kind not in kinds:
                raise InputError(f"{self.of}: layer {layer.name!r} is {layer.kind}, and {' or '.join(kinds)} is needed")
            if plain and not layer.plain:
                raise InputError(f"{self.of}: the weight of layer {layer.name!r} is computed, not a parameter itself")
            for operation in (*layer.before, *layer.after):
                if "pool" in operation.name and not pools:
                    raise InputError(f"{self.of}: {operation.name} next to layer {layer.name!r} is not understood here")
        for first, second in itertools.pairwise(self.layers):
            if first.kind == second.kind == "linear" and first.outputs != second.inputs:
                raise InputError(f"{self.of}: the units of layer {first.name!r} are not the inputs of {second.name!r}")
        return self.layers


def reading(module: nn.Module, example: Tensor | None = None, *, own_mode: bool = False) -> Reading:
    """The layers of a network that is one chain of layers, in eval mode, or with `own_mode` in the mode it is in.

    It reads `MLP`, `TreeCNN` and other modules that apply, one after the other, `nn.Linear`, `nn.Conv1d`, `nn.Conv2d`,
    `DisjointConv1d`, relu, sigmoid, tanh, gelu (modules or functions), flattening, average and max pooling and
    dropout; weights may be reparametrised (`torch.nn.utils.parametrizations`) and are read as they are now.
    `example` [n, ...] gives the shape of the inputs, needed where the first layer is a convolution.

    `InputError`, in one line that names the module or operation, for anything else: residual additions, branches,
    attention, normalisation, recurrence, a layer used twice or sharing its weight, control flow that depends on data,
    parameters of no layer, and for a module that on random inputs does not compute what was read (on the meta device,
    where there are no numbers, that is not asked, and shapes stay unknown). Cost: a trace (some ms; none for `MLP` and
    `TreeCNN`) and two passes of 16 samples; read once, not at every step.
    """
    of = type(module).__name__
    with torch.no_grad() if own_mode else _evaluating(module):
        try:
            found = pieces(module)
            layers = grouped(module, found)
            if not layers[0].weight.is_meta:
                layers = _with_shapes(module, layers, _inputs(found, layers[0], example))
        except InputError as error:
            raise InputError(f"{of}: {error}") from error
    return Reading(layers, of)


@contextmanager
def _evaluating(module: nn.Module) -> Iterator[None]:
    """`module` in eval mode for a while, without gradients."""
    training = [one for one in module.modules() if one.training]
    try:
        for one in training:
            one.training = False
        with torch.no_grad():
            yield
    finally:
        for one in training:
            one.training = True


def _inputs(found: list[Piece], first: Layer, example: Tensor | None) -> Tensor:
    """Random inputs [16, ...] of the shape of `example`, or of the shape that the first layer asks for."""
    if example is not None:
        shape = tuple(example.shape[1:])
    elif isinstance(found[0], Operation) and found[0].length is not None:
        shape = (found[0].length,)
    elif first.kind == "linear" and all(o.name in ("flatten", "dropout") for o in first.before):
        shape = (first.inputs,)
    else:
        raise InputError(f"layer {first.name!r} does not tell the shape of the inputs; give an example [n, ...]")
    weight = first.weight
    x = torch.randn(_SAMPLES, *shape, generator=generator(0, "reading"), dtype=torch.float64)
    return x.to(weight.device, weight.dtype)


def _with_shapes(module: nn.Module, layers: tuple[Layer, ...], x: Tensor) -> tuple[Layer, ...]:
    """The layers with their shapes; `InputError` unless they compute what the module computes on `x`."""
    try:
        found, shapes = _passed(layers, x)
        expected = module(x)
    except Exception as error:  # whatever the user's `forward` makes of these inputs
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise InputError(f"it cannot be evaluated on inputs {['n', *x.shape[1:]]}: {reason}") from error
    if found.shape != expected.shape or not _same(found, expected):
        raise InputError(
            f"on random inputs it does not compute what its layers do: {', '.join(o.name for o in layers)}"
        )
    return tuple(
        replace(layer, input_shape=before, output_shape=after)
        for layer, (before, after) in zip(layers, shapes, strict=True)
    )


def _same(found: Tensor, expected: Tensor) -> bool:
    """Equal to half of the digits of their type, which rounding leaves and a function that differs does not."""
    half = torch.finfo(found.dtype).eps ** 0.5
    scale = float(expected.abs().nan_to_num(0.0, 0.0, 0.0).max())
    return torch.allclose(found, expected, rtol=half, atol=half * scale, equal_nan=True)


def _passed(layers: tuple[Layer, ...], x: Tensor) -> tuple[Tensor, list[tuple[tuple[int, ...], tuple[int, ...]]]]:
    """The outputs on `x`, and the shapes of a sample before and after each layer."""
    shapes = []
    for operation in layers[0].before:
        x = operation.apply(x)
    for layer in layers:
        z = layer.affine(x)
        shapes.append((tuple(x.shape[1:]), tuple(z.shape[1:])))
        x = ACTIVATIONS[layer.activation](z)
        for operation in layer.after:
            x = operation.apply(x)
    return x, shapes
