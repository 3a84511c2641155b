"""The certified optimum of the neuron-sharing study's objective, over networks of every width, as rows."""

from __future__ import annotations

import pandas as pd

from sparsenn_book.studies.width_bounds.neuron_sharing import STRENGTH, problem
from sparsenn_book.studies.width_bounds.students import as_rows
from sparsenn_core.lasso.shallow import shallow_optimum
from sparsenn_core.networks import vv_norm

OPTIMUM = "optimum"


def certified_optimum(strength: float = STRENGTH) -> dict[str, pd.DataFrame]:
    """The tables `optimum` (one row: value, proof, and what the network that made the data costs) and
    `optimum_neurons` (the balanced network, rows of `students`; its method is `OPTIMUM`, its seed 0).
    """
    x, y, generator = problem()
    found = shallow_optimum(x.numpy().T, y.numpy().T, strength)
    row = {
        "strength": strength,
        "objective": found.objective,
        "bound": found.bound,
        "gap": found.gap,
        "peak": found.peak,
        "mse": found.mse,
        "vv_norm": found.vv_norm,
        "neurons": found.coef.shape[1],
        "rounds": found.rounds,
        "generator_vv_norm": vv_norm(generator),
        "target_variance": float(y.var()),
    }
    return {"optimum": pd.DataFrame([row]), "optimum_neurons": as_rows(found.network(), OPTIMUM, 0)}
