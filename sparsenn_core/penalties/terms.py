"""What a sum of known penalties asks of one parameter, with its prox and its shortest subgradient.

On one parameter w, with steps s: minimise sum (u - w)^2 / (2 s) + l1 |u| + group ||u_groups|| + squared u^2 over u that
vanish outside the mask. The parts are taken one after another, and that is exact, also with a step for each weight:

- mask: outside it u = 0; inside the problem is the same without it.
- squared: it and the quadratic are one quadratic again, about w / (1 + 2 s squared) with step s / (1 + 2 s squared).
- l1, then group (the sparse group lasso: Friedman, Hastie, Tibshirani 2010, arXiv:1001.0736; Yu 2013). Let v be w
  soft-thresholded by s l1, and u the prox of the group norm at v. Then (w - v) / s is in l1 d|v| and (v - u) / s in
  group d||u||, entry by entry. The group's prox scales every entry by a factor in [0, 1], so u_i has the sign of v_i or
  is zero, and d|v_i| lies in d|u_i|. Hence (w - u) / s is in l1 d|u| + group d||u||: u is optimal. No step had to be
  equal to another.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from torch import Tensor

from sparsenn_core.penalties.base import Penalty, Strength, per_run
from sparsenn_core.penalties.fixed_support import FixedSupport
from sparsenn_core.penalties.group_prox import shrink_groups
from sparsenn_core.penalties.grouped import GroupL2, group_subgradient
from sparsenn_core.penalties.separable import L1, SquaredL2, l1_subgradient, soft_threshold


class Terms(NamedTuple):
    """l1 |w| + squared w^2 + group * (norms of the groups along `axis`), where `mask` is true; None is no such term."""

    l1: Strength | None = None
    squared: Strength | None = None
    group: Strength | None = None
    axis: int | None = None
    mask: Tensor | None = None

    def plus(self, other: Terms) -> Terms:
        """The sum of two; strengths add up. The axes must not differ."""
        return Terms(
            _plus(self.l1, other.l1),
            _plus(self.squared, other.squared),
            _plus(self.group, other.group),
            other.axis if self.axis is None else self.axis,
            other.mask if self.mask is None else self.mask if other.mask is None else self.mask & other.mask,
        )

    def prox(self, w: Tensor, step: Tensor) -> Tensor:
        """The prox at w [R, ...]; `step` is broadcastable to w."""
        if self.mask is not None:
            w = w * self.mask
        shrink = 1.0 if self.squared is None else 1 + 2 * step * per_run(self.squared, w)
        if self.group is None or self.axis is None:
            # |u| scales with u, so shrinking may come last: one division fewer
            return (w if self.l1 is None else soft_threshold(w, step * per_run(self.l1, w))) / shrink
        w, step = w / shrink, step / shrink
        if self.l1 is not None:
            w = soft_threshold(w, step * per_run(self.l1, w))
        return shrink_groups(w, step * per_run(self.group, w), self.axis)

    def shortest_subgradient(self, w: Tensor, grad: Tensor) -> Tensor:
        """The shortest subgradient of loss + terms at w [R, ...], from the gradient of the loss.

        Where w is zero, the interval of l1 is used first; what it leaves of a zero group meets the group's ball.
        """
        if self.squared is not None:
            grad = grad + 2 * per_run(self.squared, w) * w
        if self.mask is not None:
            grad = grad * self.mask
        if self.l1 is not None:
            grad = l1_subgradient(w, grad, per_run(self.l1, w))
        if self.group is not None and self.axis is not None:
            grad = group_subgradient(w, grad, per_run(self.group, w), self.axis)
        return grad


def _plus(a: Any, b: Any) -> Any:
    return b if a is None else a if b is None else a + b


# by exact class: a subclass may have changed value or prox
KNOWN: dict[type[Penalty], Callable[[Any, str], Terms]] = {
    L1: lambda p, name: Terms(l1=p.strength),
    SquaredL2: lambda p, name: Terms(squared=p.strength),
    GroupL2: lambda p, name: Terms(group=p.strength, axis=p.groups[name]),
    FixedSupport: lambda p, name: Terms(mask=p.masks[name]),
}


def terms_of(penalty: Penalty, name: str) -> Terms:
    """The terms of a penalty of a known class on a parameter that it covers."""
    return KNOWN[type(penalty)](penalty, name)
