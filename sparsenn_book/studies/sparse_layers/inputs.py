"""How many inputs a random mask leaves out: the exact formula beside draws."""

from __future__ import annotations

import math

import pandas as pd
import torch

from sparsenn_book.studies.sparse_layers.settings import InputSettings
from sparsenn_core.masks import Random, Unstructured
from sparsenn_core.randomness import generator

SHAPES = ((64, 10), (64, 20), (128, 50))
"""Units and inputs: the study's layer, and the two regressions'."""
SPARSITIES = (0.8, 0.9, 0.95, 0.98, 0.99)
CHUNK = 1000


def expected_unread(units: int, inputs: int, kept: int) -> float:
    """The expected number of inputs without an edge, of `kept` edges in uniformly random places.

    inputs * C(units * inputs - units, kept) / C(units * inputs, kept): each input is without one if all edges lie in
    the other columns.
    """
    size = units * inputs
    if kept > size - units:
        return 0.0
    return inputs * math.comb(size - units, kept) / math.comb(size, kept)


def counted(settings: InputSettings) -> pd.DataFrame:
    """Draws against the formula: units, inputs, sparsity, kept, expected, draws, mean, error (standard) of the mean."""
    rows = []
    for units, inputs in SHAPES:
        for sparsity in SPARSITIES:
            kept = Unstructured().kept((units, inputs), sparsity)
            unread = _drawn(units, inputs, kept, settings)
            rows.append({
                "units": units, "inputs": inputs, "sparsity": sparsity, "kept": kept,
                "expected": expected_unread(units, inputs, kept), "draws": len(unread), "mean": float(unread.mean()),
                "error": float(unread.std()) / math.sqrt(len(unread)),
            })  # fmt: skip
    return pd.DataFrame(rows)


def _drawn(units: int, inputs: int, kept: int, settings: InputSettings) -> torch.Tensor:
    """The number of unread inputs of each draw."""
    source = generator(settings.seed, "masks", units, inputs, kept)
    found = []
    for start in range(0, settings.mask_draws, CHUNK):
        some = min(CHUNK, settings.mask_draws - start)
        scores = Random().buffers(torch.zeros(some, units, inputs, dtype=torch.float64), source)["scores"]
        mask = Unstructured().mask(scores, torch.full((some,), kept))
        found.append((mask.sum(1) == 0).sum(1).double())
    return torch.cat(found)
