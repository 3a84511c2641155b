"""How the bounds grow with depth, width and number of samples where all kernels and the head have norm 1."""

from __future__ import annotations

from typing import Any

import pandas as pd
import torch
from torch import nn

from sparsenn_book.studies.bounds.networks import conv_net
from sparsenn_book.studies.bounds.settings import GrowthSettings
from sparsenn_core.bounds import table
from sparsenn_core.datasets import load
from sparsenn_core.randomness import generator

BASE = {"depth": 2, "width": 16, "n": 512}
"""What stays while one of them changes."""


def growth(settings: GrowthSettings) -> pd.DataFrame:
    """One row an axis, value and bound: axis, at, bound, log10 (margin 1, delta 0.001, distances from zero)."""
    digits = load("digits")
    axes = {"depth": settings.growth_depths, "width": settings.growth_widths, "n": settings.growth_samples}
    parts = []
    for axis, values in axes.items():
        for value in values:
            case = BASE | {axis: value}
            found = _table(case, digits.train_x[: case["n"]].double(), digits.train_y[: case["n"]], settings.seed)
            parts.append(found[["bound", "log10", "kind"]].assign(axis=axis, at=value))
    return pd.concat(parts, ignore_index=True)


def rescaled(settings: GrowthSettings) -> pd.DataFrame:
    """One network before and after its first kernel is multiplied and its second divided by 4: bound, before, after."""
    digits = load("digits")
    x, y = digits.train_x[:256].double(), digits.train_y[:256]
    network = _unit(3, 8, settings.seed)
    before = table(network, x, y, margin=1.0)
    with torch.no_grad():
        first, second, *_ = network.parameters()
        first.mul_(4.0)
        second.div_(4.0)
    after = table(network, x, y, margin=1.0)
    both = pd.DataFrame({"bound": before["bound"], "before": before["log10"], "after": after["log10"]})
    return both.dropna().reset_index(drop=True)


def _table(case: dict[str, int], x: torch.Tensor, y: torch.Tensor, seed: int) -> pd.DataFrame:
    return table(_unit(case["depth"], case["width"], seed), x, y, margin=1.0)


def _unit(depth: int, width: int, seed: int) -> nn.Sequential:
    """CONV-depth-width on 8x8 images with every kernel and the head of Frobenius norm 1."""
    draw: Any = generator(seed, "init", depth, width)
    network = conv_net(depth, width, (1, 8, 8), 10, draw, normed=False).double()
    with torch.no_grad():
        for p in network.parameters():
            p.div_(p.norm())
    return network
