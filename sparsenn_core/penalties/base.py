"""What every penalty answers, what it may decline to answer, and sums of penalties such as the elastic net."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass, field, fields, replace
from typing import TypeAlias

import torch
from torch import Tensor

from sparsenn_core.errors import InputError, unknown

Params: TypeAlias = dict[str, Tensor]
"""Stacked parameters: name -> [R, *shape]."""

Step: TypeAlias = float | Tensor | dict[str, Tensor]
"""A step size: one number, one per run [R], or one per weight (a dict of tensors shaped like the parameters)."""

Strength: TypeAlias = float | Tensor
"""One number for all runs, or one per run [R]."""


def per_run(values: Strength, like: Tensor) -> Tensor:
    """`values`, a number or [R], shaped to multiply a stacked tensor `like` [R, ...] run by run."""
    tensor = torch.as_tensor(values, dtype=like.dtype, device=like.device)
    return tensor.reshape(-1, *(1,) * (like.ndim - 1)) if tensor.ndim else tensor


def step_of(step: Step, name: str, like: Tensor) -> Tensor:
    """The step size for the parameter `name`, broadcastable to `like` [R, ...]."""
    return step[name] if isinstance(step, dict) else per_run(step, like)


def sum_runs(x: Tensor) -> Tensor:
    """[R, ...] -> [R]: the sum over everything but the runs."""
    return x.flatten(1).sum(1)


def total_over(parts: Iterable[Tensor]) -> Tensor:
    """The sum of tensors of one shape. Added one by one: PyTorch 2.13 fails to compile the sum of their stack."""
    first, *rest = parts
    return sum(rest, first)


def max_runs(x: Tensor) -> Tensor:
    """[R, ...] -> [R]: the maximum over everything but the runs."""
    return x.flatten(1).amax(1)


@dataclass(frozen=True)
class Penalty(ABC):
    """A penalty strength * h(w) for each of R stacked runs.

    `strength` is not negative: one number, or one per run [R], so that one ensemble may train with many strengths.
    `only` restricts it to the parameters so named (default: all, biases included, as the studies do).
    Two penalties add up with `+`.
    """

    strength: Strength
    only: tuple[str, ...] | None = field(default=None, kw_only=True)

    smooth = False  # has a gradient everywhere
    scales = False  # its prox multiplies all weights of a run by one factor
    convex = True

    def __post_init__(self) -> None:
        strength = torch.as_tensor(self.strength)
        if strength.ndim > 1 or not bool(torch.isfinite(strength).all() & (strength >= 0).all()):
            raise InputError(f"strength of {type(self).__name__} must be finite and not negative, not {self.strength}")

    def __add__(self, other: Penalty) -> Penalty:
        return Total.of(self, other)

    def covered(self, params: Params) -> Iterable[tuple[str, Tensor]]:
        """The parameters that this penalty acts on."""
        for name in self.only or ():
            if name not in params:
                raise unknown("parameter", name, params, where=f"{type(self).__name__}(only=...)")
        return [(k, w) for k, w in params.items() if self.only is None or k in self.only]

    def strengths(self, count: int, like: Tensor) -> Penalty:
        """The same penalty with its strength as one number per run, [count]; refuses another length."""
        strength = torch.as_tensor(self.strength, dtype=like.dtype, device=like.device)
        if strength.ndim and len(strength) != count:
            raise InputError(f"{type(self).__name__} has {len(strength)} strengths for {count} runs")
        return replace(self, strength=strength.expand(count).contiguous())

    def select(self, index: Tensor) -> Penalty:
        """The penalty of the runs in `index`."""
        moved = {
            f.name: getattr(self, f.name)[index]
            for f in fields(self)
            if isinstance(getattr(self, f.name), Tensor) and getattr(self, f.name).ndim == 1
        }
        return replace(self, **moved)

    @abstractmethod
    def value(self, params: Params) -> Tensor:
        """strength * h(w) for each run, [R]."""

    def prox(self, params: Params, step: Step) -> Params:
        """argmin over u of 1/2 ||u - w||^2 / step + strength * h(u), parameter by parameter."""
        raise InputError(f"{type(self).__name__} has no closed-form prox; train it with SGD or Adam instead")

    def gradient(self, params: Params) -> Params:
        """The gradient of the value, for smooth penalties."""
        raise InputError(f"{type(self).__name__} is not smooth; ask for its residual or its prox")

    @abstractmethod
    def residual(self, params: Params, grad: Params) -> Tensor:
        """Distance to stationarity of loss + penalty, [R]: the largest entry of the shortest subgradient.

        `grad` is the gradient of the loss alone. Zero exactly at stationary points.
        """

    def strength_max(self, grad: Params) -> Tensor:
        """The smallest strength at which w = 0 is stationary, [R], from the loss gradient at w = 0."""
        raise InputError(f"{type(self).__name__} has no largest useful strength: no strength makes zero stationary")


def finite(value: float, name: str, low: float = -math.inf) -> float:
    """`value` if it is a finite number above `low`, else an error that names it."""
    if not (math.isfinite(value) and value > low):
        raise InputError(f"{name} must be a finite number above {low}, not {value!r}")
    return value


@dataclass(frozen=True)
class Total(Penalty):
    """The sum of several penalties; made with `L1(1e-5) + SquaredL2(1e-5)`. Its own `strength` is not used.

    The prox exists when all parts but one are `SquaredL2` on the same weights: the sharp part's prox, then the
    shrinking of the others, which for a positively homogeneous part (L1, GroupL2) is exact.
    """

    strength: float | Tensor = 1.0
    parts: tuple[Penalty, ...] = ()

    @classmethod
    def of(cls, *penalties: Penalty) -> Total:
        """The sum of `penalties`, with nested sums opened."""
        parts: list[Penalty] = []
        for p in penalties:
            parts.extend(p.parts if isinstance(p, Total) else [p])
        return cls(parts=tuple(parts))

    def strengths(self, count: int, like: Tensor) -> Penalty:
        return Total(parts=tuple(p.strengths(count, like) for p in self.parts))

    def select(self, index: Tensor) -> Penalty:
        return Total(parts=tuple(p.select(index) for p in self.parts))

    def value(self, params: Params) -> Tensor:
        return total_over(p.value(params) for p in self.parts)

    def _sharp_and_smooth(self) -> tuple[Penalty | None, list[Penalty]]:
        sharp = [p for p in self.parts if not p.smooth]
        if len(sharp) > 1:
            names = " + ".join(type(p).__name__ for p in sharp)
            raise InputError(f"{names}: the prox and residual of a sum need all parts but one to be smooth")
        return (sharp[0] if sharp else None), [p for p in self.parts if p.smooth]

    def prox(self, params: Params, step: Step) -> Params:
        sharp, smooth = self._sharp_and_smooth()
        if any(not p.scales or p.only for p in smooth) or (sharp is not None and sharp.only):
            raise InputError("the prox of a sum is known only for a penalty plus SquaredL2 on all weights")
        if len(smooth) > 1:
            raise InputError("add the strengths of several SquaredL2 into one before asking for the prox")
        new = sharp.prox(params, step) if sharp is not None else params
        for p in smooth:
            new = p.prox(new, step)
        return new

    def residual(self, params: Params, grad: Params) -> Tensor:
        sharp, smooth = self._sharp_and_smooth()
        total = dict(grad)
        for p in smooth if sharp is not None else smooth[:-1]:
            total = {k: total[k] + g for k, g in p.gradient(params).items()}
        return (sharp or smooth[-1]).residual(params, total)

    def strength_max(self, grad: Params) -> Tensor:
        raise InputError("a sum has no single largest useful strength; ask its parts")
