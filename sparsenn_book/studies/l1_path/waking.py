"""Relu students that are dead before training, trained on without patience: which penalty wakes them, and when?

A dead relu student outputs zero on every input, and no gradient of its error reaches any weight. A penalty's own
gradient does. That of L2 shrinks all weights by one factor, which turns no sign. That of L1 takes the same amount off
every weight at each step, whatever its size, and turns the sign of the smallest first.
"""

from __future__ import annotations

import pandas as pd
import torch

from sparsenn_book.studies.l1_path.settings import PENALTIES, DeadStarts, Objective, Schedule
from sparsenn_book.studies.l1_path.students import data_of, start, weights_table
from sparsenn_book.studies.l1_path.training import train
from sparsenn_core.errors import InputError
from sparsenn_core.training import Ensemble

FIRST_SEED = 2001  # draws that no other table has seen
SCALE = 0.2  # the study's smaller initial scale
AWAKE = 0.99  # of the dead student's loss: a student below it has woken
POINTS = 120  # of a curve


def waking(
    objective: Objective, schedule: Schedule, settings: DeadStarts, device: str = "cpu"
) -> dict[str, pd.DataFrame]:
    """The same dead starts of the 7-weight student, data and order under no penalty, L1 and L2.

    `woken` has one row a run, with the epochs after which it is predicted to wake and did (NaN: never); `wake_weights`
    the last weights; `wake_curves` the epoch loss during training.
    """
    seeds = dead_seeds(objective, settings.dead_starts)
    runs = pd.DataFrame([(p, s) for p in PENALTIES for s in seeds], columns=["penalty", "seed"])
    runs = runs.assign(student="baseline", activation="relu", init_scale=SCALE)
    first = start(runs, objective)
    data = data_of(runs, objective.samples, torch.float32).to(device)
    result = train(first.to(device), data, runs, objective, schedule, settings.wake_epochs, None, 1)
    loss = result.rows[result.rows["name"] == "epoch loss"].pivot(index="epoch", columns="run", values="value")
    asleep = data_of(runs, objective.samples, torch.float64)
    zero_loss = asleep.targets.square().mean((1, 2))[asleep.of_run]
    woken = loss.lt(AWAKE * zero_loss.numpy())
    table = runs.assign(
        dead_layers=dead_layers(first, objective).numpy(),
        predicted_epoch=predicted_epochs(first, objective, schedule).numpy(),
        woke_epoch=woken.idxmax().where(woken.any()).astype(float).to_numpy(),
    )
    every = max(1, settings.wake_epochs // POINTS)
    curves = result.rows[(result.rows["epoch"] % every == 0) & (result.rows["name"] == "epoch loss")]
    curves = curves.merge(runs[["penalty", "seed"]], left_on="run", right_index=True)
    return {
        "woken": table,
        "wake_weights": weights_table(result.ensemble),
        "wake_curves": curves[curves["epoch"] > 0],
    }


def dead_seeds(objective: Objective, count: int) -> list[int]:
    """The first `count` seeds from 2001 on whose 7-weight relu student outputs zero on all of its training inputs."""
    found: list[int] = []
    for first in range(FIRST_SEED, FIRST_SEED + 100 * count, count):
        seeds = pd.DataFrame({"seed": range(first, first + count)})
        seeds = seeds.assign(student="baseline", activation="relu", init_scale=SCALE)
        data = data_of(seeds, objective.samples, torch.float32)
        outputs = start(seeds, objective).each(data.inputs[data.of_run])
        dead = (outputs == 0).flatten(1).all(1)
        found += seeds.loc[dead.numpy(), "seed"].tolist()
        if len(found) >= count:
            return found[:count]
    raise InputError(f"only {len(found)} dead starts among {100 * count} draws, not {count}; is the output linear?")


def _smallest_of_dead_layers(ensemble: Ensemble, objective: Objective) -> torch.Tensor:
    """[R, 2]: the smallest |w| of each later layer that has no positive weight; 0 where the layer has one.

    What enters these layers is never negative, so such a layer outputs zero, if a relu follows it.
    """
    later = [w.flatten(1) for k, w in ensemble.params.items() if k.endswith("weight")][1:]
    smallest = torch.stack([torch.where((w > 0).any(1), 0.0, w.abs().amin(1)) for w in later], 1).double()
    if objective.last_activation != "same":
        smallest[:, -1] = 0.0
    return smallest


def dead_layers(ensemble: Ensemble, objective: Objective) -> torch.Tensor:
    """[R] how many layers of each 7-weight relu student output zero whatever enters them."""
    return (_smallest_of_dead_layers(ensemble, objective) > 0).sum(1)


def predicted_epochs(ensemble: Ensemble, objective: Objective, schedule: Schedule) -> torch.Tensor:
    """[R] after how many epochs under L1 every dead layer has had a weight turn its sign.

    SGD with momentum moves a weight by learning rate x strength / (1 - momentum) a step, in the long run.
    """
    speed = schedule.learning_rate * objective.strength / (1 - schedule.momentum)
    steps = -(-objective.samples // min(schedule.batch_size, objective.samples))
    return _smallest_of_dead_layers(ensemble, objective).amax(1) / max(speed, 1e-300) / steps
