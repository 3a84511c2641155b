"""What the study's notebooks printed: its training log, its final values, its 800 counts, the bars of its histograms.

All from the public repository joeshenouda/vv-spaces-nn-width at commit 0c295de; `notebooks/data/README.md` says more.
"""

from __future__ import annotations

import pandas as pd

from sparsenn_book.sources.project import data_file
from sparsenn_book.studies.width_bounds.neuron_sharing import STRENGTH

PRINTED = {"mse": "2.92865e-5", "outgoing": "1.456323"}
"""The last line of the study's PathProx run; with ||wbar_k|| = 1 the sum of ||v_k|| is the VV norm."""


def training_log() -> pd.DataFrame:
    """Rows method, step, name (mse, active, outgoing), value: 100 logged iterations of PathProx and of no decay.

    At its iteration i the study prints the loss after i steps and the norms after i + 1.
    """
    log = pd.read_csv(data_file("neuron_sharing_trace.csv"))
    parts = [
        log.assign(name=name, value=log[name], step=log["iteration"] + late)[["method", "step", "name", "value"]]
        for name, late in (("mse", 0), ("active", 1), ("outgoing", 1))
    ]
    return pd.concat(parts, ignore_index=True)


def log_over_optimum(optimum: float) -> pd.DataFrame:
    """Rows like those of `training_log`, name `relative`: the objective of the PathProx run over the optimum."""
    log = pd.read_csv(data_file("neuron_sharing_trace.csv"))
    log = log[log["method"] == "PathProx"]
    value = (log["mse"] + STRENGTH * log["outgoing"]) / optimum
    return pd.DataFrame({"method": "PathProx", "step": log["iteration"], "name": "relative", "value": value})


def solves() -> pd.DataFrame:
    """The 800 solves: figure (dimension, rank), samples, width, rank, outputs, rep, objective, active, warned; and
    `failed`: more active neurons than r_Phi r_Psi, which no solution at a vertex has.
    """
    rows = pd.read_csv(data_file("lasso_recorded_solves.csv"))
    return rows.assign(failed=rows["active"] > rows["rank"] * rows[["rank", "outputs"]].min(axis=1))


def bar(figure: str, setting: int) -> float:
    """The width of one bar, in neurons, of the study's histogram: 50 bars over 25 to 200 in the dimension figure, over
    2 to 110 for rank 2 and 0 to 120 for the other ranks.
    """
    low, high = (25, 200) if figure == "dimension" else (2, 110) if setting == 2 else (0, 120)
    return (high - low) / 50
