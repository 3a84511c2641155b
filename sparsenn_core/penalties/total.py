"""Sums of penalties, such as the elastic net."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from sparsenn_core.errors import InputError
from sparsenn_core.penalties.base import Params, Penalty, Step, total_over
from sparsenn_core.penalties.separable import SquaredL2


@dataclass(frozen=True)
class Total(Penalty):
    """The sum of several penalties; made with `L1(1e-5) + SquaredL2(1e-5)`. Its own `strength` is not used.

    The prox exists when all parts but one are `SquaredL2` on the same weights: the sharp part's prox, then the
    shrinking of the others, which for a positively homogeneous part (L1, GroupL2) is exact.
    """

    strength: float | Tensor = 1.0
    parts: tuple[Penalty, ...] = ()

    @classmethod
    def of(cls, *penalties: Penalty) -> Total:
        """The sum of `penalties`, with nested sums opened."""
        parts: list[Penalty] = []
        for p in penalties:
            parts.extend(p.parts if isinstance(p, Total) else [p])
        return cls(parts=tuple(parts))

    def strengths(self, count: int, like: Tensor) -> Penalty:
        return Total(parts=tuple(p.strengths(count, like) for p in self.parts))

    def select(self, index: Tensor) -> Penalty:
        return Total(parts=tuple(p.select(index) for p in self.parts))

    def value(self, params: Params) -> Tensor:
        return total_over(p.value(params) for p in self.parts)

    def _sharp_and_smooth(self) -> tuple[Penalty | None, list[Penalty]]:
        sharp = [p for p in self.parts if not p.smooth]
        if len(sharp) > 1:
            names = " + ".join(type(p).__name__ for p in sharp)
            raise InputError(f"{names}: the prox and residual of a sum need all parts but one to be smooth")
        return (sharp[0] if sharp else None), [p for p in self.parts if p.smooth]

    def prox(self, params: Params, step: Step) -> Params:
        sharp, smooth = self._sharp_and_smooth()
        if any(not isinstance(p, SquaredL2) or p.only for p in smooth) or (sharp is not None and sharp.only):
            raise InputError("the prox of a sum is known only for a penalty plus SquaredL2 on all weights")
        if len(smooth) > 1:
            raise InputError("add the strengths of several SquaredL2 into one before asking for the prox")
        new = sharp.prox(params, step) if sharp is not None else params
        for p in smooth:
            new = p.prox(new, step)
        return new

    def residual(self, params: Params, grad: Params) -> Tensor:
        sharp, smooth = self._sharp_and_smooth()
        total = dict(grad)
        for p in smooth if sharp is not None else smooth[:-1]:
            total = {k: total[k] + g for k, g in p.gradient(params).items()}
        return (sharp or smooth[-1]).residual(params, total)

    def strength_max(self, grad: Params) -> Tensor:
        raise InputError("a sum has no single largest useful strength; ask its parts")
