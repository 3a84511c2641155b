"""The study's notebook run again: as coded, with the mask frozen, and with the mask learned as described."""

from __future__ import annotations

import pandas as pd
import torch
from torch import Tensor, nn

from sparsenn_book.studies.sparse_layers.reference import (
    HIDDEN,
    INPUTS,
    LEARNING_RATE,
    OUTPUTS,
    FrozenLinear,
    ThresholdedLinear,
    batch,
    network,
)
from sparsenn_book.studies.sparse_layers.settings import OriginalSettings
from sparsenn_core.masks import SparseLinear, step
from sparsenn_core.randomness import generator

CODED, FROZEN, LEARNED = "as coded", "mask frozen", "mask learned"
SCRIPT_SPARSITY = 0.9
HELD_OUT = 2000
SHOWN = 200
"""Held-out points of the first run whose predictions are kept."""


def run_again(settings: OriginalSettings) -> dict[str, pd.DataFrame]:
    """Three versions of each run, with equal weights, scores and points.

    trained      version, run, step, loss (of the step's batch, as the study records it)
    ends         version, run, test_loss, scores_moved (share of the scores' entries), has_gradient, flips (share of the
                 mask's entries that differ from the start), untrained (loss of a new network, as evaluate.py makes it)
    pictures     version, moment (start, end), unit, input, value: the first run's first layer, weight times mask
    predictions  version, sample, truth, prediction: the first run on held-out points
    """
    tables: dict[str, list[pd.DataFrame]] = {name: [] for name in ("trained", "ends", "pictures", "predictions")}
    for run in range(settings.original_runs):
        coded = network(settings.original_sparsity, generator(settings.seed, "original", run))
        frozen = nn.Sequential(FrozenLinear(_sparse(coded, 0)), nn.ReLU(), FrozenLinear(_sparse(coded, 2)))
        learned = nn.Sequential(_described(_sparse(coded, 0)), nn.ReLU(), _described(_sparse(coded, 2)))
        untrained = _script_untrained(settings.seed, run)
        for version, model in ((CODED, coded), (FROZEN, frozen), (LEARNED, learned)):
            start = _effective(model)
            scores = [p.detach().clone() for name, p in model.named_parameters() if name.endswith("scores")]
            losses = _train(model, version, settings, run)
            moved = [p for name, p in model.named_parameters() if name.endswith("scores")]
            test = _tested(model, settings.seed, run)
            ends = {
                "test_loss": float((test[1] - test[0]).square().mean()),
                "scores_moved": _share([a != b for a, b in zip(scores, moved, strict=True)]),
                "has_gradient": float(any(p.grad is not None for p in moved)),
                "flips": _share([(start != 0) != (_effective(model) != 0)]),
                "untrained": untrained,
            }
            keys = {"version": version, "run": run}
            tables["trained"].append(pd.DataFrame(keys | {"step": range(1, len(losses) + 1), "loss": losses}))
            tables["ends"].append(pd.DataFrame([keys | ends]))
            if run == 0:
                tables["pictures"] += [_picture(version, "start", start), _picture(version, "end", _effective(model))]
                truth, predicted = (t[:SHOWN, 0].double().numpy() for t in test)
                rows = {"version": version, "sample": range(len(truth)), "truth": truth, "prediction": predicted}
                tables["predictions"].append(pd.DataFrame(rows))
    return {name: pd.concat(parts, ignore_index=True) for name, parts in tables.items()}


def _sparse(model: nn.Sequential, place: int) -> ThresholdedLinear:
    layer = model[place]
    assert isinstance(layer, ThresholdedLinear)
    return layer


def _described(layer: ThresholdedLinear) -> SparseLinear:
    """The layer as described, with the weights and scores of the one as coded."""
    outputs, inputs = layer.weight.shape
    found = SparseLinear(inputs, outputs, layer.sparsity)
    with torch.no_grad():
        for name, p in found.named_parameters():
            p.copy_(layer.scores if name.endswith("scores") else layer.weight)
        found.state_dict()["parametrizations.weight.0.tensors.mask"].copy_(layer.mask())
    return found


def _train(model: nn.Sequential, version: str, settings: OriginalSettings, run: int) -> list[float]:
    """The notebook's loop; a learned mask is made anew after each step."""
    optimizer = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE)
    points = generator(settings.seed, "original points", run)
    losses = []
    for _ in range(settings.original_steps):
        x, y = batch(points)
        loss = (model(x) - y).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if version == LEARNED:
            step(model, optimizer)
        losses.append(loss.item())
    return losses


def _tested(model: nn.Module, seed: int, run: int) -> tuple[Tensor, Tensor]:
    """Truth and prediction on held-out points."""
    x, y = batch(generator(seed, "original test", run), HELD_OUT)
    with torch.no_grad():
        return y, model.eval()(x)


def _script_untrained(seed: int, run: int) -> float:
    """What the study's `evaluate.py` measures: a new network, since it loads no weights."""
    source = generator(seed, "untrained", run)
    model = nn.Sequential(ThresholdedLinear(INPUTS, HIDDEN, SCRIPT_SPARSITY, source), nn.Linear(HIDDEN, OUTPUTS))
    bound = HIDDEN**-0.5
    with torch.no_grad():
        for p in model[1].parameters():
            p.uniform_(-bound, bound, generator=source)
        x, y = batch(source, HELD_OUT)
        return float((model(x) - y).square().mean())


def _effective(model: nn.Sequential) -> Tensor:
    """The first layer's weight times its mask."""
    layer = model[0]
    with torch.no_grad():
        if isinstance(layer, ThresholdedLinear):
            return layer.weight * layer.mask()
        if isinstance(layer, FrozenLinear):
            return layer.weight * layer.kept
        assert isinstance(layer, SparseLinear)
        return layer.weight.clone()


def _share(flags: list[Tensor]) -> float:
    return float(torch.cat([f.flatten().double() for f in flags]).mean()) if flags else 0.0


def _picture(version: str, moment: str, weight: Tensor) -> pd.DataFrame:
    rows = pd.DataFrame(weight.double().numpy()).rename_axis("unit").reset_index()
    rows = rows.melt(id_vars="unit", var_name="input", value_name="value").astype({"input": "int64"})
    return rows.assign(version=version, moment=moment)
