"""The prox of the norm of groups of weights, with one step or with a step for each weight.

With one step s the prox of strength * ||u|| shrinks w by max(0, 1 - s strength / ||w||). With a step s_i for each
weight it is argmin sum_i (u_i - w_i)^2 / (2 s_i) + strength ||u||. Let d_i = strength s_i. Where u is not zero,
u_i = w_i t / (t + d_i) with t = ||u||, and taking norms gives one equation for t:

    n(t) = ||(w_i / (t + d_i))_i|| = 1,

with one root t > 0 if n(0) > 1; else u = 0 is optimal. 1 / n is increasing and concave in t >= 0 (the secular equation
of trust regions, More and Sorensen 1983): Newton's method on 1 / n - 1 from the left of the root stays left of it and
climbs to it, quadratically in the end, without safeguards. It starts at the best of three lower bounds, 0, ||w|| -
max d and max_i (|w_i| - d_i); the last keeps every |w_i| / (t + d_i) at most 1, so that nothing overflows. With equal
steps the second is the root.
"""

from __future__ import annotations

import torch
from torch import Tensor

NEWTON_STEPS = 20
"""Enough for every digit of thresholds that lie up to 20 powers of ten apart; Adam's lie 12 apart at most in practice.
A number of its own for each group would be control flow that depends on data, which does not compile."""


def by_group(x: Tensor, axis: int) -> Tensor:
    """[R, ...] -> [R, groups, members], where `axis` of one run's tensor counts the groups."""
    return x.movedim(axis + 1, 1).reshape(len(x), x.shape[axis + 1], -1)


def group_norms(w: Tensor, axis: int) -> Tensor:
    """The Euclidean norm of each group, [R, groups]."""
    return by_group(w, axis).norm(dim=2)


def spread(per_group: Tensor, w: Tensor, axis: int) -> Tensor:
    """[R, groups] -> broadcastable to w [R, ...]."""
    shape = [len(w), *(1,) * (w.ndim - 1)]
    shape[axis + 1] = w.shape[axis + 1]
    return per_group.reshape(shape)


def shrink_groups(w: Tensor, threshold: Tensor, axis: int) -> Tensor:
    """The prox of the norms of the groups of w [R, ...]; `threshold` = step * strength.

    `threshold` is one number, one per run [R, 1, ...], or one per weight like w.
    """
    tiny = torch.finfo(w.dtype).tiny
    if all(size == 1 for size in threshold.shape[1:]):
        # a group of norm zero stays zero; the clamp only avoids 0 / 0
        norms = spread(group_norms(w, axis), w, axis).clamp(min=tiny)
        return w * (1 - threshold / norms).clamp(min=0)
    threshold = threshold.expand_as(w)
    t = spread(_length(by_group(w, axis), by_group(threshold, axis)), w, axis)
    return w * torch.where(threshold > 0, t / (t + threshold).clamp(min=tiny), 1.0)


def _length(w: Tensor, d: Tensor) -> Tensor:
    """The root t of n(t) = 1, or 0 where n(0) <= 1, [R, groups]; w and d are [R, groups, members]."""
    tiny = torch.finfo(w.dtype).tiny
    t = torch.maximum(w.norm(dim=2) - d.amax(2), (w.abs() - d).amax(2)).clamp(min=0)
    for _ in range(NEWTON_STEPS):
        base = (t[..., None] + d).clamp(min=tiny)
        ratio = w / base
        n = ratio.norm(dim=2)
        share = (ratio / n[..., None].clamp(min=tiny)).square()
        slope = (share / base).sum(2)  # of log 1/n
        t = (t + (n - 1) / slope.clamp(min=tiny)).clamp(min=0)
    return t
