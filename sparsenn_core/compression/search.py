"""The narrowest layer of a path that is good enough, or that of a given width."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol

from sparsenn_core.compression.candidate import Candidate

HALVINGS = 6
"""Of the step of the path before the first candidate that is good enough."""
HALVINGS_FOR_WIDTH = 12
"""Of the step of the path in which a width lies: neighbours then differ by less than a ten-thousandth in strength."""


class Path(Protocol):
    """Layers from narrow to wide, and others between two of them."""

    def __iter__(self) -> Iterator[Candidate]: ...

    def between(self, narrow: Candidate | None, wide: Candidate) -> Candidate | None:
        """One halfway between two neighbours (None: before the first); None if there is none."""


def narrowest(path: Path, good: Callable[[Candidate], bool]) -> Candidate | None:
    """The first candidate of the path that is good, then narrower ones by halving the step before it; None if none is.

    A path need not be monotone: what was looked at and lies before is not good, and nothing is said of the rest.
    """
    before: Candidate | None = None
    for found in path:
        if good(found):
            break
        before = found
    else:
        return None
    for _ in range(HALVINGS):
        middle = path.between(before, found)
        if middle is None or (before is not None and found.width - before.width < 2):
            break
        if good(middle):
            found = middle
        else:
            before = middle
    return found


def of_width(path: Path, width: int) -> Candidate:
    """The widest candidate that was found with at most `width` neurons; at least the first of the path."""
    before: Candidate | None = None
    for found in path:
        if found.width == width:
            return found
        if found.width > width:
            break
        before = found
    for _ in range(HALVINGS_FOR_WIDTH):
        middle = path.between(before, found)
        if middle is None or middle.width == width:
            found = middle or found
            break
        if middle.width < width:
            before = middle
        else:
            found = middle
    if found.width == width or before is None:
        return found
    return before
