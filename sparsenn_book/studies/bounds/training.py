"""The study's networks trained by its schedules, with all bounds and errors while they train."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pandas as pd
import torch
from torch import nn

from sparsenn_book.studies.bounds.images import Split, images
from sparsenn_book.studies.bounds.networks import conv_net
from sparsenn_book.studies.bounds.schedules import Schedule, schedule
from sparsenn_book.studies.bounds.settings import DeepSettings, StudySettings
from sparsenn_core.bounds import margins_of, table
from sparsenn_core.randomness import generator
from sparsenn_core.training import SGD, Data, Ensemble, Moment, by_epoch, every_epochs, fit

KEEP = ("bound", "value", "log10", "kind", "empirical", "total", "not_covered", "norm", "assumptions", "citation",
        "seconds")  # fmt: skip


def followed(settings: StudySettings) -> dict[str, pd.DataFrame]:
    """`bounds`: schedule, depth, width, epoch and the columns of `bounds.table`; `errors`: the same with train_error,
    test_error and gap; `margins`: of every trained network, the deciles of its training margins.
    """
    return follow(images(settings.dataset, settings.samples, settings.seed), settings)


def deeper(settings: DeepSettings) -> dict[str, pd.DataFrame]:
    """`deep_bounds` and `deep_errors` like `bounds` and `errors` of `followed`, with some of the test images only: the
    deeper a network, the more its test would cost beside its training on few samples.
    """
    data = images(settings.deep_dataset, settings.deep_samples, settings.seed)
    some = slice(0, settings.deep_tests)
    rows = follow(Split(data.x, data.y, data.test_x[some], data.test_y[some]), settings.study)
    return {f"deep_{name}": rows[name] for name in ("bounds", "errors")}


def follow(data: Split, settings: StudySettings) -> dict[str, pd.DataFrame]:
    """The tables of `followed` on these data."""
    rows: dict[str, list[pd.DataFrame]] = {"bounds": [], "errors": [], "margins": []}
    for place in _places(settings):
        network = _network(place, data, settings.seed)
        start = copy.deepcopy(network)
        watch = _Watch(data, start, settings, place, rows)
        train(network, data, schedule(str(place["schedule"])), settings.epochs, settings.seed, watch)
    return {name: pd.concat(parts, ignore_index=True) for name, parts in rows.items()}


def train(
    network: nn.Module, data: Split, how: Schedule, epochs: int, seed: int, watch: Any = None, every: int = 1
) -> nn.Module:
    """The network trained by a schedule; `watch(network, epoch)` looks before training and every so many epochs."""

    def look(moment: Moment) -> None:
        watch(moment.ensemble[0], moment.epoch)

    observers = [] if watch is None else [every_epochs(look, getattr(watch, "every", every))]
    optimizer = SGD(
        how.learning_rate, schedule=by_epoch(how.steps), momentum=how.momentum, weight_decay=how.weight_decay
    )
    done = fit(
        Ensemble.stack([network]),
        Data.shared(data.x, data.targets),
        optimizer=optimizer,
        epochs=epochs,
        batch_size=how.batch_size,
        order=[seed],
        observe=observers,
    )
    return done.ensemble[0]


def error(network: nn.Module, x: torch.Tensor, y: torch.Tensor) -> float:
    """The share of samples with a margin that is not positive."""
    with torch.no_grad():
        found = margins_of(network, x, y)
    return 1 - float((found > 0).double().mean())


def _places(settings: StudySettings) -> Iterator[dict[str, Any]]:
    for name in settings.schedules:
        for depth in settings.depths:
            for width in settings.widths:
                yield {"schedule": name, "depth": depth, "width": width}


def _network(place: dict[str, Any], data: Split, seed: int) -> nn.Module:
    draw = generator(seed, "init", place["depth"], place["width"])
    return conv_net(place["depth"], place["width"], tuple(data.x.shape[1:]), 10, draw)


class _Watch:
    """Looks at a network: bounds, errors, and at the end margins."""

    def __init__(
        self,
        data: Split,
        start: nn.Module,
        settings: StudySettings,
        place: dict[str, Any],
        rows: dict[str, list[pd.DataFrame]],
    ) -> None:
        self.data, self.start, self.settings, self.place, self.rows = data, start, settings, place, rows
        self.every = settings.every

    def __call__(self, network: nn.Module, epoch: int) -> None:
        data, where = self.data, self.place | {"epoch": epoch}
        held_out = (data.test_x, data.test_y)
        found = table(
            network, data.x, data.y, margin=self.settings.margin, delta=self.settings.delta, reference=self.start,
            held_out=held_out,
        )  # fmt: skip
        self.rows["bounds"].append(found[list(KEEP)].assign(**where))
        train_error, test_error = error(network, data.x, data.y), error(network, data.test_x, data.test_y)
        row = where | {"train_error": train_error, "test_error": test_error, "gap": test_error - train_error}
        self.rows["errors"].append(pd.DataFrame([row]))
        if epoch + self.every > self.settings.epochs:
            self.rows["margins"].append(_deciles(network, data).assign(**where))


def _deciles(network: nn.Module, data: Split) -> pd.DataFrame:
    with torch.no_grad():
        found = margins_of(network, data.x[:5000], data.y[:5000])
    shares = torch.linspace(0, 1, 11)
    return pd.DataFrame({"share": shares.tolist(), "margin": found.quantile(shares).tolist()})
