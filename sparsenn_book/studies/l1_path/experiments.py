"""Experiments 3 to 6 of the study by minimisers: fully connected students, and other teachers."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import pandas as pd
import torch
from torch import Tensor, nn

from sparsenn_core import networks, recovery
from sparsenn_core.errors import unknown
from sparsenn_core.networks import embed, literal_teacher
from sparsenn_core.penalties import L1
from sparsenn_core.randomness import generator
from sparsenn_core.training import ConvergenceWarning, Data, Ensemble, minimise, minimise_wide

PAIRS: dict[int, tuple[str, str]] = {
    3: ("baseline", "fcn_256_32"),
    4: ("baseline", "fcn_128_128"),
    5: ("multi_channel", "fcn_256_32"),
    6: ("split_filter", "multi_channel"),
}
"""Teacher and student of each experiment."""

NEED: dict[int, tuple[int, int, int]] = {3: (12, 4, 2), 4: (12, 4, 2), 5: (48, 62, 8), 6: (6, 4, 2)}
"""Weights in each layer of the smallest student that holds the teacher weight by weight."""

FIRST_STRENGTHS: dict[str, tuple[float, ...]] = {"relu": (10.0, 30.0), "sigmoid": (1.0,), "tanh": (10.0, 100.0)}
"""Factors on the penalty in the first half of the proximal steps, taken in turns. Tried on experiment 4 alone."""

INIT_SCALES = {"relu": 0.2, "sigmoid": 1.0, "tanh": 0.2}
"""Of the random starts: those at which the study's own runs collapse least."""

THRESHOLDS = (0.0, 1e-4, 1e-3, 1e-2)


@dataclass(frozen=True)
class Solving:
    """How experiments 3 to 6 are solved: inputs, random starts and proximal steps of each activation."""

    experiments: tuple[int, ...] = (3, 4, 5, 6)
    student_samples: int = 100_000
    student_starts: int = 5
    student_steps: int = 8000

    def __post_init__(self) -> None:
        for experiment in self.experiments:
            if experiment not in PAIRS:
                raise unknown("experiment", str(experiment), [str(e) for e in PAIRS], where="Solving")


def solved(
    experiment: int, activation: str, strength: float, settings: Solving, test_samples: int
) -> dict[str, pd.DataFrame]:
    """The least of mean squared error + strength sum |w|, from the teacher inside the student and from random starts.

    One row a start in `solved_*`, the weights that are not zero in `solved_weights_*`. Data of seed 1: the study's
    100,000 inputs for fully connected students, 5,120 for experiment 6 (or fewer, where the settings say so).
    """
    teacher_name, student = PAIRS[experiment]
    teacher = literal_teacher(teacher_name, activation)
    samples = settings.student_samples if student.startswith("fcn") else min(5120, settings.student_samples)
    x = torch.randn(samples, 12, generator=generator(1, "data"), dtype=torch.float64)
    data = Data.shared(x, teacher(x))
    inside = Ensemble.stack([holding(teacher, student, activation)])
    random = [
        networks.student(student, activation, INIT_SCALES[activation], generator(s, "init", experiment))
        for s in range(1, settings.student_starts + 1)
    ]
    first = [FIRST_STRENGTHS[activation][k % len(FIRST_STRENGTHS[activation])] for k in range(len(random))]
    find = _wide if student.startswith("fcn") else _small
    parts = [
        find(inside, data, strength, 0, [1.0]).assign(origin="teacher", start=0),
        find(Ensemble.stack(random), data, strength, settings.student_steps, first).assign(
            origin="random", start=range(1, len(random) + 1)
        ),
    ]
    rows = pd.concat(parts, ignore_index=True)
    rows = rows.assign(experiment=experiment, teacher=teacher_name, student=student, activation=activation)
    ends = rows.pop("weights").tolist()
    fresh = torch.randn(test_samples, 12, generator=generator(0, "test data"), dtype=torch.float64)
    judged = pd.DataFrame([judgement(teacher, end, activation, fresh) for end in ends])
    name = f"{experiment}_{activation}"
    return {f"solved_{name}": pd.concat([rows, judged], axis=1), f"solved_weights_{name}": nonzero_weights(ends)}


def holding(teacher: nn.Module, student: str, activation: str) -> nn.Module:
    """The teacher inside the student, all other weights zero; with relu its scales are balanced, as L1 wants them."""
    network = networks.student(student, activation, 1.0, torch.Generator()).double()
    parts = embed(teacher) if student.startswith("fcn") else _as_channels(teacher)
    if activation == "relu":
        parts = recovery.canonical(parts, activation)
    with torch.no_grad():
        for p, w in zip(network.parameters(), parts, strict=True):
            p.zero_()
            p[tuple(slice(n) for n in w.shape)] = w
    return network


