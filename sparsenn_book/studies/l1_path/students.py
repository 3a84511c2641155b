"""Students of the L1 study: how they start, and their weights as rows of a table."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
import torch
from torch import Tensor, nn

from sparsenn_book.studies.l1_path.settings import Objective
from sparsenn_core.errors import unknown
from sparsenn_core.networks import baseline_cnn, initialize_study_, literal_teacher, multi_channel_cnn
from sparsenn_core.randomness import generator
from sparsenn_core.training import Data, Ensemble

BUILDERS: dict[str, Callable[..., nn.Module]] = {"baseline": baseline_cnn, "multi_channel": multi_channel_cnn}


def build(student: str, activation: str, scale: float, objective: Objective) -> Callable[[torch.Generator], nn.Module]:
    """What draws one student with the study's initial weights times `scale`."""
    if student not in BUILDERS:
        raise unknown("student", student, BUILDERS)
    last = activation if objective.last_activation == "same" else objective.last_activation

    def draw(source: torch.Generator) -> nn.Module:
        net = BUILDERS[student](activation, last_activation=last, bias=objective.bias, generator=source)
        return initialize_study_(net, activation, scale, source)

    return draw


def start(runs: pd.DataFrame, objective: Objective) -> Ensemble:
    """Students before training, one for each row of `runs` (student, activation, init_scale, seed), float32.

    A seed draws the same weights for every penalty, and for every scale up to that factor.
    """
    drawn = [
        build(row.student, row.activation, row.init_scale, objective)(generator(int(row.seed), "init"))
        for row in runs.itertuples(index=False)
    ]
    return Ensemble.stack(drawn)


def data_of(runs: pd.DataFrame, samples: int, dtype: torch.dtype) -> Data:
    """Inputs N(0, I) [sets, samples, 12] drawn from each run's seed, and the literal teacher's outputs, no noise.

    Runs with the same seed see the same inputs, whatever activation, penalty or start they have.
    """
    sets = runs[["activation", "seed"]].drop_duplicates().reset_index(drop=True)
    inputs, targets = [], []
    for activation, seed in sets.itertuples(index=False):
        x = torch.randn(samples, 12, generator=generator(int(seed), "data"), dtype=torch.float64)
        inputs.append(x)
        targets.append(literal_teacher("baseline", activation)(x))
    number = {tuple(key): i for i, key in enumerate(sets.itertuples(index=False, name=None))}
    of_run = [number[key] for key in runs[["activation", "seed"]].itertuples(index=False, name=None)]
    return Data(torch.stack(inputs), torch.stack(targets), torch.tensor(of_run)).to(dtype=dtype)


def strength_of(runs: pd.DataFrame, penalty: str, strength: float) -> Tensor:
    """`strength` for the runs with this penalty and 0 for the others, [R]."""
    return torch.tensor([strength if p == penalty else 0.0 for p in runs["penalty"]], dtype=torch.float64)


def weights_table(ensemble: Ensemble) -> pd.DataFrame:
    """Every weight (and bias) of every network: columns run, parameter, place (row-major), value."""
    blocks = []
    for name, values in ensemble.to("cpu", torch.float64).params.items():
        flat = values.flatten(1)
        runs, size = flat.shape
        blocks.append(
            pd.DataFrame(
                {
                    "run": torch.arange(runs).repeat_interleave(size).numpy(),
                    "parameter": name,
                    "place": torch.arange(size).repeat(runs).numpy(),
                    "value": flat.flatten().numpy(),
                }
            )
        )
    return pd.concat(blocks, ignore_index=True)


def ensemble_of(weights: pd.DataFrame, student: str, activation: str, objective: Objective) -> Ensemble:
    """The networks that `weights_table` wrote down, float64, in the order of their numbers."""
    template = build(student, activation, 1.0, objective)(torch.Generator()).double()
    params = {}
    for name, like in template.named_parameters():
        rows = weights[weights["parameter"] == name].sort_values(["run", "place"], kind="stable")
        params[name] = torch.tensor(rows["value"].to_numpy()).view(-1, *like.shape)
    return Ensemble(template, params)
