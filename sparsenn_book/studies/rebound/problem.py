"""Teachers, students and data of one condition, drawn from private generators."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from sparsenn_book.studies.rebound.settings import Settings
from sparsenn_core.networks import MLP
from sparsenn_core.randomness import generator
from sparsenn_core.training import Data, Ensemble


@dataclass(frozen=True)
class Problem:
    """R teachers, their students before training, and data. Weights have the stored type, data the arithmetic's.

    `data` holds inputs [R, n, in] and noisy targets [R, n, out]; `noise` [R, n, out] is what was added; `test` inputs
    [R, m, in]; `test_targets` without noise and `test_noise` [R, m, out] apart, so that both errors can be had.
    """

    teachers: Ensemble
    students: Ensemble
    data: Data
    noise: Tensor
    test: Tensor
    test_targets: Tensor
    test_noise: Tensor

    def runs(self, start: int, stop: int) -> Problem:
        """The runs from `start` up to `stop`."""
        index = torch.arange(start, stop)
        tensors = {k: getattr(self, k)[start:stop] for k in ("noise", "test", "test_targets", "test_noise")}
        data = own_data(self.data.inputs[start:stop], self.data.targets[start:stop])
        students, teachers = self.students.select(index), self.teachers.select(index)
        return replace(self, teachers=teachers, students=students, data=data, **tensors)


def own_data(inputs: Tensor, targets: Tensor) -> Data:
    """A data set for each run: [R, n, ...] each."""
    return Data(inputs, targets, torch.arange(len(inputs)))


def joined(problems: Sequence[Problem]) -> Problem:
    """Several problems of one shape and type as one with all their runs."""
    tensors = {k: torch.cat([getattr(p, k) for p in problems]) for k in ("noise", "test", "test_targets", "test_noise")}
    data = own_data(torch.cat([p.data.inputs for p in problems]), torch.cat([p.data.targets for p in problems]))

    def together(ensembles: list[Ensemble]) -> Ensemble:
        return ensembles[0].with_params({k: torch.cat([e.params[k] for e in ensembles]) for k in ensembles[0].params})

    teachers, students = together([p.teachers for p in problems]), together([p.students for p in problems])
    return Problem(teachers=teachers, students=students, data=data, **tensors)


def glorot_teacher(settings: Settings, source: torch.Generator) -> MLP:
    """A tanh network with weights U(-a, a), a = sqrt(6 / (fan_in + fan_out)), and the biases of `settings`, float64.

    The numbers are rounded to float32, so that every precision starts from the same teacher.
    """
    net = MLP(settings.dimensions, "tanh", generator=source).double()
    size = {"tiny": 10 * torch.finfo(torch.float32).eps, "zero": 0.0, "uniform": 1.0}[settings.biases]
    with torch.no_grad():
        for p in net.parameters():
            a = math.sqrt(6 / sum(p.shape)) if p.ndim == 2 else size
            p.uniform_(-a, a, generator=source)
            p.copy_(p.float())
    return net


def displaced(teachers: Ensemble, settings: Settings) -> Ensemble:
    """Students: the teachers moved by a random displacement in every weight and bias, rounded to float32 numbers."""
    moved = {k: w.clone() for k, w in teachers.params.items()}
    for run in range(len(teachers)):
        source = generator(settings.seed, "start", run)
        for w in moved.values():
            draw = torch.empty_like(w[run])
            if settings.perturbation_law == "uniform":
                draw.uniform_(-1, 1, generator=source)
            else:
                draw.normal_(generator=source)
            w[run] += settings.perturbation * draw
    return teachers.with_params({k: w.float().double() for k, w in moved.items()})


def draw(settings: Settings) -> Problem:
    """The problem of `settings`: the same teachers, displacements, inputs and noise at every precision.

    Targets are the teacher's outputs as the arithmetic's type computes them, so that a student at its teacher has no
    error at all without noise.
    """
    runs = range(settings.num_runs)
    sources = [generator(settings.seed, "teacher", 0 if settings.one_teacher else r) for r in runs]
    teachers = Ensemble.stack([glorot_teacher(settings, source) for source in sources])
    return problem_of(settings, teachers, displaced(teachers, settings))


def problem_of(settings: Settings, teachers: Ensemble, students: Ensemble) -> Problem:
    """The problem of given float64 teachers and students with the inputs and noise of `settings`."""
    runs = range(len(teachers))
    arithmetic = teachers.to(dtype=settings.arithmetic)

    def uniform(axis: str, n: int) -> Tensor:
        sources = [generator(settings.seed, axis, settings.draw, r) for r in runs]
        x = torch.stack([torch.rand(n, settings.dimensions[0], generator=s, dtype=torch.float32) for s in sources])
        return (2 * x - 1).to(settings.arithmetic)

    def gaussian(axis: str, n: int) -> Tensor:
        sources = [generator(settings.seed, axis, settings.draw, r) for r in runs]
        e = [torch.randn(n, settings.dimensions[-1], generator=s, dtype=torch.float64) for s in sources]
        return (settings.noise * torch.stack(e)).to(settings.arithmetic)

    x, noise = uniform("inputs", settings.dataset_size), gaussian("noise", settings.dataset_size)
    test, test_noise = uniform("test inputs", settings.test_set_size), gaussian("test noise", settings.test_set_size)
    return Problem(
        teachers=teachers.to(dtype=settings.stored),
        students=students.to(dtype=settings.stored),
        data=own_data(x, arithmetic.each(x) + noise),
        noise=noise,
        test=test,
        test_targets=arithmetic.each(test),
        test_noise=test_noise,
    )
