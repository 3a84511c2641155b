"""What a caller asks of compression: how small, by which choice of neurons, refitted or not."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sparsenn_core.compression.candidate import Candidate, refitted
from sparsenn_core.compression.layer_problem import LayerProblem
from sparsenn_core.compression.orders import Order, OrderedPath
from sparsenn_core.compression.search import Path, narrowest, of_width
from sparsenn_core.compression.strength_path import StrengthPath
from sparsenn_core.errors import InputError

HeldOut = Callable[[Candidate], float]
"""The mean held-out loss of the network with a candidate in place of a layer."""


@dataclass(frozen=True)
class Wanted:
    """One of tolerance, width (one number for each layer) and strength; the order of neurons, or None for the lasso."""

    tolerance: float | None
    width: tuple[int, ...] | None
    strength: float | None
    order: Order | None
    refit: bool

    def candidate(self, problem: LayerProblem, place: tuple[int, int], before: float, held_out: HeldOut) -> Candidate:
        """The smaller layer at `place` (number, of how many), where the held-out loss was `before` in the beginning."""
        number, count = place
        if self.strength is not None:
            return self._finished(problem, StrengthPath(problem).at(self.strength))
        path: Path = StrengthPath(problem) if self.order is None else OrderedPath(problem, self.order)
        if self.width is not None:
            return self._finished(problem, self._of_width(problem, path, self.width[number]))
        assert self.tolerance is not None
        allowed = before + self.tolerance * (number + 1) / count
        least = math.inf

        def good(candidate: Candidate) -> bool:
            nonlocal least
            loss = held_out(self._finished(problem, candidate))
            least = min(least, loss)
            return loss <= allowed

        found = narrowest(path, good)
        if found is None:
            raise InputError(
                f"compression: tolerance is {self.tolerance:g}: no width keeps the held-out loss at {allowed:.6g} or "
                f"below; the least that was met is {least:.6g}, before it was {before:.6g}"
            )
        return self._finished(problem, found)

    def _of_width(self, problem: LayerProblem, path: Path, width: int) -> Candidate:
        if width > problem.neurons:
            raise InputError(f"compression: width is {width}; the layer has {problem.neurons} neurons")
        found = of_width(path, width)
        if found.width > width:
            raise InputError(f"compression: no strength was found that leaves {width} neurons; {found.width} is next")
        return found

    def _finished(self, problem: LayerProblem, candidate: Candidate) -> Candidate:
        """Refitted, where that is wanted."""
        return refitted(problem, candidate) if self.refit else candidate


def wanted(
    tolerance: float | None,
    width: int | Sequence[int] | None,
    strength: float | None,
    order: Order | None,
    refit: bool,
    layers: int,
) -> Wanted:
    """What is asked of `layers` layers, checked; `InputError` where it is too much, too little or out of range."""
    given = {"tolerance": tolerance, "width": width, "strength": strength}
    said = [name for name, value in given.items() if value is not None]
    if len(said) != 1:
        raise InputError(f"compression: give one of {', '.join(given)}, not {' and '.join(said) or 'none'}")
    if tolerance is not None and not math.isfinite(tolerance):
        raise InputError(f"compression: tolerance is {tolerance}; it is a rise of the loss, such as 0.01")
    if strength is not None and not (math.isfinite(strength) and strength > 0):
        raise InputError(f"compression: strength is {strength}; it must be a positive number")
    if strength is not None and order is not None:
        raise InputError("compression: strength is the lasso's; an order of neurons needs a tolerance or a width")
    widths = None if width is None else (width,) if isinstance(width, int) else tuple(width)
    if widths is not None and len(widths) != layers:
        raise InputError(f"compression: {layers} layers need {layers} widths, not {len(widths)}")
    for one in widths or ():
        if not isinstance(one, int) or one < 1:
            raise InputError(f"compression: width is {one}; it must be a whole number of neurons, at least 1")
    return Wanted(tolerance, widths, strength, order, refit)
