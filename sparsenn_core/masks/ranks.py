"""Masks by rank: exactly so many entries are kept, whatever ties there are."""

from __future__ import annotations

import math

import torch
from torch import Tensor


def keep_top(values: Tensor, count: Tensor) -> Tensor:
    """Which entries of each row of `values` [..., n] are among its `count` [...] largest: a mask [..., n].

    Exactly `count` entries of a row are kept, 0 to n of them: of equal values the first ones, NaN last. A comparison
    with a threshold would keep too few or too many where scores are equal. Cost: one selection a row, O(n).
    """
    n = values.shape[-1]
    rows = torch.where(values.isnan(), -math.inf, values).reshape(-1, n)
    counts = count.expand(values.shape[:-1]).reshape(-1)
    kept = torch.zeros_like(rows, dtype=torch.bool)
    for k in counts.unique().tolist():
        if k > 0:
            of = counts == k
            kept[of] = _top(rows[of], k)
    return kept.view(values.shape)


def _top(rows: Tensor, k: int) -> Tensor:
    threshold = rows.kthvalue(rows.shape[-1] - k + 1, dim=-1, keepdim=True).values
    above, ties = rows > threshold, rows == threshold
    missing = k - above.sum(-1, keepdim=True)
    if bool((ties.sum(-1, keepdim=True) > missing).any()):
        ties &= ties.cumsum(-1) <= missing
    return above | ties
