"""Two-layer students as rows, one a neuron, and back: what a table of trained weights holds.

A network f(x) = sum_k v_k relu(w_k . x + b_k) of two inputs and two outputs is the rows `neuron`, `w1`, `w2`, `b`,
`v1`, `v2`, in float64, which holds float32 weights as they are.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import nn

Array = NDArray[np.float64]
RUN = ["method", "seed"]


def as_rows(network: nn.Module, method: str, seed: int) -> pd.DataFrame:
    """The rows of a network Linear, ReLU, Linear without output bias, named by `method` and `seed`."""
    weight, bias, out = (t.detach().double().cpu().numpy() for t in network.state_dict().values())
    columns = {"w1": weight[:, 0], "w2": weight[:, 1], "b": bias, "v1": out[0], "v2": out[1]}
    return pd.DataFrame({"method": method, "seed": seed, "neuron": range(len(bias)), **columns})


def network(rows: pd.DataFrame) -> nn.Sequential:
    """The float64 network of one run's rows."""
    # copied, as columns of a table cannot be written to
    parts = [torch.tensor(rows[names].to_numpy(copy=True)) for names in (["w1", "w2"], ["b"], ["v1", "v2"])]
    hidden = nn.utils.skip_init(nn.Linear, 2, len(rows), dtype=torch.float64)
    output = nn.utils.skip_init(nn.Linear, len(rows), 2, bias=False, dtype=torch.float64)
    with torch.no_grad():
        hidden.weight.copy_(parts[0])
        hidden.bias.copy_(parts[1][:, 0])
        output.weight.copy_(parts[2].T)
    return nn.Sequential(hidden, nn.ReLU(), output)


def runs(weights: pd.DataFrame) -> Iterator[tuple[str, int, pd.DataFrame]]:
    """(method, seed, rows) of each run, in the order of the table."""
    for (method, seed), rows in weights.groupby(RUN, sort=False):
        yield str(method), int(seed), rows


def on_the_sphere(rows: pd.DataFrame) -> tuple[Array, Array]:
    """(directions wbar_k / ||wbar_k|| [K', 3], v_k ||wbar_k|| [2, K']) of one run's rows, without dead neurons.

    Together they are the network as the multi-task lasso sees it: features relu(Xbar wbar), coefficients V.
    """
    wbar, out = rows[["w1", "w2", "b"]].to_numpy(), rows[["v1", "v2"]].to_numpy().T
    length = np.linalg.norm(wbar, axis=1)
    coef = out * length
    kept = (length > 0) & (np.linalg.norm(coef, axis=0) > 0)
    return wbar[kept] / length[kept, None], coef[:, kept]
