"""All trained parameters of a run in one row of one matrix, so that an update passes through memory once."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from sparsenn_core.penalties import Params

LANES = 16
"""Rows are filled up to a multiple of this: then every number of every run is updated by the same vector code, and a
run's last bits do not depend on how many others there are."""


@dataclass(frozen=True)
class Layout:
    """Where each parameter lies in a row: names, shapes of one run, first columns, and the length of the row."""

    names: tuple[str, ...]
    shapes: tuple[tuple[int, ...], ...]
    starts: tuple[int, ...]
    length: int

    @classmethod
    def of(cls, params: Params, names: Sequence[str]) -> Layout:
        """The layout of the parameters `names` of R runs."""
        shapes = tuple(tuple(params[name].shape[1:]) for name in names)
        starts, end = [], 0
        for shape in shapes:
            starts.append(end)
            end += math.prod(shape)
        return cls(tuple(names), shapes, tuple(starts), -(-max(end, 1) // LANES) * LANES)

    def views(self, flat: Tensor) -> Params:
        """Each parameter as a view of the rows [R, length]: [R, *shape]."""
        return {
            name: flat[:, start : start + math.prod(shape)].view(len(flat), *shape)
            for name, shape, start in zip(self.names, self.shapes, self.starts, strict=True)
        }

    def flat(self, params: Params) -> Tensor:
        """The parameters copied into rows [R, length], filled up with zeros."""
        first = next(iter(params.values()))
        rows = first.new_zeros(len(first), self.length)
        for name, view in self.views(rows).items():
            view.copy_(params[name])
        return rows
