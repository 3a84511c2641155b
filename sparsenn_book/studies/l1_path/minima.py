"""The minimiser of the study's objective, found properly from many starts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd
import torch

from sparsenn_book.studies.l1_path.evaluation import describe
from sparsenn_book.studies.l1_path.schedule import Schedule, data_of, start, strength_of
from sparsenn_core.penalties import L1, SquaredL2
from sparsenn_core.training import Ensemble, minimise


@dataclass(frozen=True)
class Minima:
    """`table` has one row a start; `ensemble` the networks found, in the same order."""

    table: pd.DataFrame
    ensemble: Ensemble


def minima(
    student: str,
    activation: str,
    schedule: Schedule,
    *,
    starts: int,
    first_strengths: Sequence[float] = (1.0, 1000.0),
    init_scale: float = 1.0,
    steps: int = 2000,
    test_samples: int = 100_000,
) -> Minima:
    """Minimise mean squared error + strength x (sum |w|, or sum w^2) on the data of seed 1, from `starts` starts.

    The starts of L1 take turns with the `first_strengths` (see `minimise`); those of L2 have none. Without a penalty
    the least value is 0, at the teacher, and nothing is computed. The L2 term counts once, as it stands in the loss.
    """
    grid = [("l1", float(first_strengths[i % len(first_strengths)]), i + 1) for i in range(starts)]
    grid += [("l2", 1.0, i + 1) for i in range(starts)]
    runs = pd.DataFrame(grid, columns=["penalty", "first_strength", "start"]).assign(
        student=student, teacher_activation=activation, student_activation=activation, init_scale=init_scale, seed=1
    )
    data = data_of(runs, schedule.samples, torch.float64)
    networks = start(runs.assign(seed=runs["start"]), schedule)
    l1, l2 = (strength_of(runs, kind, schedule.strength) for kind in ("l1", "l2"))
    penalty = L1(l1) + SquaredL2(l2)
    found = minimise(
        networks,
        data,
        penalty=penalty,
        first_strength=torch.tensor(runs["first_strength"].to_numpy()),
        order=runs["start"].tolist(),
        steps=steps,
        newton_steps=24,
    )
    # the least objective of each penalty is worth a long polish; the others only say how often it is found
    best = torch.tensor(runs.assign(o=found.objective.numpy()).groupby("penalty")["o"].idxmin().to_numpy())
    final = minimise(
        found.ensemble.select(best), data.select(best), penalty=penalty.select(best), steps=0, newton_steps=160
    )
    params = {k: w.index_copy(0, best, final.ensemble.params[k]) for k, w in found.ensemble.params.items()}
    ensemble = found.ensemble.with_params(params)
    for name in ("objective", "loss", "residual", "nonzero"):
        runs[name] = getattr(found, name).index_copy(0, best, getattr(final, name)).numpy()
    return Minima(pd.concat([runs, describe(ensemble, runs, test_samples)], axis=1), ensemble)
