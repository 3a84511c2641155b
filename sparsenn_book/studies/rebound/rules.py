"""Where students rebound: rules of training by precision and displacement."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pandas as pd

from sparsenn_book.studies.rebound.conditions import PRECISIONS, Condition
from sparsenn_book.studies.rebound.curves import rebounds
from sparsenn_book.studies.rebound.settings import MapSettings
from sparsenn_book.studies.rebound.training import Trained, train_all

PLAIN = "gradient descent"
PROJECTED = "projection every epoch"
PROJECTED_FROM = 1e-3
"""Displacement from which the study's projection is tried: its steps have a size of their own."""


@dataclass(frozen=True)
class Rule:
    """What a rule sets, in words, and how many times the displacement it is: so, in exact arithmetic, the share of
    runs that rebound would hardly depend on the displacement.
    """

    sets: str
    factor: float


SCALES: dict[str, Rule] = {
    "noise": Rule("standard deviation of the targets' noise, on 10,000 samples", 1000),
    "Adam": Rule("learning rate", 0.1),
    "L1": Rule("strength", 0.1),
    "DRR": Rule("strength", 0.01),
}


def mapped(settings: MapSettings, device: str = "cpu") -> dict[str, pd.DataFrame]:
    """Runs of every rule.

    map     rule, precision, perturbation, run and what `rebounds` gives; gradient descent at every precision and
            displacement, the other rules in float32 and float64 at the least and the largest, the projection in float64
    ledger  share of parameters that stand still in gradient descent from the least displacement: precision, run,
            epoch, name (stalled), value
    """
    sizes = settings.map_perturbations
    plain = [settings.small(perturbation=size, precision=p) for p in PRECISIONS for size in sizes]
    others = [
        (name, replace(_scaled(settings, name, size), precision=p))
        for name in SCALES
        for p in ("float32", "float64")
        for size in dict.fromkeys((sizes[0], sizes[-1]))
    ]
    projection = {"projection": "reference", "projection_frequency": 1}
    others.append((PROJECTED, settings.small(perturbation=PROJECTED_FROM, **projection)))
    descents = train_all(plain, stalled_every=max(1, settings.epochs // 20), device=device)
    rest = train_all([condition for _, condition in others], device=device)
    names = [PLAIN] * len(descents) + [name for name, _ in others]
    rows = pd.concat([_summary(name, t) for name, t in zip(names, descents + rest, strict=True)], ignore_index=True)
    ledger = pd.concat(
        [t.rows(precision=t.condition.precision) for t in descents if t.condition.perturbation == sizes[0]]
    )
    return {"map": rows, "ledger": ledger[ledger.name == "stalled"]}


def _scaled(settings: MapSettings, name: str, size: float) -> Condition:
    strength = SCALES[name].factor * size
    changes: dict[str, dict[str, object]] = {
        "noise": {"noise": strength},
        "Adam": {"optimizer": "adam", "learning_rate": strength},
        "L1": {"rule": "l1", "alpha": strength},
        "DRR": {"rule": "drr", "alpha": strength, "beta": settings.beta, "rho": settings.rho},
    }
    return settings.small(perturbation=size, **changes[name])


def _summary(name: str, trained: Trained) -> pd.DataFrame:
    c = trained.condition
    found = rebounds(trained.curves["squared_distance"])
    return found.assign(rule=name, precision=c.precision, perturbation=c.perturbation)
