"""How well students compute their teacher's function, and which of six outcomes a run has."""

from __future__ import annotations

import math
from dataclasses import dataclass

from torch import Tensor

from sparsenn_core.errors import InputError, unknown

RANGES = {
    "relu": (0.0, float("inf")),
    "sigmoid": (0.0, 1.0),
    "tanh": (-1.0, 1.0),
    "linear": (-float("inf"), float("inf")),
}
OUTCOMES = ("recovered", "fitted", "partial", "collapsed", "dead", "diverged")
"""What `outcome` may say of a run."""


@dataclass(frozen=True)
class Scores:
    """What `scores` returns, one entry a run.

    mse        mean squared error
    r2         1 - mse / variance of the targets: 1 is a perfect fit, 0 the best constant
    collapsed  r2 < 0.01: no better than a constant
    constant   the output varies by less than 1e-6 of the targets' standard deviation
    dead       the output is exactly zero on every input; for relu, no gradient of the error reaches any weight
    """

    mse: Tensor
    r2: Tensor
    collapsed: Tensor
    constant: Tensor
    dead: Tensor


def scores(outputs: Tensor, targets: Tensor) -> Scores:
    """Compare `outputs` [R, n] (or [R, n, 1], as an ensemble gives) with `targets` [n], [n, 1], [R, n] or [R, n, 1].

    Computed in float64. `InputError` for shapes that do not fit and for targets without variance, for which a share
    of explained variance has no meaning. Use fresh inputs, not the training points; about 1e5 for three digits.
    """
    y, t = outputs.detach().double(), targets.detach().double()
    y = y.squeeze(-1) if y.ndim == 3 else y
    t = t.squeeze(-1) if t.ndim > 1 and t.shape[-1] == 1 and y.shape[-1] != 1 else t
    if y.ndim != 2 or t.shape not in (y.shape, y.shape[1:]):
        raise InputError(f"scores: outputs {tuple(outputs.shape)} and targets {tuple(targets.shape)} do not fit [R, n]")
    variance = t.var(dim=-1, correction=0)
    if not bool((variance > 0).all()):
        raise InputError("scores: the targets do not vary, so that r2 is not defined")
    mse = (y - t).square().mean(dim=1)
    r2 = 1 - mse / variance
    return Scores(
        mse=mse,
        r2=r2,
        collapsed=r2 < 0.01,
        constant=(y.amax(1) - y.amin(1)) <= 1e-6 * variance.sqrt(),
        dead=(y == 0).all(dim=1),
    )


def range_floor(targets: Tensor, activation: str) -> Tensor:
    """The mean squared error that no student whose last activation is `activation` can beat: E[(y - clip(y))^2].

    Over the last axis of `targets` [n] or [R, n]. The range is relu: y >= 0; sigmoid: (0, 1); tanh: (-1, 1); linear:
    all. An infimum, not always attained; a student without biases may be further restricted.
    """
    if activation not in RANGES:
        raise unknown("activation", activation, RANGES)
    t = targets.detach().double()
    return (t - t.clamp(*RANGES[activation])).square().mean(dim=-1)


def outcome(scored: Scores, relative_distance: Tensor, *, fitted: float = 0.99, recovered: float = 0.05) -> list[str]:
    """Each run's outcome, exactly one of:

    recovered  fits (r2 >= `fitted`), and its weights are the teacher's: `relative_distance` <= `recovered`
    fitted     fits, with other weights
    partial    0.01 <= r2 < `fitted`
    collapsed  r2 < 0.01: it does no better than a constant, though its output may move
    dead       its output is exactly zero on every input
    diverged   its error is not a finite number

    `relative_distance` is `Alignment.relative_shape`, which forgives the shrinkage of whole layers by a penalty, or the
    stricter `Alignment.relative`; say which. (The L1-penalised optimum nearest to the baseline teacher, strength 1e-5,
    has `relative` 1e-5 for relu, 0.002 for tanh, 0.15 for sigmoid, and `relative_shape` below 0.003 for all three.)
    Dead goes before collapsed, both before the rest: a network that outputs nothing has recovered nothing, however
    close its weights are.
    """
    if not 0 < recovered < 1 or not 0.01 < fitted <= 1:
        raise InputError(
            f"outcome: thresholds must have 0.01 < fitted <= 1 and 0 < recovered < 1: {fitted}, {recovered}"
        )
    if len(relative_distance) != len(scored.r2):
        raise InputError(f"outcome: {len(scored.r2)} scores but {len(relative_distance)} distances")
    names = []
    for r2, dead, distance in zip(scored.r2.tolist(), scored.dead.tolist(), relative_distance.tolist(), strict=True):
        if not math.isfinite(r2):
            names.append("diverged")
        elif dead:
            names.append("dead")
        elif r2 < 0.01:
            names.append("collapsed")
        elif r2 < fitted:
            names.append("partial")
        else:
            names.append("recovered" if distance <= recovered else "fitted")
    return names
