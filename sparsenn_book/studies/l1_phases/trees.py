"""A fully connected student of 12-8-4-1 minimised from random starts, arranged like the teacher: is it a tree?"""

from __future__ import annotations

import warnings

import pandas as pd
import torch
from torch import nn

from sparsenn_book.studies.l1_phases.settings import TreeSettings
from sparsenn_book.studies.l1_phases.students import data_of
from sparsenn_core import recovery
from sparsenn_core.networks import MLP, embed, initialize_study_, literal_teacher
from sparsenn_core.penalties import L1
from sparsenn_core.randomness import generator
from sparsenn_core.training import ConvergenceWarning, Data, Ensemble, minimise, refit

ACTIVATION = "tanh"
WIDTHS = (12, 8, 4, 1)
"""Twice the units that the teacher needs in each hidden layer."""
FIRST_STRENGTH = 5.0
"""Factor on the penalty in the first half of the proximal steps, which lets units merge: of 1, 5 and 10 the one with
which most starts of pilot runs with another seed ended at the least objective."""


def trees(settings: TreeSettings) -> dict[str, pd.DataFrame]:
    """`tree_runs` has one row a start with the objective after the proximal steps, and for the least of them that of
    the minimiser, its residual and weights; `tree_weights` these weights, with the penalty and after the refit, in the
    teacher's arrangement: kind, layer, output, input, student, teacher.
    """
    seed = settings.run_seed("trees")
    data = data_of(ACTIVATION, settings.tree_samples, [seed])
    data = Data.shared(data.inputs[0], data.targets[0])
    starts = Ensemble.stack([_start(seed + number) for number in range(settings.tree_starts)])
    penalty = L1(settings.tree_strength)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # the residual is in the table
        rough = minimise(
            starts, data, penalty=penalty, steps=settings.tree_steps, first_strength=FIRST_STRENGTH, newton_steps=0
        )
        best = int(rough.objective.argmin())
        found = minimise(rough.ensemble.select([best]), data, penalty=penalty, steps=0)
    free = refit(found.ensemble, data)
    runs = pd.DataFrame({"start": range(len(starts)), "objective": rough.objective.numpy()})
    runs["nonzero"] = rough.nonzero.numpy()
    end = {"objective": float(found.objective[0]), "nonzero": int(found.nonzero[0]), "refit_loss": float(free.loss[0])}
    for name, value in {**end, "residual": float(found.residual[0])}.items():
        runs[f"minimiser_{name}"] = value
    kinds = {"minimiser": found.ensemble, "refit": free.ensemble}
    weights = pd.concat([_arranged(each).assign(kind=kind) for kind, each in kinds.items()], ignore_index=True)
    return {"tree_runs": runs.assign(least=runs["start"] == best), "tree_weights": weights}


def _start(seed: int) -> nn.Module:
    source = generator(seed, "init")
    net = MLP(WIDTHS, ACTIVATION, last_activation=ACTIVATION, bias=False, generator=source)
    return initialize_study_(net, ACTIVATION, 1.0, source)


def _arranged(ensemble: Ensemble) -> pd.DataFrame:
    """The weights of one network, its units in the order of the teacher's chunks of inputs, spare ones last."""
    like = embed(literal_teacher("baseline", ACTIVATION))
    found = recovery.aligned(like, list(ensemble.params.values()), ACTIVATION)
    rows = []
    for layer, (student, teacher) in enumerate(zip(found.weights, found.teacher, strict=True), start=1):
        for output, into in torch.cartesian_prod(*(torch.arange(n) for n in teacher.shape)).tolist():
            rows.append((layer, output, into, float(student[0, output, into]), float(teacher[output, into])))
    return pd.DataFrame(rows, columns=["layer", "output", "input", "student", "teacher"])
