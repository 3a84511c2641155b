"""Where the neurons of trained students and of the optimum are: direction, offset and size for each output."""

from __future__ import annotations

import numpy as np
import pandas as pd


def placed(weights: pd.DataFrame, optimum_neurons: pd.DataFrame) -> pd.DataFrame:
    """One row for each run, neuron and output (1, 2): theta = angle of w in [0, 2 pi), offset = b / ||w||,
    size = |v_dk| ||w_k||, the study's axes and area rule (||w|| without the bias).
    """
    rows = pd.concat([weights, optimum_neurons], ignore_index=True)
    length = np.hypot(rows["w1"], rows["w2"])
    place = rows[["method", "seed", "neuron"]].assign(
        theta=np.arctan2(rows["w2"], rows["w1"]) % (2 * np.pi), offset=rows["b"] / length
    )
    outputs = [place.assign(output=d, size=rows[f"v{d}"].abs() * length) for d in (1, 2)]
    return pd.concat(outputs, ignore_index=True)
