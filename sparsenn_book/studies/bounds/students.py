"""Bounds of the L1 chapter's students: are they smaller for sparser ones?"""

from __future__ import annotations

import pandas as pd
import torch
from torch import Tensor, nn

from sparsenn_book.studies.bounds.selected import REFINED
from sparsenn_book.studies.bounds.settings import StudentSettings
from sparsenn_book.studies.l1_path.settings import Objective
from sparsenn_book.studies.l1_path.students import data_of, ensemble_of
from sparsenn_core.bounds import table

STUDENT, ACTIVATION = "multi_channel", "relu"
"""52 weights where 7 are enough; the one activation that bounds cover."""
NEEDED = [f"ended_{STUDENT}_{ACTIVATION}", f"weights_{STUDENT}_{ACTIVATION}", "runs"]
"""Tables of the L1 chapter, in the order in which `students` takes them."""
NAMES = ["penalty", "init_scale", "seed"]


def students(settings: StudentSettings, ended: pd.DataFrame, weights: pd.DataFrame, runs: pd.DataFrame) -> pd.DataFrame:
    """One row a student and bound: penalty, init_scale, seed, outcome, kept (weights above 0.01 in size), and of
    `bounds.table` bound, kind, log10, empirical.

    The tables are those of the L1 chapter: its `ended` and `weights` of this student, and all its `runs`. A student is
    taken as the classifier that says whether the target is above zero: its output before the last relu, at the margin
    of `settings`, on the samples of its own training.
    """
    networks = ensemble_of(weights, STUDENT, ACTIVATION, Objective())
    data = data_of(ended, settings.student_samples, torch.float64)
    assert data.of_run is not None  # each seed has samples of its own
    known = runs[(runs["student"] == STUDENT) & (runs["activation"] == ACTIVATION)].set_index(NAMES)
    parts = []
    for place, row in enumerate(ended[NAMES].itertuples(index=False)):
        x, y = data.inputs[data.of_run[place]], data.targets[data.of_run[place]]
        judged = known.loc[tuple(row)]
        found = table(as_classifier(networks[place]), as_images(x), above_zero(y), margin=settings.margin)
        found = found.loc[found["not_covered"] == "", ["bound", "kind", "log10", "empirical"]]
        kept = int(sum(judged[f"kept_{layer}_1e-2"] for layer in (1, 2, 3)))
        parts.append(found.assign(**row._asdict(), outcome=judged["outcome"], kept=kept))
    return pd.concat(parts, ignore_index=True)


def as_classifier(network: nn.Module) -> nn.Sequential:
    """A student before its last relu as a chain that bounds read: convolutions over [1, 1, 12] and a linear layer."""
    layers: list[nn.Module] = []
    *hidden, last = [weight.detach() for weight in network.parameters()]
    for weight in hidden:
        out, inside, kernel = weight.shape
        conv = nn.Conv2d(inside, out, (1, kernel), stride=(1, kernel), bias=False, dtype=weight.dtype)
        conv.weight = nn.Parameter(weight.unsqueeze(2))
        layers += [conv, nn.ReLU()]
    head = nn.Linear(last[0].numel(), 1, bias=False, dtype=last.dtype)
    head.weight = nn.Parameter(last.flatten(1))
    return nn.Sequential(*layers, nn.Flatten(), head)


def as_images(x: Tensor) -> Tensor:
    """Inputs [n, 12] as images [n, 1, 1, 12]."""
    return x.unflatten(1, (1, 1, -1))


def above_zero(y: Tensor) -> Tensor:
    """The class of each target [n, 1]: whether it is above zero."""
    return (y.flatten() > 0).long()


def fitting(found: pd.DataFrame) -> pd.DataFrame:
    """The rows of students that fit; of others a bound means nothing."""
    return found[found["outcome"].isin(["fitted", "recovered"])]


def middle(found: pd.DataFrame) -> pd.DataFrame:
    """Medians over the students that fit, one row a penalty: kept, and the refined bound itself."""
    rows = fitting(found)
    rows = rows[rows["bound"] == REFINED].assign(bound=lambda t: 10 ** t["log10"])
    return rows.groupby("penalty")[["kept", "bound"]].median()


def pairs(found: pd.DataFrame, bound: str, penalty: str, other: str) -> pd.DataFrame:
    """Students that fit with two penalties, from one start and data: init_scale, seed, log10 and other."""
    rows = fitting(found)
    rows = rows[rows["bound"] == bound].pivot(index=["init_scale", "seed"], columns="penalty", values="log10")
    both = rows.reindex(columns=[penalty, other]).dropna().rename(columns={penalty: "log10", other: "other"})
    return both.reset_index()
