"""Is the teacher's pattern of zeros found? Precision, recall and F1 over a sweep of thresholds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from sparsenn_core.errors import InputError
from sparsenn_core.recovery.alignment import Alignment

THRESHOLDS = (0.0, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1)


@dataclass(frozen=True)
class SupportScores:
    """What `support_scores` returns, for R students and T thresholds.

    thresholds  a weight counts as kept if |w| exceeds the threshold, so 0 is the exact support
    kept        [R, T, layers] number of kept weights; `needed` [layers] is the teacher's number of non-zeros
    precision   [R, T] share of the kept weights that the teacher has; not a number where nothing is kept
    recall      [R, T] share of the teacher's weights that are kept
    f1          [R, T] harmonic mean of the two, 2 TP / (2 TP + FP + FN); 0 where nothing is kept
    exact       [R, T] whether kept and needed weights are the same
    """

    thresholds: tuple[float, ...]
    kept: Tensor
    needed: Tensor
    precision: Tensor
    recall: Tensor
    f1: Tensor
    exact: Tensor


def support_scores(alignment: Alignment, thresholds: Sequence[float] = THRESHOLDS) -> SupportScores:
    """Compare the support of aligned students with the exact support of their teacher, in canonical form.

    In canonical form a dead unit has no weights at all, and relu scales are balanced, so that a threshold means the
    same for every unit. `InputError` for a negative threshold.
    """
    if not thresholds or min(thresholds) < 0:
        raise InputError(f"support thresholds must be zero or positive, and at least one: {list(thresholds)}")
    student = [w.abs().flatten(1)[:, None, :] for w in alignment.weights]
    teacher = [(w != 0).flatten() for w in alignment.teacher]
    levels = torch.tensor(thresholds, dtype=torch.float64)[:, None]
    kept = [w > levels for w in student]
    true_positive = torch.stack([(k & t).sum(-1) for k, t in zip(kept, teacher, strict=True)]).sum(0).double()
    counts = torch.stack([k.sum(-1) for k in kept], dim=-1)
    needed = torch.stack([t.sum() for t in teacher])
    positive, relevant = counts.sum(-1).double(), needed.sum().double()
    return SupportScores(
        thresholds=tuple(thresholds),
        kept=counts,
        needed=needed,
        precision=true_positive / positive,
        recall=true_positive / relevant,
        f1=2 * true_positive / (positive + relevant),
        exact=(true_positive == relevant) & (positive == relevant),
    )
