"""The minimiser of the study's objective, found properly from many starts."""

from __future__ import annotations

import itertools
import warnings

import pandas as pd
import torch

from sparsenn_book.studies.l1_path.settings import MinimiserSettings, Objective
from sparsenn_book.studies.l1_path.students import build, data_of, start, strength_of, weights_table
from sparsenn_core.networks import literal_teacher
from sparsenn_core.penalties import L1, SquaredL2
from sparsenn_core.training import ConvergenceWarning, Data, Ensemble, Minimum, minimise

FIRST_STRENGTHS = {"relu": (1.0, 1000.0), "sigmoid": (1.0,), "tanh": (1.0, 1000.0)}
"""Factors on the penalty in the first half of the proximal steps; the starts of L1 take turns with them. A large one
helps relu and tanh units to merge and makes every sigmoid student collapse."""

VALUES = ("objective", "loss", "residual", "nonzero")


def minimisers(
    student: str, activation: str, objective: Objective, settings: MinimiserSettings
) -> dict[str, pd.DataFrame]:
    """Minimise mean squared error + strength x (sum |w|, or sum w^2) on the data of seed 1: one row a start.

    L1 and L2 start from `starts` random networks each; L1 also from the teacher and, with sigmoid, from its mirror
    images, which compute nearly the same function. Without a penalty the least value is 0, at the teacher, and nothing
    is computed. The L2 term counts once, as it stands in the loss. `found_*` has values, `minimisers_*` weights.
    """
    random = _random_starts(student, activation, settings)
    near = _near_starts(student, activation)
    rough, rows = _polished(start(random.assign(seed=random["start"]), objective), random, objective, settings)
    close, near_rows = _polished(_teachers(near, objective), near, objective, MinimiserSettings(minimiser_steps=0))
    together = {k: torch.cat([w, close.params[k]]) for k, w in rough.params.items()}
    ensemble = rough.with_params(together)
    runs = pd.concat([rows, near_rows], ignore_index=True)
    ensemble, runs = _best_polished_longer(ensemble, runs, objective)
    return {f"found_{student}_{activation}": runs, f"minimisers_{student}_{activation}": weights_table(ensemble)}


def _random_starts(student: str, activation: str, settings: MinimiserSettings) -> pd.DataFrame:
    turns = itertools.cycle(FIRST_STRENGTHS[activation])
    grid = [("l1", float(next(turns)), n) for n in range(1, settings.starts + 1)]
    grid += [("l2", 1.0, n) for n in range(1, settings.starts + 1)]
    table = pd.DataFrame(grid, columns=["penalty", "first_strength", "start"])
    return table.assign(student=student, activation=activation, init_scale=1.0, seed=1, origin="random")


def _near_starts(student: str, activation: str) -> pd.DataFrame:
    images = 4 if activation == "sigmoid" else 1
    table = pd.DataFrame({"penalty": "l1", "first_strength": 1.0, "start": range(1, images + 1)})
    return table.assign(student=student, activation=activation, init_scale=1.0, seed=1, origin="teacher")


def _teachers(near: pd.DataFrame, objective: Objective) -> Ensemble:
    """The teacher inside the student, all other weights zero: as it is, and for a further start n with the signs of its
    hidden layers turned as the binary digits of n - 1 say (a sigmoid unit then computes 1 minus what it did).
    """
    networks = []
    for row in near.itertuples(index=False):
        network = build(row.student, row.activation, 1.0, objective)(torch.Generator())
        weights = [w.detach().clone() for w in literal_teacher("baseline", row.activation).parameters()]
        for layer in range(2):
            if (row.start - 1) >> layer & 1:
                weights[layer], weights[layer + 1] = -weights[layer], -weights[layer + 1]
        with torch.no_grad():
            for p in network.parameters():
                p.zero_()
            for p, w in zip([p for p in network.parameters() if p.ndim > 1], weights, strict=True):
                p[: w.shape[0], : w.shape[1]] = w.to(p.dtype)
        networks.append(network)
    return Ensemble.stack(networks)


def _polished(
    ensemble: Ensemble, runs: pd.DataFrame, objective: Objective, settings: MinimiserSettings
) -> tuple[Ensemble, pd.DataFrame]:
    found = _minimise(
        ensemble, runs, objective, settings.minimiser_steps, torch.tensor(runs["first_strength"].to_numpy()), 24
    )
    return found.ensemble, _with_values(runs, found)


def _best_polished_longer(
    ensemble: Ensemble, runs: pd.DataFrame, objective: Objective
) -> tuple[Ensemble, pd.DataFrame]:
    """The least objective of each penalty is worth a long polish; the others only say how often it is found."""
    best = torch.tensor(runs.groupby("penalty")["objective"].idxmin().to_numpy())
    found = _minimise(ensemble.select(best), runs.iloc[best.numpy()], objective, 0, 1.0, 160)
    params = {k: w.index_copy(0, best, found.ensemble.params[k]) for k, w in ensemble.params.items()}
    values = {
        name: torch.tensor(runs[name].to_numpy()).index_copy(0, best, getattr(found, name)).numpy() for name in VALUES
    }
    return ensemble.with_params(params), runs.assign(**values)


def _minimise(
    ensemble: Ensemble,
    runs: pd.DataFrame,
    objective: Objective,
    steps: int,
    first_strength: float | torch.Tensor,
    newton_steps: int,
) -> Minimum:
    l1, l2 = (strength_of(runs, kind, objective.strength) for kind in ("l1", "l2"))
    data: Data = data_of(runs, objective.samples, torch.float64)
    with warnings.catch_warnings():
        # of many starts some do not converge; the residual of each is in the table, and those shown are certified
        warnings.simplefilter("ignore", ConvergenceWarning)
        return minimise(
            ensemble,
            data,
            penalty=L1(l1) + SquaredL2(l2),
            first_strength=first_strength,
            order=runs["start"].tolist(),
            steps=steps,
            newton_steps=newton_steps,
        )


def _with_values(runs: pd.DataFrame, found: Minimum) -> pd.DataFrame:
    return runs.assign(**{name: getattr(found, name).numpy() for name in VALUES})
