"""Sums of penalties, parameter by parameter: the elastic net, the sparse group lasso, a penalty for each layer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from sparsenn_core.errors import InputError
from sparsenn_core.penalties.base import Params, Penalty, Step, step_of, total_over
from sparsenn_core.penalties.terms import KNOWN, Terms, terms_of


@dataclass(frozen=True)
class Total(Penalty):
    """The sum of several penalties; made with `L1(1e-5) + SquaredL2(1e-5)`. Its own `strength` is not used.

    Any sum has a value, so that SGD and Adam train it. For prox and residual every parameter is looked at by itself:
    all sums of `L1`, `SquaredL2`, `GroupL2` with one axis and `FixedSupport` are known (see `terms`), with any `only`;
    every other penalty must be alone on its parameters, but smooth ones may join any sum in the residual. What is not
    known is refused, naming the parameter and the parts.
    """

    strength: float | Tensor = 1.0
    parts: tuple[Penalty, ...] = ()

    def __post_init__(self) -> None:
        plain = isinstance(self.strength, float) and self.strength == 1.0
        if not self.parts or not plain or self.only is not None or self.weights_only:
            raise InputError("make sums with +; strengths, only= and weights_only= belong to the parts")
        object.__setattr__(self, "smooth", all(p.smooth for p in self.parts))
        object.__setattr__(self, "convex", all(p.convex for p in self.parts))

    @classmethod
    def of(cls, *penalties: Penalty) -> Total:
        """The sum of `penalties`, with nested sums opened."""
        parts: list[Penalty] = []
        for p in penalties:
            parts.extend(p.parts if isinstance(p, Total) else [p])
        return cls(parts=tuple(parts))

    def covered(self, params: Params) -> list[tuple[str, Tensor]]:
        mine = {k for p in self.parts for k, _ in p.covered(params)}
        return [(k, w) for k, w in params.items() if k in mine]

    def strengths(self, count: int, like: Tensor) -> Penalty:
        return Total(parts=tuple(p.strengths(count, like) for p in self.parts))

    def select(self, index: Tensor) -> Penalty:
        return Total(parts=tuple(p.select(index) for p in self.parts))

    def value(self, params: Params) -> Tensor:
        return total_over(p.value(params) for p in self.parts)

    def prox(self, params: Params, step: Step) -> Params:
        terms, alone = _by_parameter(self.parts, params, "prox")
        new = {k: each.prox(params[k], step_of(step, k, params[k])) for k, each in terms.items()}
        for part, names in alone:
            moved = part.prox(params, step)
            new |= {k: moved[k] for k in names}
        return params | new

    def gradient(self, params: Params) -> Params:
        of_parts = [p.gradient(params) for p in self.parts]
        return {k: total_over(g[k] for g in of_parts) for k in params}

    def residual(self, params: Params, grad: Params) -> Tensor:
        sharp, total = [], dict(grad)
        for p in self.parts:
            if p.smooth and type(p) not in KNOWN:  # it joins the loss
                total = {k: total[k] + g for k, g in p.gradient(params).items()}
            else:
                sharp.append(p)
        terms, alone = _by_parameter(sharp, params, "residual")
        left = {k: terms.get(k, Terms()).shortest_subgradient(params[k], g) for k, g in total.items()}
        worst = []
        for part, names in alone:
            # the others' gradients are set to zero, so that only its own parameters count
            worst.append(part.residual(params, {k: g if k in names else torch.zeros_like(g) for k, g in total.items()}))
            left = {k: g for k, g in left.items() if k not in names}
        worst += [g.abs().flatten(1).amax(1) for g in left.values()]
        return torch.stack(worst).amax(0)

    def strength_max(self, grad: Params) -> Tensor:
        raise InputError("a sum has no single largest useful strength; ask its parts")


def _by_parameter(
    parts: Sequence[Penalty], params: Params, what: str
) -> tuple[dict[str, Terms], list[tuple[Penalty, list[str]]]]:
    """The known terms of every parameter, and the other parts with the parameters on which each is alone."""
    terms: dict[str, Terms] = {}
    alone: list[tuple[Penalty, list[str]]] = []
    on: dict[str, list[Penalty]] = {}
    for part in parts:
        names = [k for k, _ in part.covered(params)]
        for k in names:
            on.setdefault(k, []).append(part)
        if type(part) not in KNOWN:
            alone.append((part, names))
    for k, here in on.items():
        if all(type(part) in KNOWN for part in here):
            terms[k] = _sum([terms_of(part, k) for part in here], here, k, what)
        elif len(here) > 1:
            raise _not_known(here, k, what, "known are sums of " + ", ".join(kind.__name__ for kind in KNOWN))
    return terms, alone


def _sum(terms: list[Terms], parts: list[Penalty], name: str, what: str) -> Terms:
    total = terms[0]
    for each in terms[1:]:
        if None not in (total.axis, each.axis) and total.axis != each.axis:
            raise _not_known(parts, name, what, "the groups lie along different axes")
        total = total.plus(each)
    return total


def _not_known(parts: list[Penalty], name: str, what: str, why: str) -> InputError:
    names = " + ".join(type(p).__name__ for p in parts)
    return InputError(f"the {what} of {names} on {name} is not known: {why}; keep them apart with only=, or use Adam")


Penalty._sum_of = Total.of
