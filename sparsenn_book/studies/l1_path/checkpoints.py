"""The study's own checkpoints, for anyone who has them: read safely, scored again, wrong teachers flagged."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import torch
from torch import Tensor, nn

from sparsenn_book.studies.l1_path.experiments import judgement
from sparsenn_book.studies.l1_path.reference import reference_distance
from sparsenn_book.studies.l1_path.settings import ACTIVATIONS
from sparsenn_core import networks
from sparsenn_core.errors import InputError
from sparsenn_core.networks import literal_teacher
from sparsenn_core.randomness import generator

STATES = ("teacher_model_state_dict", "student_model_state_dict")
NAMES = ("teacher_model_name", "student_model_name")
SAME = 5e-6
"""By how much a weight may differ from the literal one: float32 keeps two decimals to 2e-7."""


@dataclass(frozen=True)
class RecordedRun:
    """One checkpoint: the teacher and the student as they were saved, float64, and the student's activation."""

    path: Path
    teacher: nn.Module
    teacher_name: str
    activation: str
    student: list[Tensor]
    literal: bool


def rescored(paths: Iterable[str | Path], *, test_samples: int = 20_000) -> pd.DataFrame:
    """One row a checkpoint: `teacher_is_literal`, error and R2 on fresh inputs against the teacher that was saved,
    weights kept by layer and threshold, distance to it up to symmetry, outcome, and the study's own distance.

    The files hold only tensors and plain values (`weights_only=True`). `InputError`, in one line that names the file,
    for one that is not there, is no such checkpoint, or does not fit the study's networks; nothing is scored then.
    """
    runs = [read_checkpoint(path) for path in paths]
    x = torch.randn(test_samples, 12, generator=generator(0, "test data"), dtype=torch.float64)
    return pd.DataFrame([_row(run, x) for run in runs])


def read_checkpoint(path: str | Path) -> RecordedRun:
    """The networks of a file as the study saved it: state dictionaries and names of teacher and student."""
    path = Path(path)
    if not path.is_file():
        raise InputError(f"{path}: no such file; give the path of one of the study's checkpoints (.pth)")
    try:
        found = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # whatever unpickling of an unknown file raises
        raise InputError(f"{path}: is no file of plain tensors: {type(error).__name__}") from error
    for key in (*STATES, *NAMES):
        if not isinstance(found, dict) or key not in found:
            raise InputError(f"{path}: has no {key!r}, so it is no checkpoint of the study")
    first, second = (str(found[name]) for name in NAMES)
    teacher_weights, student = (_weights(path, found[state]) for state in STATES)
    name, teacher = _teacher(path, teacher_weights, _activation(path, first))
    _check_student(path, student)
    right = literal_teacher(name, _activation(path, first)).parameters()
    literal = all(torch.allclose(a, b, atol=SAME, rtol=0) for a, b in zip(teacher_weights, right, strict=True))
    return RecordedRun(path, teacher, name, _activation(path, second), student, literal)


def _activation(path: Path, name: str) -> str:
    activation = name.rpartition("_")[2]
    if activation not in ACTIVATIONS:
        raise InputError(f"{path}: the network {name!r} does not end in one of {', '.join(ACTIVATIONS)}")
    return activation


def _weights(path: Path, state: object) -> list[Tensor]:
    if not isinstance(state, dict) or not all(isinstance(w, Tensor) for w in state.values()):
        raise InputError(f"{path}: a state dictionary holds something else than tensors")
    return [w.double() for w in state.values()]


def _teacher(path: Path, weights: list[Tensor], activation: str) -> tuple[str, nn.Module]:
    """The study's teacher whose weights have these shapes, with these weights."""
    for name in ("baseline", "multi_channel", "split_filter"):
        network = literal_teacher(name, activation)
        mine = list(network.parameters())
        # the study keeps the split filters as five vectors, the same numbers in the same order
        joined = _joined(weights) if name == "split_filter" else weights
        if [w.shape for w in joined] == [p.shape for p in mine]:
            with torch.no_grad():
                for p, w in zip(mine, joined, strict=True):
                    p.copy_(w)
            weights[:] = joined
            return name, network
    raise InputError(f"{path}: no teacher of the study has weights of the shapes {[tuple(w.shape) for w in weights]}")


def _joined(weights: list[Tensor]) -> list[Tensor]:
    vectors = [w.flatten() for w in weights]
    if [len(v) for v in vectors] != [3, 3, 2, 2, 2]:
        return weights
    return [torch.stack(vectors[:2]), torch.stack(vectors[2:4]), vectors[4][None]]


def _as_wide(weights: list[Tensor]) -> list[Tensor]:
    """The 7-weight student among the zeros of the 52-weight one; others as they are."""
    if weights[0].shape != (1, 1, 3):
        return weights
    wide = [torch.zeros(shape, dtype=torch.float64) for shape in ((4, 1, 3), (4, 4, 2), (1, 4, 2))]
    for w, part in zip(wide, weights, strict=True):
        w[:1, :1] = part
    return wide


def _check_student(path: Path, weights: list[Tensor]) -> None:
    """A student of the study: three layers from 12 inputs to one output, all convolutions or all fully connected."""
    shapes = [tuple(w.shape) for w in weights]
    if len(shapes) == 3 and all(len(s) == 2 for s in shapes):
        fits = (shapes[0][1], shapes[2][0]) == (12, 1) and shapes[1] == (shapes[2][1], shapes[0][0])
    else:
        trees = (networks.baseline_cnn, networks.multi_channel_cnn)
        known = [[tuple(p.shape) for p in build("relu", generator=torch.Generator()).parameters()] for build in trees]
        fits = shapes in known
    if not fits:
        raise InputError(f"{path}: no student of the study has weights of the shapes {shapes}")


def _row(run: RecordedRun, x: Tensor) -> dict[str, object]:
    recorded = reference_distance(list(run.teacher.parameters()), run.student, tanh=_both_tanh(run))
    return {
        "file": run.path.name, "teacher": run.teacher_name, "activation": run.activation,
        "teacher_is_literal": run.literal, **judgement(run.teacher, _as_wide(run.student), run.activation, x),
        "reference_distance": recorded,
    }  # fmt: skip


def _both_tanh(run: RecordedRun) -> bool:
    return run.activation == "tanh" and any(isinstance(m, nn.Tanh) for m in run.teacher.modules())
