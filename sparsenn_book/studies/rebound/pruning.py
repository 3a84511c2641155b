"""Small teachers inside a wide shape: wide students trained with DRR, then pruned."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
from torch import Tensor

from sparsenn_book.studies.rebound.conditions import PRESETS, Condition
from sparsenn_book.studies.rebound.settings import PruningSettings
from sparsenn_book.studies.rebound.symmetry import up_to_symmetry
from sparsenn_book.studies.rebound.teachers import draw_unrelated
from sparsenn_book.studies.rebound.thresholds import dead_weights, pruned, support_of, tolerance_thresholds
from sparsenn_book.studies.rebound.training import Trained, train_all
from sparsenn_core.penalties import FixedSupport
from sparsenn_core.randomness import generator
from sparsenn_core.training import Ensemble, ProximalAdam, fit

TEACHER = "teacher"
FIXED = "as coded: below 1e-3"
TUNED = "tolerance search, fine-tuned"
FIXED_THRESHOLD = 1e-3
THRESHOLDS = tuple(10.0 ** (k / 4) for k in range(-20, 3))


def pruned_students(settings: PruningSettings, device: str = "cpu") -> dict[str, pd.DataFrame]:
    """What pruning leaves of students trained with each strength of DRR.

    pruning   strength, variant (way of pruning), run, weights (left), error (on test inputs, without noise), norm
              (squared) and what `up_to_symmetry` gives
    sweep     the same weights and error for a threshold that rises: strength, threshold, run, weights, error
    """
    conditions = [_condition(settings, alpha) for alpha in settings.pruning_alphas]
    drawn = [draw_unrelated(c, settings.pruning_teacher) for c in conditions]
    found = train_all(conditions, drawn, device=device)
    return {
        "pruning": pd.concat([_rows(trained, settings) for trained in found], ignore_index=True),
        "sweep": pd.concat([_sweep(trained) for trained in found], ignore_index=True),
    }


def _condition(settings: PruningSettings, alpha: float) -> Condition:
    coded = PRESETS["pruning as coded"]
    return replace(
        coded,
        dimensions=settings.dimensions,
        biases=settings.biases,
        num_runs=settings.pruning_runs,
        dataset_size=settings.pruning_size,
        test_set_size=settings.test_set_size,
        epochs=settings.pruning_epochs,
        precision="float64",
        alpha=alpha,
        beta=settings.beta,
        seed=settings.seed,
    )


def _rows(trained: Trained, settings: PruningSettings) -> pd.DataFrame:
    drawn = trained.drawn
    searched = _searched(trained, settings.tolerance)
    found = {
        TEACHER: drawn.teachers,
        "trained": trained.students,
        FIXED: pruned(trained.students, FIXED_THRESHOLD),
        "tolerance search": searched,
        TUNED: _tuned(trained, searched, max(1, settings.pruning_epochs // 5)),
    }
    frames = []
    for name, students in found.items():
        frame = _left(trained, students)
        frame["norm"] = sum(w.square().flatten(1).sum(1).numpy() for w in students.params.values())
        frames.append(frame.join(up_to_symmetry(list(zip(drawn.teachers, students, strict=True)))).assign(variant=name))
    return pd.concat(frames, ignore_index=True).assign(strength=trained.condition.alpha)


def _sweep(trained: Trained) -> pd.DataFrame:
    rows = [_left(trained, pruned(trained.students, t)).assign(threshold=t) for t in THRESHOLDS]
    return pd.concat(rows, ignore_index=True).assign(strength=trained.condition.alpha)


def _left(trained: Trained, students: Ensemble) -> pd.DataFrame:
    weights = sum(mask.flatten(1).sum(1) for mask in support_of(students).values())
    error = (students.each(trained.drawn.test) - trained.drawn.test_targets).square().flatten(1).mean(1)
    return pd.DataFrame({"run": range(len(students)), "weights": weights, "error": error})


def _searched(trained: Trained, tolerance: float) -> Ensemble:
    """Students without the weights that the tolerance lets go, and without those that are then dead."""
    data = trained.drawn.data

    def training_error(students: Ensemble) -> Tensor:
        return (students.each(data.inputs) - data.targets).square().flatten(1).mean(1)

    left = pruned(trained.students, tolerance_thresholds(trained.students, training_error, tolerance))
    sources = [generator(trained.condition.seed, "dead", run) for run in range(len(left))]
    dead = dead_weights(left, sources)
    return left.with_params({k: w * ~dead[k] for k, w in left.params.items()})


def _tuned(trained: Trained, students: Ensemble, epochs: int) -> Ensemble:
    """Students after fine-tuning of the weights that are left."""
    mask = FixedSupport(masks=support_of(students))
    optimizer = ProximalAdam(1e-3)
    found = fit(students, trained.drawn.data, optimizer=optimizer, epochs=epochs, penalty=mask, compiled=False)
    return found.ensemble
