"""The exact gradient against sampled ones: the objective that each reaches, step by step, on the same regressions."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import torch

from sparsenn_book.studies.compressive_sensing.estimators import EDGE, REFITTING, WEIGHTED, Subsets
from sparsenn_book.studies.compressive_sensing.methods import ORACLE
from sparsenn_book.studies.compressive_sensing.regressions import Array, Family, Regression, draw
from sparsenn_core.errors import InputError
from sparsenn_core.randomness import generator

CHECK = 10  # steps between looks at the gates
RATE = 0.1  # of descent and of Adam, as in the study
DECIDED = 1e-6  # a gate this near to 0 or 1 is closed or open
VALIDATION = 2  # samples; nothing is chosen here
OWN_DRAWS = 1  # added to the seed, so that draws on which claims were chosen are not those that test them


@dataclass(frozen=True)
class GateRuns:
    """Regressions on which gradients are compared, one problem for each entry of the lists: `gate_samples` n,
    `gate_coefficients` p, `gate_nonzeros` s drawn from N(0, 1), noise of standard deviation `gate_noises`,
    `gate_strengths` lambda for each entry of the support, `gate_steps`, and `gate_repetitions` draws.
    """

    gate_samples: tuple[int, ...]
    gate_coefficients: tuple[int, ...]
    gate_nonzeros: tuple[int, ...]
    gate_noises: tuple[float, ...]
    gate_strengths: tuple[float, ...]
    gate_steps: tuple[int, ...]
    gate_repetitions: tuple[int, ...]
    seed: int


def descents(runs: GateRuns) -> dict[str, pd.DataFrame]:
    """All gradients on all draws: `descents`, the objective of the rounded gates every 10 steps with CPU seconds, and
    `ends`, a row for each run and for the true support, with the open and undecided gates and what one flip can do.

    Every run starts with all gates half open. `objective` is (RSS + lambda |z|) / n with least squares on the open
    gates, for every gradient the same; `price` is lambda / n, what one coefficient adds to it.
    """
    lists = (runs.gate_samples, runs.gate_coefficients, runs.gate_nonzeros, runs.gate_noises, runs.gate_strengths)
    much = (runs.gate_steps, runs.gate_repetitions)
    if len({len(entry) for entry in (*lists, *much)}) != 1:
        raise InputError("GateRuns: lists of unequal lengths; one entry of each a problem")
    paths: list[dict[str, Any]] = []
    ends: list[dict[str, Any]] = []
    for n, p, s, noise, strength, steps, repetitions in zip(*lists, *much, strict=True):
        family = Family(n, p, s, rho=0.0, places="normal", validation=VALIDATION)
        for repetition in range(repetitions):
            regression = draw(family, 1.0, repetition, runs.seed + OWN_DRAWS, sigma=noise)
            subsets = Subsets(regression.design, regression.response, strength)
            where = {"family": family.name, "repetition": repetition, "price": strength / n}
            ends.append(where | {"method": ORACLE} | _end(subsets, regression, _gates(regression)))
            for name in (*WEIGHTED, *REFITTING):
                source = generator(runs.seed, "gates", name, n, p, s, repetition)
                rows, gamma = descend(subsets, name, steps, source)
                paths += [where | {"method": name} | row for row in rows]
                ends.append(where | {"method": name} | _end(subsets, regression, gamma))
    return {"descents": pd.DataFrame(paths), "ends": pd.DataFrame(ends)}


def descend(subsets: Subsets, name: str, steps: int, source: torch.Generator) -> tuple[list[dict[str, float]], Array]:
    """Rows of step, seconds and objective of one run, and the probabilities [p] that it ends with."""
    p = subsets.design.shape[1]
    move, gamma = _refitting(subsets, name) if name in REFITTING else _weighted(subsets, name, source)
    rows = [{"step": 0.0, "seconds": 0.0, "objective": subsets.value(gamma > 0.5)}]
    seconds = 0.0
    for step in range(CHECK, steps + 1, CHECK):
        uniform = torch.rand(CHECK, 2, p, generator=source, dtype=torch.float64).numpy()
        places = torch.randint(p, (CHECK,), generator=source).tolist()
        start = time.process_time()
        for numbers, place in zip(uniform, places, strict=True):
            move(numbers, place)
        seconds += time.process_time() - start
        rows.append({"step": float(step), "seconds": seconds, "objective": subsets.value(gamma > 0.5)})
    return rows, gamma


Move = Callable[[Array, int], None]


def _refitting(subsets: Subsets, name: str) -> tuple[Move, Array]:
    """A step of plain descent on the probabilities, in place, as in the study."""
    estimate = REFITTING[name]
    gamma = np.full(subsets.design.shape[1], 0.5)

    def move(uniform: Array, place: int) -> None:
        gamma[:] = np.clip(gamma - RATE * estimate(subsets, gamma, uniform, place), EDGE, 1 - EDGE)

    return move, gamma


def _weighted(subsets: Subsets, name: str, source: torch.Generator) -> tuple[Move, Array]:
    """A step of Adam, or of plain descent, on weights and probabilities; weights start at the Glorot bound's size."""
    estimate = WEIGHTED[name]
    p = subsets.design.shape[1]
    edge = 0.0 if name.startswith("EGP") else EDGE
    uniform = torch.rand(p, generator=source, dtype=torch.float64).numpy()
    both = np.stack([math.sqrt(6 / (p + 1)) * (2 * uniform - 1), np.full(p, 0.5)])
    adam = Adam(both.shape)

    def move(numbers: Array, place: int) -> None:
        slope = np.stack(estimate(subsets, both[0], both[1], numbers))
        both[:] -= RATE * (slope if name == "EGP, descent" else adam(slope))
        np.clip(both[1], edge, 1 - edge, out=both[1])

    return move, both[1]


class Adam:
    """Adam's direction for one array (Kingma and Ba 2015, with its usual constants)."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.mean, self.square, self.step = np.zeros(shape), np.zeros(shape), 0

    def __call__(self, slope: Array) -> Array:
        """The direction after this gradient, to be multiplied by the learning rate."""
        self.step += 1
        self.mean += 0.1 * (slope - self.mean)
        self.square += 0.001 * (slope**2 - self.square)
        root = np.sqrt(self.square / (1 - 0.999**self.step)) + 1e-8
        return np.asarray(self.mean / (1 - 0.9**self.step) / root)


def _gates(regression: Regression) -> Array:
    return (regression.coefficients != 0).astype(float)


def _end(subsets: Subsets, regression: Regression, gamma: Array) -> dict[str, float]:
    gates = gamma > 0.5
    return {
        "objective": subsets.value(gates),
        "open": float(gates.sum()),
        "undecided": float(((gamma > DECIDED) & (gamma < 1 - DECIDED)).sum()),
        "support_error": float((gates != (regression.coefficients != 0)).sum()),
        "improving_flips": float(subsets.improving_flips(gates)),
    }
