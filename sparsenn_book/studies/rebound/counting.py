"""How many students turn back, of more runs than the study's twenty, and how much their curves vary."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import torch

from sparsenn_book.studies.rebound.curves import normalised, rebounds
from sparsenn_book.studies.rebound.settings import CountSettings
from sparsenn_book.studies.rebound.training import Trained, train

MASTER = "float64 weights, float32 arithmetic"


def counted(settings: CountSettings, device: str = "cpu") -> dict[str, pd.DataFrame]:
    """Experiments A and B again, with many runs on few samples.

    turned_back  A in float32 from every displacement, and with weights stored in float64 from the study's:
                 perturbation, precision, run and what `rebounds` gives
    spread       mean and standard deviation over runs of the squared distance, each run scaled to [0, 1], in the
                 study's precision, from its displacement and with its noise: experiment, precision, epoch, mean,
                 deviation, runs; of A also with weights stored in float64
    """
    common = {"num_runs": settings.counted_runs, "dataset_size": settings.map_size, "precision": "float32"}
    sizes = sorted({*settings.counted_perturbations, settings.perturbation})
    turned, spread = [], []
    for size in sizes:
        from_here = settings.condition(perturbation=size, **common)
        for precision in ("float32", MASTER) if size == settings.perturbation else ("float32",):
            trained = train(replace(from_here, precision=precision), device=device)
            found = rebounds(trained.curves["squared_distance"])
            turned.append(found.assign(perturbation=size, precision=precision))
            if size == settings.perturbation:
                spread.append(_spread("A", trained))
    spread.append(_spread("B", train(settings.condition(noise=settings.noise, **common), device=device)))
    return {"turned_back": pd.concat(turned, ignore_index=True), "spread": pd.concat(spread, ignore_index=True)}


def _spread(experiment: str, trained: Trained) -> pd.DataFrame:
    curves = normalised(trained.curves["squared_distance"][:, 1:])
    columns = {"mean": curves.mean(0), "deviation": torch.std(curves, 0, correction=min(1, len(curves) - 1))}
    frame = pd.DataFrame({"epoch": range(1, curves.shape[1] + 1), **columns})
    return frame.assign(experiment=experiment, precision=trained.condition.precision, runs=len(curves))
