"""Does any measure follow the gap? Many small networks, and Kendall's rank correlation of each bound with the gap."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pandas as pd
import torch
from scipy.stats import kendalltau
from torch import Tensor, nn

from sparsenn_book.studies.bounds.networks import conv_net
from sparsenn_book.studies.bounds.settings import GridSettings
from sparsenn_core.bounds import margins, table
from sparsenn_core.datasets import Images, load
from sparsenn_core.randomness import derive_seed, generator
from sparsenn_core.training import SGD, Data, Ensemble, fit

AXES = ("depth", "width", "n", "decay", "noise")
LEARNING_RATE, MOMENTUM, BATCH = 0.05, 0.9, 32  # quick on digits: most labels without noise are fitted in 20 epochs
CLASSES = 10


def networks(settings: GridSettings) -> pd.DataFrame:
    """One row a network and bound: the axes, train_error, test_error, gap, bound, kind, log10 and total at `margin`.

    Networks of one shape and number of samples are trained together; label noise also changes the labels of new
    samples, so that training and test are draws of one distribution.
    """
    digits = load("digits")
    shapes = itertools.product(settings.grid_depths, settings.grid_widths, settings.grid_samples)
    return pd.concat([_trained(digits, *shape, settings) for shape in shapes], ignore_index=True)


def _trained(digits: Images, depth: int, width: int, n: int, settings: GridSettings) -> pd.DataFrame:
    cells = list(itertools.product(settings.grid_decays, settings.grid_noises))
    seeds = [derive_seed(settings.seed, "grid", depth, width, n, place) for place in range(len(cells))]
    x = digits.train_x[:n]
    labels = [_noisy(digits.train_y[:n], noise, seed) for (_, noise), seed in zip(cells, seeds, strict=True)]
    targets = nn.functional.one_hot(torch.stack(labels), CLASSES).float()
    starts = [
        conv_net(depth, width, tuple(x.shape[1:]), CLASSES, generator(seed, "init"), normed=False) for seed in seeds
    ]
    done = fit(
        Ensemble.stack(starts),
        Data(x.expand(len(cells), *x.shape), targets, of_run=torch.arange(len(cells))),
        optimizer=SGD(LEARNING_RATE, momentum=MOMENTUM, weight_decay=torch.tensor([decay for decay, _ in cells])),
        epochs=settings.grid_epochs,
        batch_size=BATCH,
        order=seeds,
    )
    parts = []
    for place, (decay, noise) in enumerate(cells):
        where = {"depth": depth, "width": width, "n": n, "decay": decay, "noise": noise}
        network, y = done.ensemble[place], labels[place]
        found = table(network, x, y, margin=settings.margin, delta=settings.delta)
        found = found[found["not_covered"] == ""][["bound", "kind", "log10", "total"]]
        parts.append(found.assign(**where, **_errors(network, x, y, digits, noise)))
    return pd.concat(parts, ignore_index=True)


def _errors(network: nn.Module, x: Tensor, y: Tensor, digits: Images, noise: float) -> dict[str, float]:
    with torch.no_grad():
        found, fresh = margins(network(x), y), margins(network(digits.test_x), digits.test_y)
    train_error, clean = (1 - float((one > 0).double().mean()) for one in (found, fresh))
    # a changed label is another class at random, which a wrong answer meets once in C - 1 times
    test_error = (1 - noise) * clean + noise * (1 - clean / (CLASSES - 1))
    return {"train_error": train_error, "test_error": test_error, "gap": test_error - train_error}


def rank_correlations(found: pd.DataFrame) -> pd.DataFrame:
    """Kendall's tau of each bound with the gap over all networks, and averaged over pairs that differ in one axis only:
    bound, kind, axis ("all" or its name), tau, pairs.
    """
    rows: list[dict[str, Any]] = []
    for (bound, kind), part in found.groupby(["bound", "kind"], sort=False):
        for axis in ("all", *AXES):
            tau, pairs = _tau(part, axis)
            rows.append({"bound": bound, "kind": kind, "axis": axis, "tau": tau, "pairs": pairs})
    return pd.DataFrame(rows)


def _tau(part: pd.DataFrame, axis: str) -> tuple[float, int]:
    if axis == "all":
        tau = float(kendalltau(part["log10"], part["gap"]).statistic)
        return tau, len(part) * (len(part) - 1) // 2
    places = part[list(AXES)].to_numpy()
    differs = places[:, None] != places[None]
    pairs = np.triu(differs[..., AXES.index(axis)] & (differs.sum(2) == 1))
    agree = (_order(part["log10"]) * _order(part["gap"]))[pairs]
    return (float(agree.mean()) if len(agree) else float("nan")), len(agree)


def _order(values: pd.Series) -> np.ndarray:
    """For every pair of networks which of them has the larger value, as 1, 0 or -1."""
    column = values.to_numpy()
    return np.asarray(np.sign(column[:, None] - column[None]))


def _noisy(y: Tensor, noise: float, seed: int) -> Tensor:
    """Labels of which a share is replaced by another class, drawn evenly."""
    draw = generator(seed, "noise")
    changed = torch.rand(len(y), generator=draw) < noise
    return torch.where(changed, (y + torch.randint(1, CLASSES, y.shape, generator=draw)) % CLASSES, y)
