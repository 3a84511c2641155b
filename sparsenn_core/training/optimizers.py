"""Update rules: SGD, Adam and AdamW as `torch.optim` has them, and the proximal ones."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from sparsenn_core.errors import InputError
from sparsenn_core.penalties import Params, Step, per_run
from sparsenn_core.training.optimizer import Coefficients, Optimizer, Setting, State, float64


@dataclass(frozen=True)
class SGD(Optimizer):
    """Gradient descent: `torch.optim.SGD(lr, momentum, weight_decay=..., nesterov=...)`."""

    momentum: Setting = 0.0
    weight_decay: Setting = 0.0
    nesterov: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.nesterov and not bool((torch.as_tensor(self.momentum) > 0).all()):
            raise InputError("Nesterov's momentum needs momentum above 0")

    def init(self, params: Params) -> State:
        # without momentum in any run there is nothing to remember
        if not torch.as_tensor(self.momentum).any():
            return {}
        return {"momentum": {k: torch.zeros_like(w) for k, w in params.items()}}

    @property
    def steady(self) -> bool:
        return self.schedule is None

    def coefficients(self, step: int) -> Coefficients:
        return {"rate": self.rate(step)} | float64(momentum=self.momentum, weight_decay=self.weight_decay)

    def update(self, params: Params, grads: Params, state: State, by: Coefficients) -> tuple[Params, State, Step]:
        moves = {k: grads[k] + per_run(by["weight_decay"], w) * w for k, w in params.items()}
        if "momentum" in state:
            slopes = moves
            moves = {k: per_run(by["momentum"], m) * state["momentum"][k] + m for k, m in slopes.items()}
            state = {"momentum": moves}
            if self.nesterov:
                moves = {k: slopes[k] + per_run(by["momentum"], m) * m for k, m in moves.items()}
        new = {k: w - per_run(by["rate"], w) * moves[k] for k, w in params.items()}
        return new, state, by["rate"]

    def update_(
        self, weights: Tensor, grads: Tensor, state: dict[str, Tensor], step: int, settings: dict[str, float]
    ) -> None:
        memory = list(state.values()) if settings["momentum"] else []
        torch._fused_sgd_(
            [weights], [grads], memory, lr=settings["learning_rate"] * self.factor(step),
            momentum=settings["momentum"], weight_decay=settings["weight_decay"], dampening=0.0,
            nesterov=self.nesterov, maximize=False, is_first_step=False,
        )  # fmt: skip


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

    decoupled = False

    def init(self, params: Params) -> State:
        return {moment: {k: torch.zeros_like(w) for k, w in params.items()} for moment in ("first", "second")}

    def coefficients(self, step: int) -> Coefficients:
        by = float64(beta1=self.beta1, beta2=self.beta2, eps=self.eps, weight_decay=self.weight_decay)
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
            g = grads[k] if self.decoupled else grads[k] + c["weight_decay"] * w
            kept = w * (1 - c["rate"] * c["weight_decay"]) if self.decoupled else w
            first[k] = state["first"][k] + c["weight1"] * (g - state["first"][k])
            second[k] = c["beta2"] * state["second"][k] + c["weight2"] * g.square()
            denominator = second[k].sqrt() / c["correction"] + c["eps"]
            new[k] = kept - c["corrected_rate"] * (first[k] / denominator)
            steps[k] = c["rate"] / denominator
        return new, {"first": first, "second": second}, steps

    def update_(
        self, weights: Tensor, grads: Tensor, state: dict[str, Tensor], step: int, settings: dict[str, float]
    ) -> None:
        kernel = torch._fused_adamw_ if self.decoupled else torch._fused_adam_
        kernel(
            [weights], [grads], [state["first"]], [state["second"]], [],
            [torch.tensor(float(step), device=weights.device)], lr=settings["learning_rate"] * self.factor(step),
            beta1=settings["beta1"], beta2=settings["beta2"], weight_decay=settings["weight_decay"],
            eps=settings["eps"], amsgrad=False, maximize=False,
        )  # fmt: skip


@dataclass(frozen=True)
class AdamW(Adam):
    """`torch.optim.AdamW`: weight decay shrinks the weights and is no part of the gradient (Loshchilov & Hutter 2019).

    PyTorch's default of 0.01 for the weight decay is not taken over: it is 0 unless it is given.
    """

    decoupled = True


@dataclass(frozen=True)
class ProximalAdam(Adam):
    """Adam on the loss, then the prox with Adam's own step size for every weight, rate / (sqrt(v) + eps).

    The scaled prox minimises the stated objective; shrinking every weight by the plain learning rate would not. Needs
    a penalty whose prox takes a step per weight.
    """

    proximal = True
