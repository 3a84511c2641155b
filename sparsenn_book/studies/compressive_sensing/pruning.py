"""Exact gradient pruning (EGP): gradient descent on weights and gate probabilities, many columns at once.

A column is one run with its own lambda0, lambda1 and size of initial weights. Gates start open, gamma = 1; Adam moves w
and gamma together and gamma is clamped to [0, 1] after every step. The rounded gates of all columns, along training,
are the supports that EGP proposes; each is refitted by least squares, and validation error and size choose.

The study goes on otherwise: it rounds a weighted mean of the best columns' gates, and trains another round from 200
noisy copies on the support it gets. That round minimises a convex function, so it is replaced by its minimiser; a
support that some column proposed replaces the mean.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from sparsenn_book.studies.compressive_sensing.objective import gradients
from sparsenn_book.studies.compressive_sensing.problems import Array, Problem
from sparsenn_book.studies.compressive_sensing.supports import Support
from sparsenn_core.errors import unknown

GRIDS = ("relative", "study")
STUDY_LARGEST = (180.0, 100.0)  # of lambda0 and lambda1 in the study, whatever the data
STUDY_GROWTH = 4.04  # logarithm of the largest over the smallest step of its lambda0 grid
SETTLED = 1e-3  # share of gates that may still be undecided when training stops


@dataclass(frozen=True)
class Schedule:
    """How EGP trains. Columns are all combinations of `lambda0_count` strengths, `lambda1` and `init`.

    `grid` "relative": lambda0 log-spaced from 1 to `lambda0_least` times the strength at which no single coefficient
    pays for itself, `lambda1` in shares of the strength at which the lasso is zero. "study": lambda0 from 0 to 180 in
    growing steps and lambda1 times 100, fixed numbers. `init` are shares, in the logarithm, of the way from the
    Glorot bound sqrt(6 / p) to 1; weights start uniform between minus and plus that bound. Full batch.
    The chosen support has the least ln(validation error) + `size_weight` times its size, the study's rank.
    """

    lambda0_count: int = 12
    lambda1: tuple[float, ...] = (0.0, 0.03, 0.1, 0.3)
    init: tuple[float, ...] = (0.0, 0.5, 1.0)
    grid: str = "relative"
    lambda0_least: float = 1e-2
    epochs: int = 150
    learning_rate: float = 0.1
    check: int = 25
    size_weight: float = 0.0025
    dtype: torch.dtype = torch.float32

    def __post_init__(self) -> None:
        if self.grid not in GRIDS:
            raise unknown("grid", self.grid, GRIDS)

    def with_grid(self, grid: str) -> Schedule:
        """The same with the other kind of grid."""
        return replace(self, grid=grid)

    @property
    def shape(self) -> tuple[int, int, int]:
        """How many sizes of initial weights, lambda1 and lambda0 there are; columns run through them in this order."""
        return len(self.init), len(self.lambda1), self.lambda0_count


@dataclass(frozen=True)
class Columns:
    """Settings of B columns, each an array [B]: the two strengths and the bound on the initial weights."""

    lambda0: Array
    lambda1: Array
    bound: Array


@dataclass(frozen=True)
class Proposals:
    """What training proposes: `index` [checks, B] into `supports`; `undecided` [checks], the share of gates strictly
    between 0 and 1 at each check; `epochs` used, and the final `w` and `gamma` [p, B].
    """

    supports: list[Support]
    index: NDArray[np.int64]
    columns: Columns
    undecided: list[float]
    epochs: int
    w: torch.Tensor
    gamma: torch.Tensor


def largest_strengths(design: Array, response: Array) -> tuple[float, float]:
    """The lambda0 at which no single coefficient pays for itself, max_j (F_j'y)^2 / s_j, and the lambda1 at which the
    lasso with squared error (not halved) is zero, 2 max_j |F_j'y|.
    """
    moment = design.T @ response
    return float(np.max(moment**2 / np.sum(design**2, axis=0))), float(2 * np.max(np.abs(moment)))


def columns(problem: Problem, schedule: Schedule) -> Columns:
    """The columns that a schedule trains on a problem, lambda0 running fastest."""
    count = schedule.lambda0_count
    if schedule.grid == "relative":
        top0, top1 = largest_strengths(problem.design, problem.response)
        lambda0 = top0 * np.logspace(math.log10(schedule.lambda0_least), 0, count)
    else:
        top0, top1 = STUDY_LARGEST
        lambda0 = top0 * np.expm1(np.linspace(0, STUDY_GROWTH, count)) / math.expm1(STUDY_GROWTH)
    glorot = min(1.0, math.sqrt(6 / problem.setting.p))
    bound, lambda1, lambda0 = np.meshgrid(
        [glorot ** (1 - share) for share in schedule.init],
        [top1 * share for share in schedule.lambda1],
        lambda0,
        indexing="ij",
    )
    return Columns(lambda0.ravel(), lambda1.ravel(), bound.ravel())


def train(problem: Problem, schedule: Schedule, generator: torch.Generator) -> Proposals:
    """Train all columns as one batch; `generator` draws the initial weights.

    Stops after `schedule.epochs` steps, or at the first check at which no rounded gate has changed since the last one
    and all but a share of 1e-3 of the gates are exactly open or closed. Costs 4 n p B flops a step.
    """
    kind = schedule.dtype
    chosen = columns(problem, schedule)
    design = torch.tensor(problem.design, dtype=kind)
    transposed, power = design.T.contiguous(), design.square().sum(0)[:, None]
    response = torch.tensor(problem.response, dtype=kind)
    lambda0, lambda1, bound = (torch.tensor(v, dtype=kind) for v in (chosen.lambda0, chosen.lambda1, chosen.bound))
    uniform = torch.rand(problem.setting.p, len(lambda0), generator=generator, dtype=torch.float64).to(kind)
    w = (bound * (2 * uniform - 1)).requires_grad_()
    gamma = torch.ones_like(w).detach().requires_grad_()
    optimizer = torch.optim.Adam([w, gamma], lr=schedule.learning_rate, fused=True)
    seen: dict[Support, int] = {}
    index: list[list[int]] = []
    undecided: list[float] = []
    epoch = 0
    with torch.no_grad():
        for epoch in range(1, schedule.epochs + 1):
            w.grad, gamma.grad = gradients(design, transposed, power, response, w, gamma, lambda0, lambda1)
            optimizer.step()
            gamma.clamp_(0, 1)
            if epoch % schedule.check == 0 or epoch == schedule.epochs:
                index.append([seen.setdefault(s, len(seen)) for s in rounded(gamma)])
                undecided.append(float(((gamma > 0) & (gamma < 1)).double().mean()))
                if len(index) > 1 and index[-1] == index[-2] and undecided[-1] <= SETTLED:
                    break
    return Proposals(list(seen), np.array(index), chosen, undecided, epoch, w.detach(), gamma.detach())


def rounded(gamma: torch.Tensor) -> Sequence[Support]:
    """The open gates (gamma > 1/2) of each column of gamma [p, B]."""
    gates = (gamma.T > 0.5).numpy()
    return [tuple(np.flatnonzero(row).tolist()) for row in gates]
