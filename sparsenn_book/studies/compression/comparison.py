"""All ways to choose neurons, at equal width, on networks trained anew; what goes, and what the layer then computes."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import cast

import numpy as np
import pandas as pd
from torch import nn

from sparsenn_book.studies.compression.settings import ComparisonSettings
from sparsenn_book.studies.compression.training import Trained, trained
from sparsenn_core.compression import (
    Candidate,
    LayerProblem,
    Order,
    OrderedPath,
    Path,
    Samples,
    Score,
    StrengthPath,
    at_random,
    contribution,
    layer_problem,
    magnitude,
    matching_pursuit,
    of_width,
    path_norm,
    refitted,
    samples,
    score,
    with_weights_,
)
from sparsenn_core.networks import Feed, feeds, layer_inputs

LASSO = "lasso"
RANDOM = "random"
ORDERS: dict[str, Order] = {
    "magnitude": magnitude,
    "contribution": contribution,
    "path norm": path_norm,
    "OMP": matching_pursuit,
}
METHODS = (LASSO, "OMP", "contribution", "path norm", "magnitude", RANDOM)
PICTURED = 0.1
"""Share of neurons that stay in the picture of what is removed: the nearest that is compared."""


@dataclass
class Remembered:
    """A path whose candidates are computed once, however often it is gone along."""

    path: Path
    found: list[Candidate] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.rest = iter(self.path)

    def __iter__(self) -> Iterator[Candidate]:
        yield from self.found
        for candidate in self.rest:
            self.found.append(candidate)
            yield candidate

    def between(self, narrow: Candidate | None, wide: Candidate) -> Candidate | None:
        """That of the path itself."""
        return self.path.between(narrow, wide)


@dataclass(frozen=True)
class Layer:
    """A layer of a trained network, ready to be made smaller: its problem, and scores of the network on test images."""

    feed: Feed
    problem: LayerProblem
    score: Callable[[Candidate], Score]


def layers_of(network: nn.Sequential, data: Trained) -> list[Layer]:
    """All layers of a chain that read a ReLU. Scores come from the part of the network behind, on stored inputs."""
    train, test = samples(data.train, data.test, network)
    found = []
    for one in feeds(network).values():
        if isinstance(one, Feed):
            problem = layer_problem(network, network, one, train, progress=False)
            parts = [(layer_inputs(network, [one.layer], x)[1][0], y) for x, y in test]
            place = list(dict(network.named_children())).index(one.layer)
            behind = copy.deepcopy(cast("nn.Sequential", network[place:]))
            found.append(Layer(one, problem, _scored(behind, one.layer, Samples(parts, test.device))))
    return found


def compared(settings: ComparisonSettings, device: str = "cpu") -> dict[str, pd.DataFrame]:
    """Networks of every task, and each of their layers made smaller in every way.

    networks  task, run, train_loss, train_accuracy, loss, accuracy (on test images): before anything is removed
    layers    task, run, layer, neurons, size (inputs of the layer for each), dead (zero on all training images),
              rank_features, rank_targets, bound (sharp, or the product of the ranks for channels), vacuous
    ways      task, run, layer, neurons, method, refit, share, width, loss, accuracy, error (||V Phi + b - Psi|| /
              ||Psi|| on training images), common (share of the neurons kept that the lasso keeps, too)
    path      task, run, layer, neurons, strength, width, gap, refit, loss, accuracy, error: along the lasso's strengths
    neurons   of run 0 at the share nearest to a tenth: task, layer, neuron, outgoing, incoming, rms, kept (by the
              lasso)
    """
    tables: dict[str, list[pd.DataFrame]] = {name: [] for name in ("networks", "layers", "ways", "path", "neurons")}
    for task in settings.tasks:
        data = trained(task, settings, device)
        for run, network in enumerate(data.networks):
            own = {"networks": _network(network, data)}
            for layer in layers_of(network, data):
                for name, rows in _layer(layer, settings, run).items():
                    own[name] = pd.concat([own[name], rows]) if name in own else rows
            for name, rows in own.items():
                tables[name].append(rows.assign(task=task, run=run))
    return {name: pd.concat(parts, ignore_index=True) for name, parts in tables.items()}


def _scored(behind: nn.Sequential, layer: str, inputs: Samples) -> Callable[[Candidate], Score]:
    return lambda candidate: score(with_weights_(behind, layer, candidate), inputs, nn.functional.cross_entropy)


def _network(network: nn.Sequential, data: Trained) -> pd.DataFrame:
    train, test = samples(data.train, data.test, network)
    before, unseen = (score(network, part, nn.functional.cross_entropy) for part in (train, test))
    row = {"train_loss": before.loss, "train_accuracy": before.accuracy, "loss": unseen.loss}
    return pd.DataFrame([row | {"accuracy": unseen.accuracy}])


def _layer(layer: Layer, settings: ComparisonSettings, run: int) -> dict[str, pd.DataFrame]:
    """The rows of one layer of one network."""
    problem = layer.problem
    lasso = StrengthPath(problem)
    paths: dict[str, Path] = {LASSO: Remembered(lasso)}
    paths |= {name: OrderedPath(problem, order) for name, order in ORDERS.items()}
    paths[RANDOM] = OrderedPath(problem, at_random(run))
    ways, pictured = [], None
    for share in settings.shares:
        width = max(1, round(share * problem.neurons))
        found = {method: of_width(path, width) for method, path in paths.items()}
        if pictured is None or abs(share - PICTURED) < abs(pictured[0] - PICTURED):
            pictured = (share, found[LASSO])
        for method, candidate in found.items():
            common = len(np.intersect1d(candidate.kept, found[LASSO].kept)) / candidate.width
            said = {"method": method, "share": share, "common": common}
            ways += [said | row for row in _rows(layer, candidate)]
    along = []
    for strength in lasso.strengths(settings.path_strengths):
        candidate = lasso.at(float(strength))
        along += [{"strength": strength, "gap": candidate.gap} | row for row in _rows(layer, candidate)]
    return {
        "layers": _described(layer),
        "ways": pd.DataFrame(ways).assign(layer=layer.feed.layer, neurons=problem.neurons),
        "path": pd.DataFrame(along).assign(layer=layer.feed.layer, neurons=problem.neurons),
    } | ({"neurons": _neurons(layer, pictured[1])} if run == 0 and pictured else {})


def _rows(layer: Layer, candidate: Candidate) -> list[dict[str, object]]:
    """A candidate as it is and refitted."""
    problem = layer.problem
    rows: list[dict[str, object]] = []
    for refit, one in ((False, candidate), (True, refitted(problem, candidate))):
        shift = None if one.bias is None or problem.bias is None else one.bias - problem.bias
        found = layer.score(one)
        error = (problem.error(one.weight, shift) / problem.energy) ** 0.5
        row = {"refit": refit, "width": one.width, "loss": found.loss, "accuracy": found.accuracy, "error": error}
        rows.append(row)
    return rows


def _described(layer: Layer) -> pd.DataFrame:
    problem, bounds = layer.problem, layer.problem.bounds()
    bound = bounds.sharp if problem.size == 1 else bounds.product
    row = {
        "layer": layer.feed.layer, "neurons": problem.neurons, "size": problem.size,
        "dead": int((problem.rms == 0).sum()), "rank_features": bounds.rank_features,
        "rank_targets": bounds.rank_targets, "bound": bound, "vacuous": bound >= problem.neurons,
    }  # fmt: skip
    return pd.DataFrame([row])


def _neurons(layer: Layer, kept: Candidate) -> pd.DataFrame:
    problem = layer.problem
    chosen = np.zeros(problem.neurons, dtype=bool)
    chosen[kept.kept] = True
    columns = {"outgoing": problem.norms(problem.weight), "incoming": problem.incoming, "rms": problem.rms}
    return pd.DataFrame(columns | {"kept": chosen}).assign(layer=layer.feed.layer, neuron=range(problem.neurons))
