"""Distance to the teacher during gradient descent, in closed form.

Full-batch gradient descent on the mean squared error, with targets teacher(x) + noise, moves the displacement d of
the student from the teacher, to first order in d and noise, by

    d(t + 1) = d(t) - eta (H d(t) - g + a),    H = (2 / (n out)) J^T J,    g = (2 / (n out)) J^T noise,

J the Jacobian of the outputs at the teacher, a the constant force of a penalty (its gradient at the teacher). Along an
eigenvector of H with eigenvalue l, with c = (1 - eta l)^t and h = (1 - c) / l (eta t where l = 0),

    d(t) = c d(0) + h (g - a),    and over noise of standard deviation sigma,    E g^2 = (2 sigma^2 / (n out)) l.

So without noise and force the distance never grows while eta l <= 1; noise moves stiff directions at once and the
others ever further; and the squared distance is proportional to sigma^2 when the student starts at the teacher.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from sparsenn_core.errors import InputError
from sparsenn_core.linearized.jacobian import Direction, double_copy, double_inputs, flat_direction, jacobian_tiles

_BLOCK = 1000  # steps worked out at once


@dataclass(frozen=True)
class Linearization:
    """A network linearized at its weights, on given inputs; made by `Linearization.at`.

    eigenvalues  [P] of the Gauss-Newton matrix H, largest first, none negative; below about 1e-15 of the first they
                 are rounding (`spectrum` is not), which no curve shows
    directions   [P, P] its eigenvectors, as columns
    """

    eigenvalues: Tensor
    directions: Tensor
    net: nn.Module
    inputs: Tensor
    outputs: Tensor

    @classmethod
    def at(cls, net: nn.Module, inputs: Tensor) -> Linearization:
        """Linearize `net` on `inputs` [n, ...]. Cost: n backward passes and an eigendecomposition [P, P]; about 1 s
        for 751 parameters and 10,000 samples. The Jacobian itself is never held as a whole.
        """
        net, x = double_copy(net), double_inputs(inputs)
        with torch.no_grad():
            outputs = net(x)
        gram = sum(j.T @ j for j in jacobian_tiles(net, x))
        values, vectors = torch.linalg.eigh(gram * (2 / outputs.numel()))
        return cls(values.flip(0).clamp(min=0), vectors.flip(1), net, x, outputs)

    def squared_distance(
        self,
        *,
        learning_rate: float,
        steps: int,
        noise: Tensor | None = None,
        sigma: float | None = None,
        displacement: Direction | None = None,
        spread: float = 0.0,
        force: Direction | None = None,
    ) -> Tensor:
        """||d(t)||^2 at t = 0 .. steps of full-batch gradient descent on the mean squared error, float64 [steps + 1].

        First order in noise and displacement (Gauss-Newton), so exact as both go to zero.
        `noise` [n, out] is what was added to the targets, and gives the realised curve; `sigma` gives the expectation
        over Gaussian noise instead. `displacement` is d(0), default zero; `spread` adds the expectation over a random
        start of that standard deviation in every parameter. `force` is a penalty's gradient at the teacher.
        """
        blocks = self._squares(learning_rate, steps, noise, sigma, displacement, spread, force)
        return torch.cat([squares.sum(1) for squares in blocks])

    def function_error(
        self,
        *,
        learning_rate: float,
        steps: int,
        noise: Tensor | None = None,
        sigma: float | None = None,
        displacement: Direction | None = None,
        spread: float = 0.0,
        force: Direction | None = None,
    ) -> Tensor:
        """Mean squared difference of student and teacher on the inputs, to first order, at t = 0 .. steps; arguments
        as for `squared_distance`. It is d^T H d / 2, the Fisher-weighted squared distance.
        """
        blocks = self._squares(learning_rate, steps, noise, sigma, displacement, spread, force)
        return torch.cat([squares @ (self.eigenvalues / 2) for squares in blocks])

    def pull(self, noise: Tensor) -> Tensor:
        """g in the eigenvectors' coordinates, [P], for the noise [n, out] (or [n] for one output) of the targets."""
        if noise.shape != self.outputs.shape and noise.shape != self.outputs.squeeze(1).shape:
            raise InputError(f"noise has shape {tuple(noise.shape)}, the outputs have {tuple(self.outputs.shape)}")
        weights = noise.detach().to(torch.float64).reshape(self.outputs.shape) * (2 / self.outputs.numel())
        params = list(self.net.parameters())
        with torch.enable_grad():
            grads = torch.autograd.grad((self.net(self.inputs) * weights).sum(), params)
        return self.directions.T @ torch.cat([g.flatten() for g in grads])

    def _squares(
        self,
        learning_rate: float,
        steps: int,
        noise: Tensor | None,
        sigma: float | None,
        displacement: Direction | None,
        spread: float,
        force: Direction | None,
    ) -> Iterator[Tensor]:
        """(Expected) squares of d(t) along every eigenvector, [steps, P], a block of steps at a time."""
        _check(learning_rate, steps, noise, sigma, spread)
        values = self.eigenvalues
        start = drive = torch.zeros_like(values)
        if displacement is not None:
            start = self.directions.T @ flat_direction(displacement, self.net, "displacement")
        if noise is not None:
            drive = self.pull(noise)
        if force is not None:
            drive = drive - self.directions.T @ flat_direction(force, self.net, "force")
        variance = (sigma or 0.0) ** 2 * (2 / self.outputs.numel()) * values
        for t in torch.arange(steps + 1, dtype=torch.float64).split(_BLOCK):
            kept, gained = _response(values, learning_rate, t[:, None])
            yield (kept * start + gained * drive).square() + kept.square() * spread**2 + gained.square() * variance


