"""Sparse models read and ended: their masks, how much is left, and plain weights in place of masked ones."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from sparsenn_core.errors import InputError
from sparsenn_core.masks.sparse_weight import SparseWeight
from sparsenn_core.masks.sparsify import sparse_weights


@dataclass(frozen=True)
class Remaining:
    """What is left of a layer's weight: `kept` of `size` entries are not masked."""

    kept: int
    size: int

    @property
    def sparsity(self) -> float:
        """The share that is removed."""
        return 1 - self.kept / self.size


def remaining(model: nn.Module) -> dict[str, Remaining]:
    """What is left of each sparse layer now, by its name, from the masks: a weight inside that is zero counts too."""
    return {name: Remaining(int((mask > 0).sum()), mask.numel()) for name, mask in masks_of(model).items()}


def masks_of(model: nn.Module) -> dict[str, Tensor]:
    """The mask of each sparse layer by the layer's name, 1 where a weight stays; copies."""
    return {
        name.removesuffix("parametrizations.weight.0").removesuffix("."): part.tensors.by_name()["mask"].clone()
        for name, part in sparse_weights(model)
    }


def make_permanent(model: nn.Module) -> nn.Module:
    """Plain parameters with the sparse weights of evaluation mode in place of the parametrizations; the same model.

    Names and shapes are those before `sparsify`; zeros are no longer kept zero by anything.
    """
    found = [part for part in model.modules() if _is_sparse(part)]
    if not found:
        raise InputError(f"{type(model).__name__} has no sparse layers; there is nothing to make permanent")
    with _evaluating(found), torch.no_grad():
        for layer in found:
            _give_own_class(layer)
            parametrize.remove_parametrizations(layer, "weight", leave_parametrized=True)
            layer.weight.requires_grad_(True)
    return model


def _is_sparse(part: nn.Module) -> bool:
    if not parametrize.is_parametrized(part, "weight"):
        return False
    return any(isinstance(one, SparseWeight) for one in part.parametrizations.weight)  # type: ignore[union-attr]


def _give_own_class(layer: nn.Module) -> None:
    """A parametrized layer has a class of its own, which its copies share; ending one would break the others."""
    kind = type(layer)
    members = {name: value for name, value in vars(kind).items() if name not in ("__dict__", "__weakref__")}
    layer.__class__ = type(kind.__name__, kind.__bases__, members)


@contextmanager
def _evaluating(layers: list[nn.Module]) -> Iterator[None]:
    """The sparse weights of some layers in evaluation mode for a while; afterwards the layers in their own."""
    training = [layer.training for layer in layers]
    for layer in layers:
        layer.eval()
    try:
        yield
    finally:
        for layer, mode in zip(layers, training, strict=True):
            layer.train(mode)
