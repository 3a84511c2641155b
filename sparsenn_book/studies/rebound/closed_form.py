"""Training near the teacher in closed form, laid beside the simulation."""

from __future__ import annotations

import pandas as pd

from sparsenn_book.studies.rebound.conditions import Condition
from sparsenn_book.studies.rebound.curves import as_tensor
from sparsenn_book.studies.rebound.settings import ExperimentSettings, TurningSettings
from sparsenn_book.studies.rebound.teachers import draw
from sparsenn_core.linearized import Linearization


def predicted(
    curves: pd.DataFrame, turning: pd.DataFrame, b: ExperimentSettings, both: TurningSettings
) -> pd.DataFrame:
    """Squared distances of B, and of noise and displacement, in float64: experiment, run, epoch, simulated, predicted
    (with the noise that was drawn) and expected (over noise).
    """
    conditions = {"B": b.conditions()["B"], **both.conditions()}
    simulated = pd.concat([curves[curves.precision == "float64"], turning])
    frames = []
    for name, condition in conditions.items():
        own = simulated[(simulated.experiment == name) & (simulated.name == "squared_distance")]
        frames.append(_predicted(condition, own).assign(experiment=name))
    return pd.concat(frames, ignore_index=True)


def _predicted(condition: Condition, own: pd.DataFrame) -> pd.DataFrame:
    drawn, simulated = draw(condition), as_tensor(own)
    frames = []
    for run in range(condition.num_runs):
        at = Linearization.at(drawn.teachers[run], drawn.data.inputs[run])
        step = [drawn.students.params[k][run] - w[run] for k, w in drawn.teachers.params.items()]
        rate, steps = condition.learning_rate, condition.epochs
        columns = {
            "simulated": simulated[run],
            "predicted": at.squared_distance(
                learning_rate=rate, steps=steps, displacement=step, noise=drawn.noise[run]
            ),
            "expected": at.squared_distance(learning_rate=rate, steps=steps, displacement=step, sigma=condition.noise),
        }
        frames.append(pd.DataFrame({"run": run, "epoch": range(steps + 1), **columns}))
    return pd.concat(frames, ignore_index=True)
