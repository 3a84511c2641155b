"""Update rules with settings of their own for each run."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Any

import torch
from torch import Tensor

from sparsenn_core.errors import InputError
from sparsenn_core.penalties import Params, Step, per_run

State = dict[str, Params]
Coefficients = dict[str, Tensor]
Schedule = Callable[[int], float]
Setting = float | Tensor


def cosine(steps: int, final: float = 0.0) -> Schedule:
    """A schedule for `learning_rate`: the factor falls from 1 to `final` along half a cosine over `steps` steps."""

    def factor(step: int) -> float:
        return final + (1 - final) * (1 + math.cos(math.pi * min(step - 1, steps) / steps)) / 2

    return factor


@dataclass(frozen=True)
class Optimizer(ABC):
    """An update rule. Every numeric setting is one number, or one per run [R].

    `proximal` rules take the gradient of the loss alone and then the penalty's prox; the others take the gradient of
    loss + penalty. `schedule` multiplies the learning rate with a function of the step number (1, 2, ...).
    """

    learning_rate: Setting
    schedule: Schedule | None = None

    proximal = False

    def __post_init__(self) -> None:
        for name in self._settings():
            value = torch.as_tensor(getattr(self, name), dtype=torch.float64)
            high = math.inf if name in ("learning_rate", "weight_decay", "eps") else 1.0
            if value.ndim > 1 or not bool(((value >= 0) & (value < high)).all()):
                limit = "" if high == math.inf else " and below 1"
                raise InputError(f"{name} of {type(self).__name__} must not be negative{limit}: {getattr(self, name)}")

    def _settings(self) -> list[str]:
        return [f.name for f in fields(self) if f.name != "schedule"]

    def for_runs(self, count: int, device: torch.device) -> Optimizer:
        """The same rule with every setting as a float64 tensor of one number per run, [count]."""
        wide: dict[str, Any] = {}
        for name in self._settings():
            value = torch.as_tensor(getattr(self, name), dtype=torch.float64, device=device)
            if value.ndim and len(value) != count:
                raise InputError(f"{name} of {type(self).__name__} has {len(value)} values for {count} runs")
            wide[name] = value.expand(count).contiguous()
        return replace(self, **wide)

    def select(self, index: Tensor) -> Optimizer:
        """The rule of the runs in `index`; only after `for_runs`."""
        return replace(self, **{name: getattr(self, name)[index] for name in self._settings()})

    def rate(self, step: int) -> Tensor:
        """The learning rate at `step`, float64, [] or [R]."""
        rate = torch.as_tensor(self.learning_rate, dtype=torch.float64)
        return rate if self.schedule is None else rate * self.schedule(step)

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


def _float64(**settings: Setting) -> Coefficients:
    return {name: torch.as_tensor(value, dtype=torch.float64) for name, value in settings.items()}


@dataclass(frozen=True)
class SGD(Optimizer):
    """Gradient descent with momentum and weight decay: `torch.optim.SGD(lr, momentum, weight_decay=...)`."""

    momentum: Setting = 0.0
    weight_decay: Setting = 0.0

    def init(self, params: Params) -> State:
        # without momentum in any run there is nothing to remember
        if not torch.as_tensor(self.momentum).any():
            return {}
        return {"momentum": {k: torch.zeros_like(w) for k, w in params.items()}}

    @property
    def steady(self) -> bool:
        return self.schedule is None

    def coefficients(self, step: int) -> Coefficients:
        return {"rate": self.rate(step)} | _float64(momentum=self.momentum, weight_decay=self.weight_decay)

    def update(self, params: Params, grads: Params, state: State, by: Coefficients) -> tuple[Params, State, Step]:
        moves = {k: grads[k] + per_run(by["weight_decay"], w) * w for k, w in params.items()}
        if "momentum" in state:
            moves = {k: per_run(by["momentum"], m) * state["momentum"][k] + m for k, m in moves.items()}
        new = {k: w - per_run(by["rate"], w) * moves[k] for k, w in params.items()}
        return new, dict.fromkeys(state, moves), by["rate"]


@dataclass(frozen=True)
class ProximalSGD(SGD):
    """Proximal gradient descent: an SGD step of the loss, then the penalty's prox with the learning rate as its step.

    Without momentum its fixed points are the stationary points of loss + penalty; exact zeros appear.
    """

    proximal = True


@dataclass(frozen=True)
class Adam(Optimizer):
    """`torch.optim.Adam(lr, betas=(beta1, beta2), eps, weight_decay)`, weight decay added to the gradient."""

    beta1: Setting = 0.9
    beta2: Setting = 0.999
    eps: Setting = 1e-8
    weight_decay: Setting = 0.0

    def init(self, params: Params) -> State:
        return {moment: {k: torch.zeros_like(w) for k, w in params.items()} for moment in ("first", "second")}

    def coefficients(self, step: int) -> Coefficients:
        by = _float64(beta1=self.beta1, beta2=self.beta2, eps=self.eps, weight_decay=self.weight_decay)
        return {
            "rate": self.rate(step),
            "corrected_rate": self.rate(step) / (1 - by["beta1"] ** step),
            "correction": (1 - by["beta2"] ** step).sqrt(),
            "weight1": 1 - by["beta1"],
            "weight2": 1 - by["beta2"],
            **by,
        }

    def update(self, params: Params, grads: Params, state: State, by: Coefficients) -> tuple[Params, State, Step]:
        first, second, steps, new = {}, {}, {}, {}
        for k, w in params.items():
            c = {name: per_run(value, w) for name, value in by.items()}
            g = grads[k] + c["weight_decay"] * w
            first[k] = state["first"][k] + c["weight1"] * (g - state["first"][k])
            second[k] = c["beta2"] * state["second"][k] + c["weight2"] * g.square()
            denominator = second[k].sqrt() / c["correction"] + c["eps"]
            new[k] = w - c["corrected_rate"] * (first[k] / denominator)
            steps[k] = c["rate"] / denominator
        return new, {"first": first, "second": second}, steps


@dataclass(frozen=True)
class ProximalAdam(Adam):
    """Adam on the loss, then the prox with Adam's own step size for every weight, rate / (sqrt(v) + eps).

    The scaled prox minimises the stated objective; shrinking every weight by the plain learning rate would not. Needs
    a penalty whose prox takes a step per weight (L1, SquaredL2, their sum).
    """

    proximal = True
