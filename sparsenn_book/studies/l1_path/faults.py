"""Two faults of the study's code that any reader can check in a second."""

from __future__ import annotations

import pandas as pd
import torch

from sparsenn_book.studies.l1_path.reference import reference_distance
from sparsenn_core.networks import MLP, embed, literal_teacher
from sparsenn_core.penalties import SquaredL2
from sparsenn_core.training import SGD, Data, Ensemble, fit

STRENGTH = 1e-3


def faults() -> pd.DataFrame:
    """Columns name and value: the study's distance of an exact copy and of the zero network, and the factor of L2."""
    copy, nothing = reference_distances()
    values = {"distance of the copy": copy, "distance of zero": nothing, "l2 gradient factor": l2_gradient_factor()}
    return pd.DataFrame({"name": list(values), "value": list(values.values())})


def reference_distances() -> tuple[float, float]:
    """The study's distance of the teacher to its exact copy in a 12-128-128-1 network, and to the zero network."""
    teacher = literal_teacher("baseline", "relu")
    copy = [torch.zeros(o, i, dtype=torch.float64) for o, i in ((128, 12), (128, 128), (1, 128))]
    zero = [w.clone() for w in copy]
    for whole, part in zip(copy, embed(teacher), strict=True):
        whole[: part.shape[0], : part.shape[1]] = part
    weights = [w.detach() for w in teacher.parameters()]
    return reference_distance(weights, copy), reference_distance(weights, zero)


def l2_gradient_factor() -> float:
    """The c in gradient = c strength w that one step of the study's training takes when the loss is already zero."""
    net = MLP([3, 1], "linear", bias=False, generator=torch.Generator().manual_seed(0)).double()
    ensemble = Ensemble.stack([net])
    x = torch.eye(3, dtype=torch.float64)
    data = Data.shared(x, ensemble(x)[0].detach())
    moved = fit(ensemble, data, optimizer=SGD(1.0, weight_decay=STRENGTH), penalty=SquaredL2(STRENGTH), epochs=1)
    w, new = ensemble.params["layers.0.weight"], moved.ensemble.params["layers.0.weight"]
    return float(((w - new) / (STRENGTH * w)).mean())
