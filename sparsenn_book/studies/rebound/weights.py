"""Trained networks as tables of weights, and back."""

from __future__ import annotations

from typing import Any

import pandas as pd
import torch
from torch import Tensor

from sparsenn_core.training import Ensemble


def weight_rows(networks: Ensemble, **columns: Any) -> pd.DataFrame:
    """A long table, one row a weight: run, layer (the parameter's name), index in it, value, and constant `columns`."""
    frames = []
    for name, stacked in networks.params.items():
        flat = stacked.double().flatten(1)
        run, index = (a.flatten() for a in torch.meshgrid(*map(torch.arange, flat.shape), indexing="ij"))
        frames.append(pd.DataFrame({"run": run, "layer": name, "index": index, "value": flat.flatten()}))
    return pd.concat(frames, ignore_index=True).assign(**columns)


def networks_of(rows: pd.DataFrame, like: Ensemble) -> Ensemble:
    """The networks of such a table, in float64 and shaped as `like`."""

    def stacked(name: str, shape: Tensor) -> Tensor:
        part = rows[rows.layer == name].sort_values(["run", "index"])
        return torch.tensor(part.value.to_numpy()).reshape(-1, *shape.shape[1:])

    return like.with_params({name: stacked(name, w) for name, w in like.params.items()})
