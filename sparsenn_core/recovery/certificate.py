"""Can L1 keep a support? The first-order condition on the weights that are zero, at the optimum on the others."""

from __future__ import annotations

import copy
import math
import warnings
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.func import functional_call, jvp, vmap

from sparsenn_core.errors import InputError
from sparsenn_core.training import ConvergenceWarning

STEPS, HALVINGS = 200, 40
TOGETHER = 32  # weights whose slopes are computed at a time
CONVERGED = 1e-3
"""Of the strength: slopes are read to three digits in units of the strength."""


@dataclass(frozen=True)
class SupportCertificate:
    """What `support_certificate` found.

    network    the optimum on the support, float64
    slopes     by parameter, of its shape: |dL/dw| / strength where the weight is zero, NaN on the support
    residual   the largest |dL/dw + strength sign(w)| / strength on the support; 0 at the optimum
    dropped    weights of the given support that are zero at the optimum
    """

    network: nn.Module
    slopes: dict[str, Tensor]
    residual: float
    dropped: int

    @property
    def largest(self) -> dict[str, float]:
        """The largest slope of each parameter that has zeros: above 1 some of them want to leave zero."""
        return {k: float(v[~v.isnan()].max()) for k, v in self.slopes.items() if bool((~v.isnan()).any())}

    @property
    def converged(self) -> bool:
        """Whether the optimum on the support was reached, to a thousandth of the strength."""
        return self.residual <= CONVERGED

    @property
    def holds(self) -> bool:
        """Whether the optimum on the support is stationary for all weights: the support can be that of a minimiser."""
        return self.converged and max(self.largest.values()) <= 1


def support_certificate(network: nn.Module, x: Tensor, y: Tensor, strength: float) -> SupportCertificate:
    """Whether the weights of `network` that are not zero can be the support of a minimiser of

        mean squared error(network(x), y) + strength sum |w|,   x [n, ...], y as the outputs, all in float64.

    The objective is minimised over the weights that are not zero, from where they are, without their changing sign (one
    that reaches zero is dropped); the others stay zero. There a minimiser needs |dL/dw| <= strength for each of them.
    Where one is larger, no stationary point of the L1 objective has this support and lies on this branch: L1 alone does
    not recover it, however long it is trained. The condition is necessary; it is sufficient for a local minimum only
    where the loss is convex nearby. It is the dual certificate of the lasso (Wainwright 2009, IEEE Trans. Inf. Theory
    55(5), primal-dual witness), written for a network.

    Gauss-Newton steps with damping, up to 200; for s weights on the support each takes s passes of the network,
    O(n s out) memory and O(n s^2 out) time. `ConvergenceWarning` where they end early. `InputError`, in one line, for a
    strength that is not positive, data that do not fit, and a network with no zero or nothing else.
    """
    if not (isinstance(strength, int | float) and math.isfinite(strength) and strength > 0):
        raise InputError(f"the strength of a certificate is a number above 0, not {strength!r}")
    found = copy.deepcopy(network).double().eval()
    x, y = x.double(), y.double()
    _check(found, x, y)
    problem = _Problem(found, x, y, float(strength))
    weights, residual = _optimum(problem)
    nn.utils.vector_to_parameters(problem.whole(weights), found.parameters())
    if residual > CONVERGED:
        warnings.warn(
            f"the optimum on the support was not reached: residual {residual:.1e} of the strength", ConvergenceWarning,
            stacklevel=2,
        )  # fmt: skip
    return SupportCertificate(found, problem.slopes(weights), residual, int((weights == 0).sum()))


def _check(network: nn.Module, x: Tensor, y: Tensor) -> None:
    with torch.no_grad():
        outputs = network(x)
    if not isinstance(outputs, Tensor) or outputs.shape != y.shape:
        shape = list(outputs.shape) if isinstance(outputs, Tensor) else type(outputs).__name__
        raise InputError(f"the network gives {shape}, the targets are {list(y.shape)}")
    if not bool(outputs.isfinite().all() and y.isfinite().all()):
        raise InputError("outputs and targets of a certificate must be finite")
    weights = nn.utils.parameters_to_vector(network.parameters())
    if bool((weights != 0).all()) or bool((weights == 0).all()):
        raise InputError("a support is what is not zero: the network needs weights that are zero and some that are not")