def _response(values: Tensor, rate: float, t: Tensor) -> tuple[Tensor, Tensor]:
    """c = (1 - eta l)^t and h = (1 - c) / l for eigenvalues [P] and steps [T, 1]."""
    contraction = rate * values
    kept = (1 - contraction) ** t
    # 1 - c would cancel where eta l is small, and expm1 needs eta l < 1
    slow = contraction < 0.5
    lost = torch.where(slow, -torch.expm1(t * torch.log1p(-contraction.where(slow, 0))), 1 - kept)
    return kept, torch.where(values > 0, lost / values.where(values > 0, 1), rate * t)


def _check(learning_rate: float, steps: int, noise: Tensor | None, sigma: float | None, spread: float) -> None:
    if noise is not None and sigma is not None:
        raise InputError("give noise for the realised curve or sigma for its expectation, not both")
    if not (math.isfinite(learning_rate) and learning_rate > 0):
        raise InputError(f"learning_rate must be positive, not {learning_rate!r}")
    if isinstance(steps, bool) or not isinstance(steps, int) or steps < 0:
        raise InputError(f"steps must be a whole number from 0, not {steps!r}")
    for name, value in (("sigma", sigma or 0.0), ("spread", spread)):
        if not (math.isfinite(value) and value >= 0):
            raise InputError(f"{name} must not be negative, not {value!r}")


@dataclass(frozen=True)
class TurningPoint:
    """Where curves [..., steps + 1] are lowest; each field has the leading shape of the curves.

    step      first step at which the least value is reached: when to stop
    least     that value
    approach  how far the curve fell, 1 - least / start (0 for a curve that starts at 0)
    rebound   how far it rose again, end / least - 1 (infinite for a curve that leaves 0)
    """

    step: Tensor
    least: Tensor
    approach: Tensor
    rebound: Tensor


def turning_point(curves: Tensor) -> TurningPoint:
    """The turning points of curves of squared distances (from 0 on the last axis is step 0, 1, ...).

    Of `Linearization.squared_distance` they predict when early stopping would leave the student closest to its teacher.
    """
    if curves.ndim < 1 or curves.shape[-1] < 2 or not bool((curves >= 0).all()):
        raise InputError("turning_point: need curves of two or more numbers, none negative or NaN")
    least, step = curves.min(-1)
    start, end = curves[..., 0], curves[..., -1]
    approach = torch.where(start > 0, 1 - least / start, 0.0)
    rebound = torch.where(end > least, end / least - 1, 0.0)
    return TurningPoint(step, least, approach, rebound)
