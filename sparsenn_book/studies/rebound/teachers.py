"""Teachers, students and data of one condition, drawn from private generators."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from sparsenn_book.studies.rebound.conditions import Condition
from sparsenn_core.errors import InputError
from sparsenn_core.networks import MLP
from sparsenn_core.randomness import generator
from sparsenn_core.training import Data, Ensemble


@dataclass(frozen=True)
class TeachersAndStudents:
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

    def to(self, device: str) -> TeachersAndStudents:
        """All of it on another device."""
        tensors = {k: getattr(self, k).to(device) for k in ("noise", "test", "test_targets", "test_noise")}
        moved = {k: getattr(self, k).to(device) for k in ("teachers", "students", "data")}
        return replace(self, **tensors, **moved)


def own_data(inputs: Tensor, targets: Tensor) -> Data:
    """A data set for each run: [R, n, ...] each."""
    return Data(inputs, targets, torch.arange(len(inputs)))


def joined(drawn: Sequence[TeachersAndStudents]) -> TeachersAndStudents:
    """Several of one shape and type as one with all their runs."""
    tensors = {k: torch.cat([getattr(d, k) for d in drawn]) for k in ("noise", "test", "test_targets", "test_noise")}
    data = own_data(torch.cat([d.data.inputs for d in drawn]), torch.cat([d.data.targets for d in drawn]))

    def together(ensembles: list[Ensemble]) -> Ensemble:
        return ensembles[0].with_params({k: torch.cat([e.params[k] for e in ensembles]) for k in ensembles[0].params})

    teachers, students = together([d.teachers for d in drawn]), together([d.students for d in drawn])
    return TeachersAndStudents(teachers=teachers, students=students, data=data, **tensors)


def glorot_teacher(condition: Condition, source: torch.Generator) -> MLP:
    """A tanh network with weights U(-a, a), a = sqrt(6 / (fan_in + fan_out)), and the biases of `condition`, float64.

    The numbers are rounded to float32, so that every precision starts from the same teacher.
    """
    net = MLP(condition.dimensions, "tanh", generator=source).double()
    size = {"tiny": 10 * torch.finfo(torch.float32).eps, "zero": 0.0, "uniform": 1.0}[condition.biases]
    with torch.no_grad():
        for p in net.parameters():
            a = math.sqrt(6 / sum(p.shape)) if p.ndim == 2 else size
            p.uniform_(-a, a, generator=source)
            p.copy_(p.float())
    return net


def displaced(teachers: Ensemble, condition: Condition) -> Ensemble:
    """Students: the teachers moved by a random displacement in every weight and bias, rounded to float32 numbers."""
    moved = {k: w.clone() for k, w in teachers.params.items()}
    for run in range(len(teachers)):
        source = generator(condition.seed, "start", run)
        for w in moved.values():
            step = torch.empty_like(w[run])
            if condition.perturbation_law == "uniform":
                step.uniform_(-1, 1, generator=source)
            else:
                step.normal_(generator=source)
            w[run] += condition.perturbation * step
    return teachers.with_params({k: w.float().double() for k, w in moved.items()})


def draw(condition: Condition) -> TeachersAndStudents:
    """Draw what `condition` names: the same teachers, displacements, inputs and noise at every precision.

    Targets are the teacher's outputs as the arithmetic's type computes them, so that a student at its teacher has no
    error at all without noise.
    """
    runs = range(condition.num_runs)
    sources = [generator(condition.seed, "teacher", 0 if condition.one_teacher else r) for r in runs]
    teachers = Ensemble.stack([glorot_teacher(condition, source) for source in sources])
    return with_data(condition, teachers, displaced(teachers, condition))


def draw_unrelated(condition: Condition, small: tuple[int, ...] = (2, 10, 5, 1)) -> TeachersAndStudents:
    """Teachers of widths `small` padded with zero units to the width of `condition`; students with random Glorot
    weights and zero biases, unrelated to them. `InputError` if `small` does not fit inside.
    """
    wide = condition.dimensions
    if len(small) != len(wide) or small[0] != wide[0] or small[-1] != wide[-1] or any(
        s > w for s, w in zip(small, wide, strict=True)
    ):  # fmt: skip
        raise InputError(f"a teacher of widths {small} does not fit into a student of widths {wide}")
    teachers, students = [], []
    for run in range(condition.num_runs):
        inner = glorot_teacher(replace(condition, dimensions=small), generator(condition.seed, "teacher", run))
        outer = glorot_teacher(replace(condition, biases="zero"), generator(condition.seed, "start", run))
        padded = glorot_teacher(condition, generator(condition.seed, "start", run))
        with torch.no_grad():
            for source, target in zip(inner.parameters(), padded.parameters(), strict=True):
                target.zero_()
                target[tuple(slice(0, n) for n in source.shape)] = source
        teachers.append(padded)
        students.append(outer)
    return with_data(condition, Ensemble.stack(teachers), Ensemble.stack(students))


def with_data(condition: Condition, teachers: Ensemble, students: Ensemble) -> TeachersAndStudents:
    """Given float64 teachers and students with inputs and noise drawn as `condition` says."""
    runs = range(len(teachers))
    arithmetic = teachers.to(dtype=condition.arithmetic)

    def uniform(axis: str, n: int) -> Tensor:
        sources = [generator(condition.seed, axis, condition.draw, r) for r in runs]
        x = torch.stack([torch.rand(n, condition.dimensions[0], generator=s, dtype=torch.float32) for s in sources])
        return (2 * x - 1).to(condition.arithmetic)

    def gaussian(axis: str, n: int) -> Tensor:
        sources = [generator(condition.seed, axis, condition.draw, r) for r in runs]
        e = [torch.randn(n, condition.dimensions[-1], generator=s, dtype=torch.float64) for s in sources]
        return (condition.noise * torch.stack(e)).to(condition.arithmetic)

    x, noise = uniform("inputs", condition.dataset_size), gaussian("noise", condition.dataset_size)
    test, test_noise = uniform("test inputs", condition.test_set_size), gaussian("test noise", condition.test_set_size)
    return TeachersAndStudents(
        teachers=teachers.to(dtype=condition.stored),
        students=students.to(dtype=condition.stored),
        data=own_data(x, arithmetic.each(x) + noise),
        noise=noise,
        test=test,
        test_targets=arithmetic.each(test),
        test_noise=test_noise,
    )
