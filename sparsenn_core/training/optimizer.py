"""What every update rule answers, with settings of its own for each run."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, field, fields, replace
from typing import Any

import torch
from torch import Tensor

from sparsenn_core.errors import InputError
from sparsenn_core.penalties import Params, Step, per_run
from sparsenn_core.training.schedules import InSteps, Schedule

State = dict[str, Params]
Coefficients = dict[str, Tensor]
Setting = float | Tensor
"""One number for all runs, or one per run [R]."""
BELOW_ONE = ("momentum", "beta1", "beta2")
SWITCHES = ("schedule", "nesterov")


@dataclass(frozen=True)
class Optimizer(ABC):
    """An update rule. Every numeric setting is one number, or one per run [R].

    `proximal` rules take the gradient of the loss alone and then the penalty's prox; the others take the gradient of
    loss + penalty. `schedule` multiplies the learning rate with a function of the step number (1, 2, ...), or with
    `by_epoch` of the epoch's. Gradients longer than `clip_norm` are shortened to it, each run's by itself, as
    `torch.nn.utils.clip_grad_norm_` does.
    """

    learning_rate: Setting
    schedule: Schedule | None = None
    clip_norm: Setting = field(default=math.inf, kw_only=True)

    proximal = False

    def __post_init__(self) -> None:
        for name in self._settings():
            try:
                value = torch.as_tensor(getattr(self, name), dtype=torch.float64)
            except (TypeError, ValueError, RuntimeError):
                raise InputError(f"{name} of {type(self).__name__} is no number: {getattr(self, name)!r}") from None
            high = 1.0 if name in BELOW_ONE else math.inf
            inside = (value >= 0) & ((value < high) | (name == "clip_norm"))
            if value.ndim > 1 or not bool(inside.all()):
                limit = "" if high == math.inf else " and below 1"
                raise InputError(f"{name} of {type(self).__name__} must not be negative{limit}: {getattr(self, name)}")
        if self.schedule is not None and not callable(self.schedule):
            raise InputError(f"schedule of {type(self).__name__} is a function of the step, not {self.schedule!r}")

    def _settings(self) -> list[str]:
        return [f.name for f in fields(self) if f.name not in SWITCHES]

    def for_runs(self, count: int, device: torch.device, steps_per_epoch: int = 1) -> Optimizer:
        """The same rule with every setting as a float64 tensor of one number per run, [count]."""
        wide: dict[str, Any] = {}
        for name in self._settings():
            value = torch.as_tensor(getattr(self, name), dtype=torch.float64, device=device)
            if value.ndim and len(value) != count:
                raise InputError(f"{name} of {type(self).__name__} has {len(value)} values for {count} runs")
            wide[name] = value.expand(count).contiguous()
        if self.schedule is not None:
            wide["schedule"] = InSteps(self.schedule, steps_per_epoch)
        return replace(self, **wide)

    def select(self, index: Tensor | slice) -> Optimizer:
        """The rule of the runs in `index`; only after `for_runs`."""
        return replace(self, **{name: getattr(self, name)[index] for name in self._settings()})

    def factor(self, step: int) -> float:
        """What the schedule multiplies the learning rate with at `step`."""
        factor = 1.0 if self.schedule is None else self.schedule(step)
        if not isinstance(factor, int | float) or not math.isfinite(factor):
            raise InputError(f"the schedule gave {factor!r} at step {step}, and a finite number is needed")
        return factor

    def rate(self, step: int) -> Tensor:
        """The learning rate at `step`, float64, [] or [R]."""
        return torch.as_tensor(self.learning_rate, dtype=torch.float64) * self.factor(step)

    @property
    def clips(self) -> bool:
        """Whether gradients of any run are shortened."""
        # asked at every step, so that one number must not cost a tensor
        norm = self.clip_norm
        return bool(torch.isfinite(norm).any()) if isinstance(norm, Tensor) else math.isfinite(norm)

    def clipped(self, grads: Params) -> Params:
        """The gradients of every run, shortened to its `clip_norm`."""
        if not self.clips:
            return grads
        first = next(iter(grads.values()))
        norms = torch.stack([g.flatten(1).square().sum(1) for g in grads.values()]).sum(0).sqrt()
        limit = torch.as_tensor(self.clip_norm, dtype=first.dtype, device=first.device)
        # the 1e-6 is PyTorch's
        factor = (limit / (norms + 1e-6)).clamp(max=1)
        return {k: g * per_run(factor, g) for k, g in grads.items()}

    def rows(self) -> Iterator[tuple[slice, dict[str, float]]]:
        """Runs of equal settings together: all of them, or each by itself. Only after `for_runs`."""
        wide = {name: getattr(self, name) for name in self._settings()}
        count = len(self.learning_rate) if isinstance(self.learning_rate, Tensor) else 1
        alike = all(bool((value == value[0]).all()) for value in wide.values())
        for start, stop in [(0, count)] if alike else [(r, r + 1) for r in range(count)]:
            yield slice(start, stop), {name: float(value[start]) for name, value in wide.items()}

    @abstractmethod
    def coefficients(self, step: int) -> Coefficients:
        """What multiplies the weights at `step` (1, 2, ...), in float64, [] or [R] each.

        Apart from `update` because float64 is needed here (in float32, 1 - 0.999 is already wrong in the fifth
        digit) and because a compiled update would work it out anew for every weight.
        """

    @property
    def steady(self) -> bool:
        """Whether the coefficients are the same at every step."""
        return False

    @abstractmethod
    def init(self, params: Params) -> State:
        """The state before the first step."""

    @abstractmethod
    def update(self, params: Params, grads: Params, state: State, by: Coefficients) -> tuple[Params, State, Step]:
        """One step: new parameters, new state, and the step size that a prox must use."""

    def update_(
        self, weights: Tensor, grads: Tensor, state: dict[str, Tensor], step: int, settings: dict[str, float]
    ) -> None:
        """The same step in place, for runs of equal settings: weights, gradients and state [r, numbers].

        By PyTorch's fused kernels, which pass through memory once.
        """
        raise InputError(f"{type(self).__name__} has no update in place")

    @property
    def in_place(self) -> bool:
        """Whether there is `update_`."""
        return type(self).update_ is not Optimizer.update_ and not self.proximal


def float64(**settings: Setting) -> Coefficients:
    """Settings as coefficients."""
    return {name: torch.as_tensor(value, dtype=torch.float64) for name, value in settings.items()}
