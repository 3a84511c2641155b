"""Which weights are kept or removed together: single ones, N of M, blocks, channels."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from torch import Tensor

from sparsenn_core.errors import InputError
from sparsenn_core.masks.ranks import keep_top

Shape = tuple[int, ...]
"""Shape of a weight: outputs, inputs, and of convolutions the kernel."""


class Structure(ABC):
    """A division of a weight into units that are kept or removed whole, in rows within which units are ranked."""

    @abstractmethod
    def layout(self, shape: Shape) -> tuple[int, int]:
        """Rows, and units in each; `InputError` for a shape that the structure does not divide."""

    @abstractmethod
    def ranked(self, values: Tensor) -> Tensor:
        """What units are ranked by, [R, rows, units], from a value for each weight [R, *shape]: a unit of one weight by
        its value, a larger one by the root of the sum of its squares.
        """

    @abstractmethod
    def spread(self, units: Tensor, shape: Shape) -> Tensor:
        """A mask of weights [R, *shape] from one of units [R, rows, units]."""

    def kept(self, shape: Shape, sparsity: float | None) -> int:
        """How many units of each row are kept at a sparsity in [0, 1]: all but the nearest whole number to its share.

        `InputError` without a sparsity, where the structure does not give one itself.
        """
        if sparsity is None:
            raise InputError(f"{type(self).__name__} needs a sparsity, from 0 (all weights stay) to 1")
        units = self.layout(shape)[1]
        return units - round(checked_sparsity(sparsity) * units)

    def mask(self, values: Tensor, kept: Tensor, progress: float = 1.0) -> Tensor:
        """The mask [R, *shape] (true: kept) that leaves of each row the `kept` [R] units of the largest values; before
        the end of a schedule, `progress` below 1, only that share of the others is removed.
        """
        units = self.layout(tuple(values.shape[1:]))[1]
        count = units - ((units - kept) * progress).round().long()
        return self.spread(keep_top(self.ranked(values), count[:, None]), tuple(values.shape[1:]))


def checked_sparsity(sparsity: float) -> float:
    """`sparsity`, if it is a share; else `InputError`."""
    if not isinstance(sparsity, int | float) or isinstance(sparsity, bool) or not 0 <= sparsity <= 1:
        near = "" if not isinstance(sparsity, int | float) or math.isnan(sparsity) else _percent(float(sparsity))
        raise InputError(f"sparsity is the share of weights removed, from 0 to 1, not {sparsity!r}{near}")
    return sparsity


def _percent(sparsity: float) -> str:
    if 1 < sparsity <= 100:
        return f"; {sparsity:g} % is {sparsity / 100:g}"
    return f"; the nearest is {0 if sparsity < 0 else 1}"


@dataclass(frozen=True)
class Unstructured(Structure):
    """Every weight by itself."""

    def layout(self, shape: Shape) -> tuple[int, int]:
        return 1, math.prod(shape)

    def ranked(self, values: Tensor) -> Tensor:
        return values.flatten(1).unsqueeze(1)

    def spread(self, units: Tensor, shape: Shape) -> Tensor:
        return units.reshape(-1, *shape)


@dataclass(frozen=True)
class NM(Structure):
    """`n` weights of every `m` neighbours along the inputs (Zhou et al. 2021, arXiv:2102.04010); 2:4 is what graphics
    processors know. Its sparsity is 1 - n/m.
    """

    n: int = 2
    m: int = 4

    def __post_init__(self) -> None:
        if not (type(self.n) is type(self.m) is int and 1 <= self.n <= self.m):
            raise InputError(f"NM keeps n of every m weights, 1 <= n <= m, not {self.n!r} of {self.m!r}")

    def layout(self, shape: Shape) -> tuple[int, int]:
        if shape[1] % self.m:
            near = max(self.m, round(shape[1] / self.m) * self.m)
            raise InputError(f"{self.n}:{self.m} does not divide {shape[1]} inputs; {near} inputs it would")
        return math.prod(shape) // self.m, self.m

    def kept(self, shape: Shape, sparsity: float | None) -> int:
        self.layout(shape)
        own = 1 - self.n / self.m
        if sparsity is not None and not math.isclose(checked_sparsity(sparsity), own):
            raise InputError(f"sparsity of {self.n}:{self.m} is {own:g}, not {sparsity:g}; leave it out")
        return self.n

    def ranked(self, values: Tensor) -> Tensor:
        return values.movedim(2, -1).reshape(len(values), -1, self.m)

    def spread(self, units: Tensor, shape: Shape) -> Tensor:
        return units.reshape(-1, shape[0], *shape[2:], shape[1]).movedim(-1, 2)


@dataclass(frozen=True)
class Block(Structure):
    """Blocks of `height` outputs and `width` inputs, ranked by their Frobenius norm; the kernel counts as inputs."""

    height: int = 4
    width: int = 4

    def __post_init__(self) -> None:
        for side in (self.height, self.width):
            if type(side) is not int or side < 1:
                raise InputError(f"a block has sides of 1 or more, not {self.height!r} x {self.width!r}")

    def layout(self, shape: Shape) -> tuple[int, int]:
        inputs = math.prod(shape[1:])
        if shape[0] % self.height or inputs % self.width:
            raise InputError(f"blocks {self.height} x {self.width} do not divide {shape[0]} outputs x {inputs} inputs")
        return 1, shape[0] * inputs // (self.height * self.width)

    def ranked(self, values: Tensor) -> Tensor:
        tiles = values.flatten(2).unflatten(2, (-1, self.width)).unflatten(1, (-1, self.height))
        return norms(tiles, (2, 4)).flatten(1).unsqueeze(1)

    def spread(self, units: Tensor, shape: Shape) -> Tensor:
        tiles = units.reshape(len(units), shape[0] // self.height, -1)
        return tiles.repeat_interleave(self.height, 1).repeat_interleave(self.width, 2).reshape(-1, *shape)


@dataclass(frozen=True)
class Channel(Structure):
    """Whole outputs, rows of a matrix or filters of a convolution, ranked by their norm. Biases stay."""

    def layout(self, shape: Shape) -> tuple[int, int]:
        return 1, shape[0]

    def ranked(self, values: Tensor) -> Tensor:
        return norms(values.flatten(2), (2,)).unsqueeze(1)

    def spread(self, units: Tensor, shape: Shape) -> Tensor:
        return units.reshape(-1, shape[0], *(1,) * (len(shape) - 1)).expand(-1, *shape).clone()


def norms(values: Tensor, axes: tuple[int, ...]) -> Tensor:
    """Roots of sums of squares along some axes."""
    return torch.linalg.vector_norm(values, dim=axes)
