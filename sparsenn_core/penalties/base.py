"""What every penalty answers, and what it may decline to answer."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import ClassVar, TypeAlias

import torch
from torch import Tensor
from torch.func import grad

from sparsenn_core.errors import InputError, unknown
from sparsenn_core.penalties.runs import by_run, selected, widened

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
class Penalty:
    """A penalty strength * h(w) for each of R stacked runs.

    `strength` is not negative: one number, or one per run [R], so that one ensemble may train with many strengths.
    `only` restricts it to the parameters so named, `weights_only` to those with two or more dimensions, which leaves
    out biases and normalisation layers; give one of the two. Default: all parameters, biases included, as the studies
    do. Penalties add up with `+`.

    A penalty of your own is a frozen dataclass with `value`; that is enough for SGD and Adam:

        @dataclass(frozen=True)
        class Smoothed(Penalty):
            width: float = 0.1
            smooth = True

            def value(self, params):
                return self.strength * sum(sum_runs((w**2 + self.width**2).sqrt()) for _, w in self.covered(params))

    `value` returns one number per run, [R], not their sum. With `smooth = True` (a gradient everywhere) `gradient` and
    `residual` follow from `value` by automatic differentiation; else write `residual`. Proximal optimizers need `prox`.
    Fields other than `strength` that differ by run, tensors [R, ...] or dicts of them, are named in `per_run_fields`;
    other fields with tensors in `shared_fields`. A tensor in neither is refused.
    """

    strength: Strength
    only: tuple[str, ...] | None = field(default=None, kw_only=True)
    weights_only: bool = field(default=False, kw_only=True)

    smooth = False  # has a gradient everywhere
    convex = True
    per_run_fields: ClassVar[tuple[str, ...]] = ()
    shared_fields: ClassVar[tuple[str, ...]] = ()
    # `Total.of`; it is put here by `total`, which knows all penalties, and these know this module
    _sum_of: ClassVar[Callable[..., Penalty]]

    def __post_init__(self) -> None:
        kind = type(self).__name__
        try:
            strength = torch.as_tensor(self.strength, dtype=torch.float64)
        except (TypeError, ValueError, RuntimeError):
            raise InputError(f"strength of {kind} must be a number, or one a run, not {self.strength!r}") from None
        if strength.ndim > 1 or not bool(torch.isfinite(strength).all() & (strength >= 0).all()):
            raise InputError(f"strength of {kind} must be finite and not negative, not {self.strength}")
        if self.only is not None and (isinstance(self.only, str) or not self.only):
            raise InputError(f"{kind}: only must be names of parameters, e.g. ('layers.0.weight',), not {self.only!r}")
        if self.only is not None and self.weights_only:
            raise InputError(f"{kind}: give only= or weights_only=True, not both; only={self.only} says it all")

    def __add__(self, other: Penalty) -> Penalty:
        return self._sum_of(self, other) if isinstance(other, Penalty) else NotImplemented

    def covered(self, params: Params) -> list[tuple[str, Tensor]]:
        """The parameters that this penalty acts on; `InputError` for names that `params` lack, and for none at all."""
        if self.weights_only:
            chosen = [(k, w) for k, w in params.items() if w.ndim > 2]
            if not chosen:
                raise InputError(f"{type(self).__name__}(weights_only=True): no parameter has two dimensions or more")
            return chosen
        for name in self.only or ():
            if name not in params:
                raise unknown("parameter", name, params, where=f"{type(self).__name__}(only=...)")
        return [(k, w) for k, w in params.items() if self.only is None or k in self.only]

    def strengths(self, count: int, like: Tensor) -> Penalty:
        """The same penalty with every field that differs by run as [count, ...]; refuses another length.

        Call it once before `select`. Numbers are repeated; `like` gives type and device.
        """
        kind, mine = type(self).__name__, by_run(self)
        try:
            strength = torch.as_tensor(self.strength, dtype=torch.float64)
        except (TypeError, ValueError, RuntimeError):
            raise InputError(f"strength of {kind} must be a number, or one a run, not {self.strength!r}") from None
        if strength.ndim and len(strength) != count:
            raise InputError(f"{kind} has {len(strength)} strengths for {count} runs")
        return replace(self, **{name: widened(v, count, like, f"{kind}.{name}") for name, v in mine.items()})

    def select(self, index: Tensor) -> Penalty:
        """The penalty of the runs in `index`."""
        return replace(self, **{name: selected(v, index) for name, v in by_run(self).items()})

    def value(self, params: Params) -> Tensor:
        """strength * h(w) for each run, [R]."""
        raise InputError(f"{type(self).__name__} does not say its value; write value(self, params) -> [R]")

    def prox(self, params: Params, step: Step) -> Params:
        """argmin over u of 1/2 ||u - w||^2 / step + strength * h(u), parameter by parameter."""
        raise InputError(f"{type(self).__name__} has no closed-form prox; train it with SGD or Adam instead")

    def gradient(self, params: Params) -> Params:
        """The gradient of the value, for smooth penalties: by automatic differentiation unless written out."""
        if not self.smooth:
            raise InputError(f"{type(self).__name__} is not smooth; ask for its residual or its prox")
        return grad(lambda leaves: self.value(leaves).sum())(params)

    def residual(self, params: Params, grad: Params) -> Tensor:
        """Distance to stationarity of loss + penalty, [R]: the largest entry of the shortest subgradient.

        `grad` is the gradient of the loss alone. Zero exactly at stationary points. This default is for smooth
        penalties, whose only subgradient is the gradient.
        """
        if not self.smooth:
            raise InputError(
                f"{type(self).__name__} has no residual: write residual(self, params, grad), or declare smooth = True "
                "if its value has a gradient everywhere"
            )
        own = self.gradient(params)
        return torch.stack([max_runs((grad[k] + own[k]).abs()) for k in grad]).amax(0)

    def strength_max(self, grad: Params) -> Tensor:
        """The smallest strength at which w = 0 is stationary, [R], from the loss gradient at w = 0."""
        raise InputError(f"{type(self).__name__} has no largest useful strength: no strength makes zero stationary")

    def _worst_elsewhere(self, grad: Params) -> list[Tensor]:
        """The largest gradient, [R], of each parameter that is not covered: there the loss alone counts."""
        mine = {k for k, _ in self.covered(grad)}
        return [max_runs(g.abs()) for k, g in grad.items() if k not in mine]


def finite(value: float, name: str, low: float = -math.inf) -> float:
    """`value` if it is a finite number above `low`, else an error that names it."""
    if not (math.isfinite(value) and value > low):
        raise InputError(f"{name} must be a finite number above {low}, not {value!r}")
    return value