def _as_channels(teacher: nn.Module) -> list[Tensor]:
    """The split-filter teacher as convolutions of two channels: a filter for each parity, read at its own tap."""
    first, second, last = (p.detach() for p in teacher.parameters())
    taps = torch.eye(2, dtype=first.dtype)  # channel c is read at tap c
    return [first[:, None, :], second[:, :, None] * taps, last[:, :, None] * taps]


def _wide(ensemble: Ensemble, data: Data, strength: float, steps: int, first: list[float]) -> pd.DataFrame:
    """Fully connected students; only random starts are searched for fewer units."""
    moves = 8 if steps else 0
    found = minimise_wide(ensemble, data, strength=strength, steps=steps, first_strength=first, moves=moves)
    units = {f"units_{i}": found.units[:, i - 1].numpy() for i in (1, 2)}
    return _table(found.ensemble, found.objective, found.loss, found.residual).assign(**units)


def _small(ensemble: Ensemble, data: Data, strength: float, steps: int, first: list[float]) -> pd.DataFrame:
    """Convolutional students: small enough for Newton's method."""
    with warnings.catch_warnings():
        # of many starts some do not converge; the residual of each is in the table
        warnings.simplefilter("ignore", ConvergenceWarning)
        found = minimise(
            ensemble, data, penalty=L1(strength), steps=steps, first_strength=torch.tensor(first), newton_steps=60
        )
    return _table(found.ensemble, found.objective, found.loss, found.residual)


def _table(ensemble: Ensemble, objective: Tensor, loss: Tensor, residual: Tensor) -> pd.DataFrame:
    weights = [[w[r] for w in ensemble.params.values()] for r in range(len(ensemble))]
    values = {"objective": objective.numpy(), "loss": loss.numpy(), "residual": residual.numpy()}
    return pd.DataFrame({**values, "weights": weights})


def judgement(teacher: nn.Module, weights: list[Tensor], activation: str, x: Tensor) -> dict[str, object]:
    """Error on fresh inputs `x`, weights kept in each layer at each threshold, distance to the teacher, outcome."""
    wide = weights[0].ndim == 2
    network = _network(weights, activation)
    scored = recovery.scores(network(x).detach()[None, :, 0], teacher(x)[:, 0])
    target = embed(teacher) if wide else _target(teacher)
    signed = True if activation == "sigmoid" else None  # mirror images of sigmoid units count, as for experiments 1, 2
    found = recovery.aligned(target, [w[None] for w in weights], activation, signed=signed)
    kept = {
        f"kept_{i}_{t:g}": int((w.abs() > 0 if t == 0 else w.abs() >= t).sum())
        for t in THRESHOLDS
        for i, w in enumerate(weights, start=1)
    }
    return {
        "mse": float(scored.mse), "r2": float(scored.r2), **kept, "aligned_distance": float(found.relative),
        "shape_distance": float(found.relative_shape), "outcome": recovery.outcome(scored, found.relative_shape)[0],
    }  # fmt: skip


def _target(teacher: nn.Module) -> list[Tensor]:
    layers = [p.detach() for p in teacher.parameters()]
    return _as_channels(teacher) if layers[0].ndim == 2 else layers


def _network(weights: list[Tensor], activation: str) -> nn.Module:
    """The student with these weights."""
    widths = [w.shape[0] for w in weights]
    if weights[0].ndim == 2:
        network: nn.Module = networks.MLP(
            (12, *widths), activation, last_activation=activation, bias=False, generator=torch.Generator()
        )
    else:
        network = networks.multi_channel_cnn(activation, generator=torch.Generator())
    network = network.double()
    with torch.no_grad():
        for p, w in zip(network.parameters(), weights, strict=True):
            p.copy_(w)
    return network


def nonzero_weights(ends: list[list[Tensor]]) -> pd.DataFrame:
    """Columns run, layer, place (row-major in the whole layer), value: the weights that are not zero."""
    parts = []
    for run, weights in enumerate(ends):
        for layer, w in enumerate(weights, start=1):
            flat = w.flatten()
            places = flat.nonzero()[:, 0]
            parts.append(pd.DataFrame({"run": run, "layer": layer, "place": places, "value": flat[places]}))
    return pd.concat(parts, ignore_index=True)