class _Problem:
    """The objective as a function of the weights on the support, [s]."""

    def __init__(self, network: nn.Module, x: Tensor, y: Tensor, strength: float) -> None:
        self.network, self.x, self.y, self.strength = network, x, y, strength
        start = nn.utils.parameters_to_vector(network.parameters()).detach()
        self.support = start.nonzero()[:, 0]
        self.start = start[self.support]
        self.signs = self.start.sign()
        self.empty = torch.zeros_like(start)

    def whole(self, weights: Tensor) -> Tensor:
        """All weights in one vector, zeros included."""
        return self.empty.index_put((self.support,), weights)

    def outputs(self, whole: Tensor) -> Tensor:
        """The network's outputs with these weights, flat."""
        params, start = {}, 0
        for name, p in self.network.named_parameters():
            params[name] = whole[start : start + p.numel()].view_as(p)
            start += p.numel()
        out: Tensor = functional_call(self.network, params, (self.x,))
        return out.flatten()

    @torch.no_grad()
    def value(self, weights: Tensor) -> float:
        """Mean squared error and penalty."""
        miss = self.outputs(self.whole(weights)) - self.y.flatten()
        return float(miss.square().mean() + self.strength * weights.abs().sum())

    def curved(self, weights: Tensor) -> tuple[Tensor, Tensor]:
        """The gradient [s], penalty included by the given signs, and the Gauss-Newton matrix [s, s]."""

        def along(direction: Tensor) -> Tensor:
            out: Tensor = jvp(lambda w: self.outputs(self.whole(w)), (weights,), (direction,))[1]
            return out

        # forward: a support has few weights, and samples are many
        columns = torch.eye(len(weights), dtype=weights.dtype).split(TOGETHER)
        jacobian = torch.cat([vmap(along)(chunk) for chunk in columns]).detach()
        with torch.no_grad():
            miss = self.outputs(self.whole(weights)) - self.y.flatten()
        gradient = 2 / len(miss) * (jacobian @ miss) + self.strength * self.signs
        return gradient, 2 / len(miss) * (jacobian @ jacobian.T)

    def slopes(self, weights: Tensor) -> dict[str, Tensor]:
        """|dL/dw| over the strength at weights that are zero, NaN at others."""
        with torch.enable_grad():
            whole = self.whole(weights).requires_grad_()
            (self.outputs(whole) - self.y.flatten()).square().mean().backward()
        assert whole.grad is not None
        share = (whole.grad.abs() / self.strength).where(whole.detach() == 0, torch.nan)
        parts = share.split([p.numel() for p in self.network.parameters()])
        return {k: v.view_as(p) for (k, p), v in zip(self.network.named_parameters(), parts, strict=True)}


def _optimum(problem: _Problem) -> tuple[Tensor, float]:
    """Weights [s] of the least objective found on the support, and the largest slope left, over the strength."""
    weights, damping, value = problem.start, 1e-3, problem.value(problem.start)
    residual = math.inf
    for _ in range(STEPS):
        gradient, matrix = problem.curved(weights)
        free = weights != 0
        residual = float(gradient[free].abs().max()) / problem.strength if bool(free.any()) else 0.0
        if residual < CONVERGED / 10:
            break
        for _ in range(HALVINGS):
            step = _step(gradient[free], matrix[free][:, free], damping)
            trial = weights.clone()
            trial[free] -= step
            # a weight may reach zero, not cross it
            trial = torch.where(trial * problem.signs > 0, trial, 0.0)
            now = problem.value(trial)
            if now < value:
                break
            damping *= 4
        else:
            break
        weights, value, damping = trial, now, max(damping / 10, 1e-12)
    return weights, residual


def _step(gradient: Tensor, matrix: Tensor, damping: float) -> Tensor:
    """A damped step; damping counts in units of the largest curvature (Levenberg and Marquardt)."""
    scale = float(matrix.diagonal().max()) or 1.0
    return torch.linalg.solve(matrix + damping * scale * torch.eye(len(matrix), dtype=matrix.dtype), gradient)
