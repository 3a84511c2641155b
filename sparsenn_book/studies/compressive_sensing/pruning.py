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

from sparsenn_book.studies.compressive_sensing import reference
from sparsenn_book.studies.compressive_sensing.objective import gradients
from sparsenn_book.studies.compressive_sensing.regressions import Array, Regression
from sparsenn_book.studies.compressive_sensing.supports import Support
from sparsenn_core.errors import unknown
from sparsenn_core.randomness import generator

STRENGTHS = ("relative", "study")
PRECISIONS = {"float32": torch.float32, "float64": torch.float64}
SETTLED = 1e-3  # share of gates that may still be undecided when training stops


@dataclass(frozen=True)
class Grid:
    """The columns that EGP trains, all combinations of `lambda0_count` strengths, `lambda1_shares` and `init_shares`,
    and how it trains them.

    `strengths` "relative": lambda0 log-spaced from 1 to `lambda0_least` times the strength at which no single
    coefficient pays for itself, `lambda1_shares` of the strength at which the lasso is zero. "study": its fixed
    numbers, lambda0 from 0 to 180 in growing steps and lambda1 times 100. `init_shares` are shares, in the logarithm,
    of the way from the Glorot bound sqrt(6 / p) to 1; weights start uniform between minus and plus that bound. Full
    batch. The chosen support has the least ln(validation error) + `size_weight` times its size, the study's rank.
    """

    lambda0_count: int = 12
    lambda1_shares: tuple[float, ...] = (0.0, 0.03, 0.1, 0.3)
    init_shares: tuple[float, ...] = (0.0, 0.5, 1.0)
    strengths: str = "relative"
    lambda0_least: float = 1e-2
    epochs: int = 150
    learning_rate: float = 0.1
    check: int = 25
    size_weight: float = 0.0025
    precision: str = "float32"

    def __post_init__(self) -> None:
        if self.strengths not in STRENGTHS:
            raise unknown("strengths", self.strengths, STRENGTHS)
        if self.precision not in PRECISIONS:
            raise unknown("precision", self.precision, PRECISIONS)

    def with_strengths(self, strengths: str) -> Grid:
        """The same with the other kind of strengths."""
        return replace(self, strengths=strengths)

    @property
    def shape(self) -> tuple[int, int, int]:
        """How many sizes of initial weights, lambda1 and lambda0 there are; columns run through them in this order."""
        return len(self.init_shares), len(self.lambda1_shares), self.lambda0_count


@dataclass(frozen=True)
class Columns:
    """What sets B columns apart, each an array [B]: the two strengths and the bound on the initial weights."""

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


def columns(regression: Regression, grid: Grid) -> Columns:
    """The columns of a grid on a regression, lambda0 running fastest."""
    count = grid.lambda0_count
    if grid.strengths == "relative":
        top0, top1 = largest_strengths(regression.design, regression.response)
        lambda0 = top0 * np.logspace(math.log10(grid.lambda0_least), 0, count)
    else:
        top1 = reference.LARGEST[1]
        lambda0 = reference.strengths(count)
    glorot = min(1.0, math.sqrt(6 / regression.family.p))
    bound, lambda1, lambda0 = np.meshgrid(
        [glorot ** (1 - share) for share in grid.init_shares],
        [top1 * share for share in grid.lambda1_shares],
        lambda0,
        indexing="ij",
    )
    return Columns(lambda0.ravel(), lambda1.ravel(), bound.ravel())


def propose(regression: Regression, grid: Grid, seed: int, device: str = "cpu") -> Proposals:
    """Train the columns of a grid from initial weights that are the same at every ratio, as design and noise are."""
    family = regression.family
    source = generator(seed, "init", family.n, family.p, family.s, regression.repetition)
    return train(regression, grid, source, device)


def train(regression: Regression, grid: Grid, source: torch.Generator, device: str = "cpu") -> Proposals:
    """Train all columns as one batch; `source`, on the CPU, draws the initial weights.

    Stops after `grid.epochs` steps, or at the first check at which no rounded gate has changed since the last one
    and all but a share of 1e-3 of the gates are exactly open or closed. Costs 4 n p B flops a step.
    """
    kind = PRECISIONS[grid.precision]
    chosen = columns(regression, grid)
    design, response = (torch.tensor(v, dtype=kind, device=device) for v in (regression.design, regression.response))
    transposed, power = design.T.contiguous(), design.square().sum(0)[:, None]
    lambda0, lambda1, bound = (
        torch.tensor(v, dtype=kind, device=device) for v in (chosen.lambda0, chosen.lambda1, chosen.bound)
    )
    uniform = torch.rand(regression.family.p, len(lambda0), generator=source, dtype=torch.float64).to(device, kind)
    w = (bound * (2 * uniform - 1)).requires_grad_()
    gamma = torch.ones_like(w).detach().requires_grad_()
    optimizer = torch.optim.Adam([w, gamma], lr=grid.learning_rate, fused=True)
    seen: dict[Support, int] = {}
    index: list[list[int]] = []
    undecided: list[float] = []
    epoch = 0
    with torch.no_grad():
        for epoch in range(1, grid.epochs + 1):
            w.grad, gamma.grad = gradients(design, transposed, power, response, w, gamma, lambda0, lambda1)
            optimizer.step()
            gamma.clamp_(0, 1)
            if epoch % grid.check == 0 or epoch == grid.epochs:
                index.append([seen.setdefault(s, len(seen)) for s in rounded(gamma)])
                undecided.append(float(((gamma > 0) & (gamma < 1)).double().mean()))
                if len(index) > 1 and index[-1] == index[-2] and undecided[-1] <= SETTLED:
                    break
    return Proposals(list(seen), np.array(index), chosen, undecided, epoch, w.detach().cpu(), gamma.detach().cpu())


def rounded(gamma: torch.Tensor) -> Sequence[Support]:
    """The open gates (gamma > 1/2) of each column of gamma [p, B]."""
    gates = (gamma.T > 0.5).cpu().numpy()
    return [tuple(np.flatnonzero(row).tolist()) for row in gates]
