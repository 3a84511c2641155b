"""Power laws fitted on logarithmic axes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from sparsenn_book.records.estimates import Estimate
from sparsenn_core.errors import InputError


@dataclass(frozen=True)
class PowerLaw:
    """log10 y = exponent log10 x + intercept, by least squares; `r2` of it, `local` slopes between neighbours."""

    exponent: Estimate
    intercept: float
    r2: float
    local: NDArray[np.float64]


def power_law(x: ArrayLike, y: ArrayLike, confidence: float = 0.95) -> PowerLaw:
    """Fit a power law to positive x and y, three points or more, with Student's t interval of the exponent.

    The interval takes the residuals for independent; where they are rounding the exponent is what it is.
    """
    positive = [np.asarray(a, dtype=float) for a in (x, y)]
    if len(positive[0]) < 3 or any(not (np.isfinite(a) & (a > 0)).all() for a in positive):
        raise InputError("power_law: need three or more points, all positive and finite")
    u, v = np.log10(positive)
    fit = stats.linregress(u, v)
    half = float(stats.t.ppf(0.5 + confidence / 2, len(u) - 2)) * fit.stderr
    method = f"least squares, Student t interval, {confidence:.0%}"
    estimate = Estimate(fit.slope, fit.slope - half, fit.slope + half, len(u), "", method)
    return PowerLaw(estimate, float(fit.intercept), float(fit.rvalue**2), np.diff(v) / np.diff(u))
