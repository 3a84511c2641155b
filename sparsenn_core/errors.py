"""One-line refusals of bad input, made before any work starts."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class InputError(ValueError):
    """Input that cannot be used; its message is one line that names the culprit. The command line exits with 2."""


def nearest(name: str, known: Iterable[str]) -> str:
    """A hint that names the closest known name, or all of them where none is close. Empty if nothing is known."""
    names = sorted(known)
    close = difflib.get_close_matches(str(name), names, n=1, cutoff=0.5)
    if close:
        return f"did you mean {close[0]!r}?"
    return f"known: {', '.join(names)}" if names else ""


def unknown(kind: str, name: str, known: Iterable[str], *, where: str = "") -> InputError:
    """The error for a name that is not in a list: `where: unknown KIND 'NAME'; did you mean 'OTHER'?`."""
    prefix = f"{where}: " if where else ""
    return InputError(f"{prefix}unknown {kind} {str(name)!r}; {nearest(name, known)}")
