"""The data that compression reads: batches of inputs and targets, gone through as often as needed, in one order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sized
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset, Subset

from sparsenn_core.errors import InputError
from sparsenn_core.randomness import generator

BATCH = 256
"""Samples a batch where data come as tensors or a data set."""
HELD_OUT = 0.2
"""The share of the data that is held out where nothing is said."""

Batches = Iterable[tuple[Tensor, Tensor]]


@dataclass(frozen=True)
class Samples:
    """What can be iterated over again and again as batches (inputs [n, ...], targets [n, ...]) on a device."""

    batches: Iterable[Any]
    device: torch.device

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        for batch in self.batches:
            if not (isinstance(batch, tuple | list) and len(batch) == 2 and all(isinstance(b, Tensor) for b in batch)):
                raise InputError(f"compression: data must be pairs of tensors (inputs, targets), not {_kind(batch)}")
            x, y = batch
            if len(x) != len(y):
                raise InputError(f"compression: {len(x)} inputs do not fit {len(y)} targets")
            if len(x):
                yield x.to(self.device), y.to(self.device)

    @property
    def count(self) -> int | None:
        """The number of batches, where it is known."""
        if isinstance(self.batches, _Pair):
            return -(-len(self.batches) // BATCH)
        return len(self.batches) if isinstance(self.batches, Sized) else None

    def first(self) -> tuple[Tensor, Tensor]:
        """The first batch."""
        for batch in self:
            return batch
        raise InputError("compression: there are no data")


def samples(data: Any, held_out: Any, model: nn.Module) -> tuple[Samples, Samples]:
    """The data to fit and the data to choose by.

    `data` is a pair of tensors, a `Dataset`, or an iterable of batches that can be gone through again (a `DataLoader`
    without shuffling and augmentation). `held_out` is the same, or, where `data` is a pair or a `Dataset`, the share of
    it, drawn by a private generator, that is held out.
    """
    device = next((p.device for p in model.parameters()), torch.device("cpu"))
    if not isinstance(held_out, float | int):
        return Samples(_batches(data), device), Samples(_batches(held_out), device)
    whole = _whole(data)
    if whole is None:
        raise InputError("compression: data come in batches, so that no share of them is held out: give held_out, too")
    count = len(whole)  # type: ignore[arg-type]
    chosen = round(held_out * count)
    if not 0 < chosen < count:
        raise InputError(f"compression: held_out is {held_out} of {count} samples; it must leave some on either side")
    order = torch.randperm(count, generator=generator(0, "compression", "held out"))
    parts = (order[chosen:].sort().values, order[:chosen].sort().values)
    kept, other = (Samples(_some(whole, part), device) for part in parts)
    return kept, other


@dataclass(frozen=True)
class _Pair:
    """Two tensors as batches."""

    x: Tensor
    y: Tensor

    def __len__(self) -> int:
        return len(self.x)

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        yield from zip(self.x.split(BATCH), self.y.split(BATCH), strict=True)


def _batches(data: Any) -> Iterable[Any]:
    whole = _whole(data)
    if whole is not None:
        return _some(whole, None)
    if isinstance(data, Iterator) or not isinstance(data, Iterable) or isinstance(data, Tensor | str | dict):
        raise InputError(
            "compression: data must be (inputs, targets), a Dataset, or batches that can be gone through again, "
            f"not {_kind(data)}"
        )
    return data


def _whole(data: Any) -> _Pair | Dataset | None:
    """Data that are not in batches yet."""
    if isinstance(data, tuple | list) and len(data) == 2 and all(isinstance(part, Tensor) for part in data):
        x, y = data
        if len(x) != len(y):
            raise InputError(f"compression: {len(x)} inputs do not fit {len(y)} targets")
        return _Pair(x, y)
    return data if isinstance(data, Dataset) and hasattr(data, "__len__") else None


def _some(whole: _Pair | Dataset, index: Tensor | None) -> Iterable[Any]:
    """Batches of the samples at `index`, of all where it is None."""
    if isinstance(whole, _Pair):
        return whole if index is None else _Pair(whole.x[index.to(whole.x.device)], whole.y[index.to(whole.y.device)])
    # a generator of its own: a loader draws a seed even where it does not shuffle
    own = torch.Generator()
    return DataLoader(whole if index is None else Subset(whole, index.tolist()), BATCH, generator=own)


def _kind(value: object) -> str:
    return type(value).__name__
