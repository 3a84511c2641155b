"""What the original studies used to compare weights: baselines to show beside the others, faults and all."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from scipy.optimize import linear_sum_assignment
from torch import Tensor


def reference_distance(teacher: Sequence[Tensor], student: Sequence[Tensor], *, tanh: bool = False) -> float:
    """The L1 study's distance between a teacher and a student, as it is coded. A baseline: do not rank by it.

    `teacher` and `student` are weight tensors, layer by layer, of any shapes; surplus layers of either are ignored.
    In each layer all weights are pooled (`tanh`: in absolute value; the study does so if both activations are tanh),
    student weights below 1e-4 in absolute value become zero, and every teacher weight is matched to a student weight
    of its own so that the total difference is least. The layer counts the Euclidean norm of the matched differences
    plus that of the student weights left over. The layers' values are added.

    Its faults: which unit or input a weight belongs to is ignored, so that shuffling the weights of a layer, which
    destroys the function, costs nothing; so is every sign, for tanh; rescaling relu units, which leaves the function
    as it is, costs much; a fully connected student must repeat a shared filter and pays for each copy. For the
    baseline teacher in 12-128-128-1 a perfect student has 8.7024, the zero network 7.0249: a dead network ranks
    first. Values for different architectures cannot be compared. A student layer should have no fewer weights than
    the teacher's; else some teacher weights go unmatched at no cost. Cost: cubic in the weights of a layer at worst.
    """
    total = 0.0
    # the study zips the two lists, which is why surplus layers are dropped
    for t, s in zip(teacher, student, strict=False):
        total += _layer_distance(t.detach().double().flatten(), s.detach().double().flatten(), tanh=tanh)
    return total


def _layer_distance(teacher: Tensor, student: Tensor, *, tanh: bool) -> float:
    if tanh:
        teacher, student = teacher.abs(), student.abs()
    student = torch.where(student.abs() < 1e-4, torch.zeros_like(student), student)
    rows, columns = linear_sum_assignment((teacher[:, None] - student[None, :]).abs().numpy())
    left = torch.ones(len(student), dtype=torch.bool)
    left[columns] = False
    return float((teacher[rows] - student[columns]).norm() + student[left].norm())
