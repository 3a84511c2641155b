"""Numbers that claims, sentences and figures read off the tables."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sparsenn_book.studies.rebound.curves import as_tensor, normalised, rebounds
from sparsenn_book.studies.rebound.power_law import PowerLaw, power_law
from sparsenn_book.studies.rebound.published import RUNS, published

READ_OFF = 1e-3
"""How well a published curve is known from its drawing."""


def distances(rows: pd.DataFrame, **where: str) -> pd.DataFrame:
    """The rows of squared distance with the given values in their columns."""
    chosen = rows.name == "squared_distance"
    for column, value in where.items():
        chosen &= rows[column] == value
    return rows[chosen]


def summary(rows: pd.DataFrame, **where: str) -> pd.DataFrame:
    """One row a run of those squared distances: what `curves.rebounds` gives."""
    return rebounds(as_tensor(distances(rows, **where)))


def scaled_curves(rows: pd.DataFrame, **where: str) -> NDArray[np.float64]:
    """Those squared distances from epoch 1 on, each run scaled to [0, 1]: [runs, epochs]."""
    return normalised(as_tensor(distances(rows, **where))[:, 1:]).numpy()


def furthest(
    target: NDArray[np.float64], mean: NDArray[np.float64], deviation: NDArray[np.float64], runs: int
) -> float:
    """The largest difference over epochs of a published mean of twenty runs and the `mean` of `runs` runs with that
    standard deviation, in standard errors of such a difference.
    """
    shown = min(len(target), len(mean))
    error = np.sqrt(deviation[:shown] ** 2 * (1 / RUNS + 1 / runs) + READ_OFF**2)
    return float((np.abs(target[:shown] - mean[:shown]) / error).max())


def published_distance(experiment: str) -> NDArray[np.float64]:
    """The published mean of scaled squared distances, epoch after epoch."""
    return published(experiment).l2_normalized.to_numpy()


def from_spread(spread: pd.DataFrame, experiment: str, target: NDArray[np.float64]) -> float:
    """`furthest` of a published curve from the study's own conditions in the table `spread`."""
    own = spread[(spread.experiment == experiment) & (spread.precision == "float32")].sort_values("epoch")
    return furthest(target, own["mean"].to_numpy(), own.deviation.to_numpy(), int(own.runs.iloc[0]))


def from_variant(b_variants: pd.DataFrame, variant: str, target: NDArray[np.float64]) -> float:
    """`furthest` of a published curve from a variant of B."""
    curves = scaled_curves(b_variants, variant=variant)
    return furthest(target, curves.mean(0), curves.std(0, ddof=min(1, len(curves) - 1)), len(curves))


def closed_form_errors(prediction: pd.DataFrame) -> pd.DataFrame:
    """Largest relative error of the closed form over epochs: experiment, run, error."""
    moved = prediction[prediction.simulated > 0]
    error = (moved.predicted - moved.simulated).abs() / moved.simulated
    return moved.assign(error=error).groupby(["experiment", "run"], sort=False).error.max().reset_index()


def closest_epochs(prediction: pd.DataFrame) -> pd.DataFrame:
    """Epoch of least distance, simulated, predicted and expected: experiment, run and these."""
    names = ["simulated", "predicted", "expected"]
    groups = prediction.set_index("epoch").groupby(["experiment", "run"], sort=False)[names]
    return groups.idxmin().reset_index()


def laws(scaling: pd.DataFrame) -> dict[str, PowerLaw]:
    """The power law of the mean final distance for each variant of C, and of the published points."""
    means = scaling.groupby(["variant", "sigma"], sort=False).value.mean()
    found = {name: power_law(part.index.get_level_values("sigma"), part) for name, part in means.groupby("variant")}
    points = published("C")
    found["published"] = power_law(10**points.log10_sigma, 10**points.log10_squared_l2)
    return found


def published_level() -> float:
    """log10 of the squared distance at noise 1 that the published points of noise 0.1 and more give, as its square."""
    points = published("C")
    large = points[points.log10_sigma >= -1]
    return float((large.log10_squared_l2 - 2 * large.log10_sigma).mean())


def ever(flags: pd.Series, runs: pd.Series) -> pd.Series:
    """Whether a run's flag is set under any condition: one entry a run, as conditions share its teacher and data."""
    return flags.groupby(runs).any()
