"""What new samples say: an exact upper end on the error from samples that training has not seen."""

from __future__ import annotations

from scipy.stats import beta

from sparsenn_core.errors import InputError


def clopper_pearson(errors: int, count: int, delta: float) -> float:
    """The largest error rate under which so few `errors` in `count` have probability `delta` (Clopper, Pearson 1934).

    With probability 1 - delta the error on new samples is at most that.
    """
    if not 0 <= errors <= count or count < 1:
        raise InputError(f"{errors} errors in {count} samples; must lie between 0 and the count, which is at least 1")
    return 1.0 if errors == count else float(beta.ppf(1 - delta, errors + 1, count - errors))
