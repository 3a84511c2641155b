"""Experiment C: the final distance against the noise."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import torch
from torch import Tensor

from sparsenn_book.studies.rebound.conditions import DATASET_SIZE, PRESETS, Condition
from sparsenn_book.studies.rebound.settings import LevelSettings, ScalingSettings
from sparsenn_book.studies.rebound.teachers import draw
from sparsenn_book.studies.rebound.training import train_all
from sparsenn_core.linearized import Linearization

STUDY = "float32, fresh noise"
FRESH = "float64, fresh noise"
COMMON = "float64, same noise"
PUBLISHED_SETTINGS = "learning rate 1e-5, in the figure's title"
COMMITTED_SETTINGS = "learning rate 1e-3, in the committed code"


def scaled(settings: ScalingSettings, device: str = "cpu") -> pd.DataFrame:
    """Final squared distances of students that start at one teacher: variant, sigma, run, value.

    In the study's way, float32 with fresh data and noise for every size of the noise; the same in float64; and in
    float64 with the same data and noise, scaled.
    """
    frames = []
    for variant in (STUDY, FRESH, COMMON):
        conditions = [_condition(settings, variant, i, sigma) for i, sigma in enumerate(settings.sigmas)]
        for sigma, end in zip(settings.sigmas, _ends(conditions, device), strict=True):
            frames.append(pd.DataFrame({"variant": variant, "sigma": sigma, "run": range(len(end)), "value": end}))
    return pd.concat(frames, ignore_index=True)


def levels(settings: LevelSettings) -> pd.DataFrame:
    """The squared distance at noise 1 in closed form, on 10,000 samples, a teacher a run, for the learning rates that
    the figure's title and the committed code name: variant, run, value.
    """
    rates = {PUBLISHED_SETTINGS: settings.scaling_rate, COMMITTED_SETTINGS: PRESETS["C as coded"].learning_rate}
    rows = []
    for run in range(settings.spectrum_runs):
        changes = {"num_runs": 1, "dataset_size": DATASET_SIZE, "seed": settings.seed + run}
        drawn = draw(settings.condition(**changes))
        at = Linearization.at(drawn.teachers[0], drawn.data.inputs[0])
        for variant, rate in rates.items():
            curve = at.squared_distance(learning_rate=rate, steps=settings.scaling_epochs, sigma=1.0)
            rows.append({"variant": variant, "run": run, "value": float(curve[-1])})
    return pd.DataFrame(rows)


def _condition(settings: ScalingSettings, variant: str, place: int, sigma: float) -> Condition:
    study = variant == STUDY
    return settings.condition(
        one_teacher=True,
        num_runs=settings.scaling_runs,
        dataset_size=settings.scaling_size if study else settings.exact_size,
        learning_rate=settings.scaling_rate,
        epochs=settings.scaling_epochs,
        noise=sigma,
        precision="float32" if study else "float64",
        draw=0 if variant == COMMON else place + 1,
    )


def _ends(conditions: Sequence[Condition], device: str) -> list[Tensor]:
    """Final squared distances [R] of each; a few sizes of the noise at a time, to bound the memory."""
    found: list[Tensor] = []
    for place in range(0, len(conditions), 5):
        found += [t.curves["squared_distance"][:, -1] for t in train_all(conditions[place : place + 5], device=device)]
    return [torch.as_tensor(end) for end in found]
