"""Rows made from the trace of training: what the figures, sentences and claims about it read."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from sparsenn_book.studies.width_bounds.neuron_sharing import STEP_SIZE, STRENGTH, STUDENT_SEED

LONG, WHOLE = 220_000, 1_000_000
"""Steps from which the study's log shows the final number of active neurons, and the study's length."""
SHOWN = 1e-3  # the study draws neurons whose |v_dk| ||w_k|| is above this
BALANCE_FROM = 10_000  # steps from which the law of balance is compared: before, gradients are large
BALANCE_TO = 230_000  # by this step the law leaves about a hundredth


def length(trace: pd.DataFrame) -> int:
    """Steps of training."""
    return int(trace["step"].max())


def values(trace: pd.DataFrame, name: str) -> pd.DataFrame:
    """Rows method, seed, step, value of one measure."""
    return trace[trace["name"] == name].drop(columns="name")


def with_relative(trace: pd.DataFrame, optimum: float) -> pd.DataFrame:
    """The trace and, as further rows, the objective over the certified optimum."""
    relative = trace[trace["name"] == "objective"].assign(name="relative")
    return pd.concat([trace, relative.assign(value=relative["value"] / optimum)], ignore_index=True)


def deviations(trace: pd.DataFrame, log: pd.DataFrame, name: str) -> pd.DataFrame:
    """The study's student beside its log, method, step, `recorded`, `value`, at the logged steps that are reached."""
    ours = values(trace[trace["seed"] == STUDENT_SEED], name)
    recorded = values(log, name).rename(columns={"value": "recorded"})
    return recorded.merge(ours, on=["method", "step"])


def largest_deviation(trace: pd.DataFrame, log: pd.DataFrame, name: str = "mse") -> pd.Series:
    """By method, the largest relative deviation from the log."""
    both = deviations(trace, log, name)
    return (both["value"] / both["recorded"] - 1).abs().groupby(both["method"]).max()


def balance_law(steps: np.ndarray | pd.Series, start: int) -> np.ndarray:
    """(1 - eta lambda)^(2 (t - start)), by which weight decay shrinks the imbalance."""
    return (1 - STEP_SIZE * STRENGTH) ** (2 * (np.asarray(steps, dtype=float) - start))


def imbalance(trace: pd.DataFrame) -> pd.DataFrame:
    """Imbalance over its value at step `BALANCE_FROM` (at the end of a shorter run) and its `law`, without PathProx."""
    rows = values(trace, "imbalance")
    start = min(BALANCE_FROM, length(trace))
    rows = rows[(rows["method"] != "PathProx") & (rows["step"] >= start)]
    first = rows[rows["step"] == start].rename(columns={"value": "initial"}).drop(columns="step")
    rows = rows.merge(first, on=["method", "seed"])
    return rows.assign(value=rows["value"] / rows["initial"], law=balance_law(rows["step"], start))


def balance_ratios(trace: pd.DataFrame) -> pd.Series:
    """By seed, imbalance under SGD with weight decay over the law's, at the last step up to `BALANCE_TO`."""
    rows = imbalance(trace)
    rows = rows[(rows["method"] == "SGD weight decay") & (rows["step"] <= BALANCE_TO)]
    rows = rows[rows["step"] == rows["step"].max()]
    return (rows["value"] / rows["law"]).set_axis(rows["seed"])


def sharing(neurons: pd.DataFrame) -> pd.DataFrame:
    """One row a run: neurons `drawn` (above `SHOWN` for some output), drawn for `both`, their `share`, and the `cost`
    of sharing, sum ||v|| ||w|| over sum (|v_1| + |v_2|) ||w||: 1 where none serves both, 0.707 where all do equally.
    """
    run = ["method", "seed"]
    shown = neurons[neurons["size"] > SHOWN].groupby([*run, "neuron"], sort=False)["output"].nunique()
    found = shown.groupby(run, sort=False).agg(drawn="size", both=lambda n: int((n == 2).sum()))
    size = neurons.groupby([*run, "neuron"], sort=False)["size"]
    cost = pd.DataFrame({"alone": size.sum(), "together": size.agg(lambda n: float(np.hypot(*n)))}).groupby(run).sum()
    found = found.assign(share=found["both"] / found["drawn"], cost=cost["together"] / cost["alone"])
    return found.reset_index()


def pairs(distance: pd.DataFrame, column: str, first: str, second: str) -> pd.DataFrame:
    """`column` of two rules side by side, from the same weights, where neither run collapsed."""
    alive = distance[~distance["collapsed"]].pivot(index="seed", columns="method", values=column)
    return alive.reindex(columns=[first, second]).dropna()


def tables_of_training(tables: Mapping[str, pd.DataFrame]) -> bool:
    """Whether training was long enough to say anything of its end."""
    return length(tables["trace"]) >= LONG
