"""The vocabulary of `reading`: which modules and operations it knows, and what each of them does."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from sparsenn_core.errors import InputError
from sparsenn_core.networks.cnn import DisjointConv1d

ACTIVATIONS: Mapping[str, Callable[[Tensor], Tensor]] = {
    "relu": torch.relu,
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "gelu": nn.functional.gelu,
    "linear": lambda z: z,
}
"""The activations that are read, by name; "linear" is none."""

_AFFINE: tuple[type[nn.Module], ...] = (nn.Linear, nn.Conv1d, nn.Conv2d, DisjointConv1d)
_ACTIVATION_MODULES: dict[type, str] = {nn.ReLU: "relu", nn.Sigmoid: "sigmoid", nn.Tanh: "tanh", nn.GELU: "gelu"}
_ACTIVATION_OPERATIONS = {"relu", "sigmoid", "tanh", "gelu"}
_POOLS: dict[type, str] = {
    nn.AvgPool1d: "average pool",
    nn.AvgPool2d: "average pool",
    nn.AdaptiveAvgPool1d: "average pool",
    nn.AdaptiveAvgPool2d: "average pool",
    nn.MaxPool1d: "max pool",
    nn.MaxPool2d: "max pool",
}
_POOL_OPERATIONS = {
    "avg_pool1d": "average pool",
    "avg_pool2d": "average pool",
    "adaptive_avg_pool1d": "average pool",
    "adaptive_avg_pool2d": "average pool",
    "max_pool1d": "max pool",
    "max_pool2d": "max pool",
}
_DROPOUTS = (nn.Dropout, nn.Dropout1d, nn.Dropout2d)
KNOWN = (
    "Linear, Conv1d, Conv2d, DisjointConv1d, relu, sigmoid, tanh, gelu, flatten, unflatten, average and max pools, "
    "dropout"
)


@dataclass(frozen=True)
class Affine:
    """A module with a weight, at the dotted path `name`."""

    name: str
    module: nn.Module


@dataclass(frozen=True)
class Activation:
    """An activation called `name`, in the module or operation `where`."""

    name: str
    where: str


@dataclass(frozen=True)
class Operation:
    """What happens to samples between two layers, without weights.

    name    flatten, unflatten, average pool, max pool or dropout (which does nothing: networks are read in eval mode)
    apply   the operation, [n, ...] -> [n, ...]
    length  the number of entries a sample must have before it, where it is fixed
    """

    name: str
    apply: Callable[[Tensor], Tensor]
    length: int | None = None

    def commutes(self, activation: str) -> bool:
        """Whether the activation may come before it instead of after it, and nothing changes."""
        return self.name in ("flatten", "unflatten", "dropout") or (self.name == "max pool" and activation != "gelu")


Piece = Affine | Activation | Operation


def modules_in_order(module: nn.Module) -> list[nn.Module] | None:
    """What the class of `module` says its `forward` applies one after the other; None where it says nothing.

    A network that holds features first offers a method `modules_in_order`, which lists the modules that compute the
    same function samples first. A subclass with a `forward` of its own has to say so anew.
    """
    for cls in type(module).__mro__:
        if "modules_in_order" in vars(cls):
            return list(vars(cls)["modules_in_order"](module))
        if "forward" in vars(cls):
            return None
    return None


def is_affine(module: nn.Module) -> bool:
    """Whether `module` is a layer with a weight; a subclass counts only if its `forward` is that of a known one."""
    return any(isinstance(module, known) and type(module).forward is known.forward for known in _AFFINE)


def piece_of_module(name: str, module: nn.Module) -> Piece | None:
    """The piece that a module without a chain of its own is; None if it does nothing (`nn.Identity`)."""
    if isinstance(module, nn.Identity):
        return None
    if is_affine(module):
        return Affine(name, module)
    kind = type(module)
    if kind in _ACTIVATION_MODULES and getattr(module, "approximate", "none") == "none":
        return Activation(_ACTIVATION_MODULES[kind], name)
    if kind in _POOLS:
        return Operation(_POOLS[kind], module)
    if isinstance(module, _DROPOUTS):
        return Operation("dropout", ACTIVATIONS["linear"])
    if isinstance(module, nn.Flatten) and (module.start_dim, module.end_dim) == (1, -1):
        return Operation("flatten", module)
    if isinstance(module, nn.Unflatten) and module.dim == 1:
        sizes = [int(size) for size in module.unflattened_size]
        return Operation("unflatten", module, math.prod(sizes) if min(sizes) > 0 else None)
    raise InputError(f"cannot read module {name!r}: {str(module).splitlines()[0].rstrip('(')}; it reads {KNOWN}")


def piece_of_operation(name: str, target: Any, rest: Sequence[Any], options: Mapping[str, Any]) -> Piece | None:
    """The piece that a function or a tensor's method is; `rest` and `options` are its arguments but for the samples.

    None for `contiguous`, which does nothing.
    """
    plain = name.rstrip("_").lstrip("_")
    if plain in _ACTIVATION_OPERATIONS and options.get("approximate", "none") == "none":
        return Activation(plain, name)
    if plain in _POOL_OPERATIONS:
        return Operation(_POOL_OPERATIONS[plain], lambda h: target(h, *rest, **options))
    if plain == "dropout":
        return Operation("dropout", ACTIVATIONS["linear"])
    if plain == "contiguous":
        return None
    if plain == "flatten" and _axes(rest, options, ("start_dim", "end_dim")) in ([1], [1, -1]):
        return Operation("flatten", lambda h: h.flatten(1))
    if plain in ("view", "reshape") and not options:
        return _reshaped(name, _sizes(rest))
    if plain in ("squeeze", "unsqueeze") and _axes(rest, options, ("dim",)) in ([-1], [1], [2], [3]):
        (axis,) = _axes(rest, options, ("dim",))
        reshape = operator.methodcaller(plain, axis)
        return Operation("flatten" if plain == "squeeze" else "unflatten", reshape)
    raise InputError(f"cannot read the operation {name!r} with {[*rest, *options.items()]}; it reads {KNOWN}")


def _axes(rest: Sequence[Any], options: Mapping[str, Any], names: Sequence[str]) -> list[Any]:
    return [*rest, *(options[name] for name in names if name in options)]


def _sizes(rest: Sequence[Any]) -> list[Any]:
    """The sizes of `view(2, 3)` and `view((2, 3))`."""
    return list(rest[0]) if len(rest) == 1 and isinstance(rest[0], tuple | list) else list(rest)


def _reshaped(name: str, sizes: list[Any]) -> Operation:
    """`view(n, ...)`; the first size is that of the batch, whatever it says, and the others must be numbers."""
    batch, *sample = sizes or [None]
    if not sample or not all(isinstance(size, int) for size in sample) or (isinstance(batch, int) and batch != -1):
        raise InputError(
            f"cannot read the operation {name!r} to {sizes}: samples must stay apart, as in view(len(x), -1)"
        )
    if len(sample) == 1:
        return Operation("flatten", lambda h: h.flatten(1))
    length = math.prod(sample) if min(sample) > 0 else None
    return Operation("unflatten", lambda h: h.reshape(len(h), *sample), length)
