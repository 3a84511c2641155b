"""Ways to make a student sparse, at equal compute: who finds the teacher's support?

Every way trains the same students (four channels, tanh) from the same starts on the same data for `sparsifier_steps`
proximal Adam steps, then for half as many on the weights that are left, without penalty. Each has one number to tune,
from a row of five, on runs that are not reported: by how many find the support, then by the median error.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd
import torch
from torch import Tensor

from sparsenn_book.studies.l1_phases.phases import judged, trained
from sparsenn_book.studies.l1_phases.settings import SparsifierSettings
from sparsenn_book.studies.l1_phases.students import data_of, tree
from sparsenn_core.penalties import L1, FixedSupport, GroupL2, Params, Penalty, SquaredL2, WeightedL1
from sparsenn_core.training import Between, Data, Ensemble

ACTIVATION = "tanh"
STRENGTHS = (1e-3, 3e-3, 1e-2, 3e-2, 1e-1)
COUNTS = (4.0, 7.0, 10.0, 14.0, 20.0)
"""Weights to keep; the teacher has 7, which no way is told."""
SHARE = 0.1  # of the elastic net's strength that is squared
WIDTH = 0.1  # of reweighting: weights of this size pay half
ROUNDS = 3  # of reweighting


@dataclass(frozen=True)
class Job:
    """Runs to be made sparse: students, data, the number to tune of each run, steps and seeds."""

    ensemble: Ensemble
    data: Data
    knob: Tensor
    steps: int
    seeds: list[int]

    def trained(self, penalty: Penalty, steps: int | None = None, ensemble: Ensemble | None = None) -> Ensemble:
        """The schedule with this penalty."""
        start = self.ensemble if ensemble is None else ensemble
        return trained(start, self.data, penalty, steps or self.steps, self.seeds)


def plain(job: Job) -> Ensemble:
    """L1 as it is."""
    return job.trained(L1(job.knob))


def reweighted(job: Job) -> Ensemble:
    """L1 first, then rounds in which large weights pay less; together as many steps."""
    ensemble = job.trained(L1(job.knob), job.steps // ROUNDS)
    for _ in range(ROUNDS - 1):
        penalty = WeightedL1.reweighted(ensemble.params, job.knob, WIDTH)
        ensemble = job.trained(penalty, job.steps // ROUNDS, ensemble)
    return ensemble


def elastic_net(job: Job) -> Ensemble:
    """L1 and a tenth of the strength squared (Zou, Hastie 2005)."""
    return job.trained(L1((1 - SHARE) * job.knob) + SquaredL2(SHARE * job.knob))


def group_lasso(job: Job) -> Ensemble:
    """Groups are the channels of the two hidden layers; the last layer's weights are groups of one."""
    names = list(job.ensemble.params)
    return job.trained(GroupL2(job.knob, groups=dict.fromkeys(names[:-1], 0)) + L1(job.knob, only=(names[-1],)))


def magnitude(job: Job) -> Ensemble:
    """Trained without a penalty, then all but the largest weights removed."""
    return largest(job.trained(L1(0.0)), job.knob)


def hard_thresholding(job: Job) -> Ensemble:
    """All but the largest weights removed after every step (Blumensath, Davies 2009)."""

    def keep(moment: Between) -> None:
        for name, mask in masks_of(moment.params, job.knob[moment.runs]).items():
            moment.params[name] = moment.params[name] * mask

    return trained(job.ensemble, job.data, None, job.steps, job.seeds, between=[keep])


WAYS: dict[str, tuple[Callable[[Job], Ensemble], tuple[float, ...]]] = {
    "L1": (plain, STRENGTHS),
    "reweighted L1": (reweighted, STRENGTHS),
    "elastic net": (elastic_net, STRENGTHS),
    "group lasso": (group_lasso, STRENGTHS),
    "hard thresholding": (hard_thresholding, COUNTS),
    "magnitude": (magnitude, COUNTS),
}


def sparsified(settings: SparsifierSettings) -> dict[str, pd.DataFrame]:
    """`sparsifier_tuning` has the runs on which each way is tuned, `sparsifiers` the reported ones at the chosen
    number: way, knob, run, nonzero, r2, mse on fresh inputs, exact, outcome.
    """
    tuning, reported = [], []
    for name, (way, knobs) in WAYS.items():
        tries = settings.sparsifier_tuning_runs
        seen = _runs(way, [k for k in knobs for _ in range(tries)], list(range(tries)) * len(knobs), "tuning", settings)
        scores = seen.groupby("knob").agg(exact=("exact", "mean"), mse=("mse", "median"))
        best = float(scores.sort_values(["exact", "mse"], ascending=[False, True]).index[0])
        runs = settings.sparsifier_runs
        found = _runs(way, [best] * runs, list(range(runs)), "reported", settings)
        tuning.append(seen.assign(way=name))
        reported.append(found.assign(way=name))
    tables = (pd.concat(parts, ignore_index=True) for parts in (tuning, reported))
    return dict(zip(("sparsifier_tuning", "sparsifiers"), tables, strict=True))


def _runs(
    way: Callable[[Job], Ensemble], knobs: list[float], runs: list[int], purpose: str, settings: SparsifierSettings
) -> pd.DataFrame:
    # the same seed of a run for every way and number: same start, data and order
    seeds = [settings.run_seed("sparsifiers", 0 if purpose == "tuning" else 1, run) for run in runs]
    data = data_of(ACTIVATION, settings.sparsifier_samples, seeds)
    students = Ensemble.stack([tree(ACTIVATION, 4, 1.0, seed) for seed in seeds])
    job = Job(students, data, torch.tensor(knobs), settings.sparsifier_steps, seeds)
    sparse = way(job)
    masks = {k: w != 0 for k, w in sparse.params.items()}
    ended = job.trained(FixedSupport(masks=masks), settings.sparsifier_steps // 2, sparse)
    return pd.concat([pd.DataFrame({"knob": knobs, "run": runs}), judged(ended, ACTIVATION)], axis=1)


def largest(ensemble: Ensemble, counts: Tensor) -> Ensemble:
    """The networks with only so many of their largest weights."""
    masks = masks_of(ensemble.params, counts)
    return ensemble.with_params({k: w * masks[k] for k, w in ensemble.params.items()})


def masks_of(params: Params, counts: Tensor) -> Params:
    """Where the counts [R] largest weights of each run are, over all its parameters; of equals the first."""
    flat = torch.cat([w.abs().flatten(1) for w in params.values()], dim=1)
    rank = flat.argsort(dim=1, descending=True, stable=True).argsort(dim=1)
    kept = (rank < counts[:, None]).split([w[0].numel() for w in params.values()], dim=1)
    return {k: part.view_as(w) for (k, w), part in zip(params.items(), kept, strict=True)}
