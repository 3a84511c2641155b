"""Complexity searched from below: the three cases in which the study's formula fails, and slack under every bound."""

from __future__ import annotations

from typing import Any

import pandas as pd
import torch
from torch import Tensor, nn

from sparsenn_book.records.estimates import mean_interval
from sparsenn_book.studies.bounds.networks import conv_net
from sparsenn_book.studies.bounds.settings import SearchSettings
from sparsenn_core.bounds import rademacher_lower
from sparsenn_core.datasets import load
from sparsenn_core.randomness import generator

CASES = ("head", "classes", "study's own")
"""One output over 784 positions; 1,000 classes on one pixel; CONV-3 on 28x28 digits, ten classes."""


def counterexamples(settings: SearchSettings) -> pd.DataFrame:
    """One row a case and bound: `lower` with its interval [low, high] over draws of the signs, and `upper`."""
    parts = []
    for case in CASES:
        network, x = _case(case)
        # pass-through kernels are enough, so nothing is climbed
        found = rademacher_lower(network, x, draws=settings.counter_draws, steps=0, seed=settings.seed)
        parts.append(_over_draws(found).assign(case=case))
    return pd.concat(parts, ignore_index=True)


def slack(settings: SearchSettings) -> pd.DataFrame:
    """The same for CONV-2-4 on digits, climbed, one row a number of samples and bound."""
    x = load("digits").train_x.double()
    parts = []
    for n in settings.search_samples:
        network = conv_net(2, 4, (1, 8, 8), 10, generator(settings.seed, "init"), normed=False).double()
        found = rademacher_lower(
            network, x[:n], draws=settings.search_draws, steps=settings.search_steps, seed=settings.seed
        )
        parts.append(_over_draws(found).assign(n=n))
    return pd.concat(parts, ignore_index=True)


def _case(case: str) -> tuple[nn.Module, Tensor]:
    if case == "study's own":
        x = torch.cat([load("digits").train_x, load("digits").test_x]).double()
        large = nn.functional.interpolate(x, size=(28, 28), mode="nearest")
        return conv_net(3, 1, (1, 28, 28), 10, generator(0, "init"), normed=False).double(), large
    side, classes = (28, 1) if case == "head" else (1, 1000)
    layers = [nn.Conv2d(1, 1, 1, bias=False), nn.ReLU(), nn.Flatten(), nn.Linear(side**2, classes, bias=False)]
    return nn.Sequential(*layers).double(), torch.ones(64, 1, side, side, dtype=torch.float64)


def _over_draws(found: pd.DataFrame) -> pd.DataFrame:
    rows: list[dict[str, Any]] = []
    for bound, part in found.groupby("bound", sort=False):
        mean = mean_interval(part["lower"])
        rows.append(
            {
                "bound": bound,
                "lower": mean.value,
                "low": mean.low,
                "high": mean.high,
                "draws": mean.count,
                "upper": part["upper"].iloc[0],
            }
        )
    return pd.DataFrame(rows)
