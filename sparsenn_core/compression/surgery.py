"""Neurons taken out of a network, on both sides, and networks of that shape made again for saved weights."""

from __future__ import annotations

import copy
from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from sparsenn_core.compression.candidate import Candidate
from sparsenn_core.errors import InputError
from sparsenn_core.networks import Feed, feed

KEPT = "kept_inputs"
"""The buffer of a layer that lost inputs: the neurons that it still reads, as numbered in the network as given."""


def with_weights_(model: nn.Module, layer: str, candidate: Candidate) -> nn.Module:
    """The network with the weights of a candidate in a layer of the size as given: neurons zeroed, none removed."""
    module = model.get_submodule(layer)
    assert isinstance(module.weight, Tensor)
    with torch.no_grad():
        module.weight.copy_(torch.from_numpy(candidate.weight).reshape(module.weight.shape))
        if candidate.bias is not None:
            assert isinstance(module.bias, Tensor)
            module.bias.copy_(torch.from_numpy(candidate.bias))
    return model


def without_neurons_(model: nn.Module, feed: Feed, kept: NDArray[np.int64]) -> nn.Module:
    """The network, in place, without all but the `kept` neurons that `feed.layer` reads: smaller weights on both sides.

    Weights and biases of the source, batch norms between, columns of the layer, which gets the buffer `kept_inputs`.
    """
    layer, source = model.get_submodule(feed.layer), model.get_submodule(feed.source)
    assert isinstance(layer.weight, Tensor)
    units = torch.from_numpy(np.asarray(kept)).to(layer.weight.device)
    _choose_(source, ("weight", "bias"), units)
    setattr(source, "out_features" if isinstance(source, nn.Linear) else "out_channels", len(units))
    for name in feed.norms:
        norm = model.get_submodule(name)
        assert isinstance(norm, nn.BatchNorm1d | nn.BatchNorm2d)
        entries = _entries(units, norm.num_features // feed.units)
        _choose_(norm, ("weight", "bias", "running_mean", "running_var"), entries)
        norm.num_features = len(entries)
    linear = isinstance(layer, nn.Linear)
    columns = _entries(units, feed.size) if linear else units
    _choose_(layer, ("weight",), columns, axis=1)
    setattr(layer, "in_features" if linear else "in_channels", len(columns))
    earlier = getattr(layer, KEPT, None)
    if earlier is not None:
        units = earlier[units]
    layer.register_buffer(KEPT, units)
    return model


def restored(model: nn.Module, state: Mapping[str, Tensor]) -> nn.Module:
    """A smaller network from the class it was made of and its saved weights: a copy of `model`, which stays as it is.

    `model` is a network of the size before compression (its weights do not matter), `state` what
    `smaller.state_dict()` gave, as `torch.load(path, weights_only=True)` reads it. The layers' buffers `kept_inputs`
    say what to leave out. `InputError` where the two do not belong together.
    """
    made = copy.deepcopy(model)
    layers = [name.removesuffix(f".{KEPT}") for name in state if name.endswith(f".{KEPT}")]
    if not layers:
        raise InputError(f"compression: these weights hold no {KEPT}; they are not of a compressed network")
    for name in layers:
        one, kept = feed(made, name), state[f"{name}.{KEPT}"].cpu()
        if len(kept) > one.units or int(kept.max()) >= one.units:
            raise InputError(
                f"compression: layer {name!r} reads {one.units} neurons, not {int(kept.max()) + 1} or more"
            )
        without_neurons_(made, one, kept.numpy())
    try:
        made.load_state_dict(dict(state))
    except RuntimeError as error:
        reason = " ".join(str(error).split())
        raise InputError(f"compression: these weights do not fit {type(model).__name__}: {reason}") from error
    return made.eval()


def _entries(units: Tensor, size: int) -> Tensor:
    return (units[:, None] * size + torch.arange(size, device=units.device)).flatten()


def _choose_(module: nn.Module, names: tuple[str, ...], index: Tensor, axis: int = 0) -> None:
    """Keep some entries of the parameters and buffers `names` along an axis."""
    for name in names:
        old = getattr(module, name)
        if isinstance(old, nn.Parameter):
            chosen = old.detach().index_select(axis, index)
            setattr(module, name, nn.Parameter(chosen, requires_grad=old.requires_grad))
        elif old is not None:
            setattr(module, name, old.index_select(axis, index))
