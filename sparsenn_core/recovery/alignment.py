"""A student's weights in its teacher's frame, and how far from the teacher they are, up to symmetry."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from sparsenn_core.errors import InputError
from sparsenn_core.randomness import generator
from sparsenn_core.recovery.canonical import reduced
from sparsenn_core.recovery.matching import matched
from sparsenn_core.recovery.weight_arrays import (
    Array,
    WeightArrays,
    as_tensors,
    hidden_activation,
    layer_weights,
    weight_arrays,
)

Weights = nn.Module | Sequence[Tensor] | Mapping[str, Tensor]


@dataclass(frozen=True)
class Alignment:
    """What `aligned` returns. R students; all weights are float64 and in canonical form, padded to common widths.

    teacher   layer weights of the teacher
    weights   layer weights [R, ...] of the students, their units (and, for tanh, signs) arranged like the teacher's
    distance  [R] Euclidean norm of `weights` - `teacher` over all layers: an upper bound of the least distance over
              the symmetries, equal to it where `exact`
    exact     [R] whether no arrangement is closer
    """

    teacher: list[Tensor]
    weights: list[Tensor]
    distance: Tensor
    exact: Tensor

    @functools.cached_property
    def norm(self) -> float:
        """Euclidean norm of the teacher: the distance of the zero network."""
        return float(torch.stack([w.square().sum() for w in self.teacher]).sum().sqrt())

    @property
    def relative(self) -> Tensor:
        """[R] `distance` / `norm`: 0 for perfect recovery, 1 for the zero network."""
        return self.distance / self.norm

    @functools.cached_property
    def relative_shape(self) -> Tensor:
        """[R] `relative` after each layer of the student is multiplied by the factor >= 0 that fits best.

        A penalty shrinks a layer as a whole before it bends it; this distance sees only the bending. At most
        `relative`; 1 if every layer is zero or points away from the teacher's.
        """
        squared = torch.zeros_like(self.distance)
        for student, teacher in zip(self.weights, self.teacher, strict=True):
            s, t = student.flatten(1), teacher.flatten()
            factor = (s @ t).clamp(min=0) / s.square().sum(1).clamp(min=torch.finfo(s.dtype).tiny)
            squared += (t - factor[:, None] * s).square().sum(1)
        return squared.sqrt() / self.norm

    def __float__(self) -> float:
        """The distance, of a single student."""
        return float(self.distance)


def _inputs(arrays: WeightArrays, n: int) -> Array:
    """Inputs N(0, I) on which hidden activations are compared; fixed, so that a distance does not vary."""
    features = arrays.weights[0].shape[2]
    if arrays.weights[0].shape[3] > 1:
        features *= int(np.prod([w.shape[3] for w in arrays.weights]))
    x = torch.randn(n, features, generator=generator(0, "alignment", "inputs"), dtype=torch.float64)
    return np.asarray(x)


def aligned(
    teacher: nn.Module | Sequence[Tensor],
    student: Weights,
    activation: str | None = None,
    *,
    signed: bool | None = None,
    tolerance: float = 1e-6,
    starts: int = 8,
    seed: int = 0,
) -> Alignment:
    """Arrange students like their teacher, and measure the distance up to symmetry.

    `teacher` is a `TreeCNN` or `MLP` without biases, or its layer weights [out, in] or [out, in, taps]; `student` the
    same with any number of hidden units in each layer, or R of them as layer weights with a leading run axis (a list,
    or an ensemble's `params`). For fully connected students of a convolutional teacher pass `networks.embed(teacher)`.
    `activation` (relu, sigmoid, tanh) follows every hidden layer; it is read off a teacher given as a module.

    Both sides are put into canonical form (`canonical`: dead units removed, duplicates merged within `tolerance`,
    relu scales balanced), the narrower one is padded with zero units, and the students' units are permuted, for tanh
    also flipped, to come closest. So perfect recovery has distance 0 and the zero network the teacher's norm. The
    search is exact up to 4 channels or units in every second hidden layer (tanh 5, else 7) and for one hidden layer;
    else it is the best of descents from the order given, from an activation match on 256 inputs N(0, I), and from
    `starts` random arrangements drawn from `seed`. For relu, distances are between balanced weights, not minimised
    over scales.

    `signed` lets units change sign; the default is what is exact, True for tanh alone. For sigmoid, as sigma(-z) = 1 -
    sigma(z), a flip changes what the unit sends to unit o of the next layer by the constant sum_t w[o, unit, t], and
    leaves the function as it is only where these sums are zero. They are small for the baseline teacher (-0.09 and
    0.02), so that many sigmoid students that fit it are its mirror images: True finds them.

    A student with a weight that is not finite gets the distance nan. Cost: 2,000 students of 52 weights
    take a few seconds.
    """
    name = hidden_activation(teacher, activation)
    like = layer_weights(teacher)
    layers = list(student.values()) if isinstance(student, Mapping) else layer_weights(student)
    batched = layers[0].ndim > like[0].ndim
    target = reduced(weight_arrays(like, batched=False), name, tolerance)
    source = weight_arrays(layers, batched=batched)
    _check_shapes(target, source)
    finite = np.isfinite(source.squared_norm())
    source = WeightArrays([np.where(finite[:, None, None, None], w, 0.0) for w in source.weights], source.biases)
    width = [max(a, b) for a, b in zip(target.hidden, source.hidden, strict=True)]
    target, source = target.padded(width), reduced(source, name, tolerance).padded(width)
    signed = name == "tanh" if signed is None else signed
    x = _inputs(target, 256)
    moved, exact = matched(target, source, name, signed=signed, inputs=x, starts=starts, seed=seed)
    for w in moved.weights:
        w[~finite] = np.nan
    return Alignment(
        as_tensors(target.weights, like, batched=False),
        as_tensors(moved.weights, layers if batched else [w[None] for w in layers], batched=True),
        torch.from_numpy(np.sqrt(target.squared_distance(moved))),
        torch.from_numpy(exact & finite),
    )


def _check_shapes(teacher: WeightArrays, student: WeightArrays) -> None:
    def ends(arrays: WeightArrays) -> tuple[int, int, list[int]]:
        return arrays.weights[0].shape[2], arrays.weights[-1].shape[1], [w.shape[3] for w in arrays.weights]

    if ends(teacher) != ends(student):
        raise InputError(
            f"aligned: inputs, outputs and taps are {ends(teacher)} for the teacher but {ends(student)} for the "
            "student; for a fully connected student pass networks.embed(teacher)"
        )
