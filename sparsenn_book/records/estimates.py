"""A measured number is a value, an interval and a count.

An unbounded end says that the data leave that side open (one value tells nothing of its spread).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from sparsenn_core.errors import InputError


@dataclass(frozen=True)
class Estimate:
    """`value` with the interval `[low, high]` from `count` runs; `low` and `high` may be infinite, `value` may not.

    `unit` is what the number counts in ("" for a pure number), `method` says how the interval was made.
    """

    value: float
    low: float
    high: float
    count: int
    unit: str = ""
    method: str = ""

    def __post_init__(self) -> None:
        if isinstance(self.count, bool) or int(self.count) != self.count or self.count < 1:
            raise InputError(f"Estimate: count {self.count!r} is not a whole number of at least 1")
        if not math.isfinite(self.value):
            raise InputError(f"Estimate: value {self.value!r} is not finite; what was not measured is None")
        # Written this way round so that a NaN end is refused as well.
        if not self.low <= self.value <= self.high:
            raise InputError(f"Estimate: value {self.value!r} is outside its interval [{self.low!r}, {self.high!r}]")
        # numpy and torch scalars become plain numbers here, so that a claim can be written as JSON.
        for name in ("value", "low", "high"):
            object.__setattr__(self, name, float(getattr(self, name)))
        object.__setattr__(self, "count", int(self.count))


def exact(value: float, count: int = 1, unit: str = "") -> Estimate:
    """A number without spread: a closed form, or a deterministic computation correct to its printed digits."""
    return Estimate(value, value, value, count, unit, "exact")


def wilson(successes: int, trials: int, confidence: float = 0.95) -> Estimate:
    """A rate and its score interval (Wilson 1927, JASA 22), good near 0 and 1 and for few trials.

    With z the normal quantile and p = successes / trials: centre (p + z²/2n) / (1 + z²/n), half width
    z sqrt(p(1-p)/n + z²/4n²) / (1 + z²/n).
    """
    _check_confidence(confidence)
    if trials < 1:
        raise InputError(f"wilson: {trials} trials give no rate; at least 1 is needed")
    if not 0 <= successes <= trials:
        raise InputError(f"wilson: {successes} successes in {trials} trials; must lie between 0 and {trials}")
    rate = successes / trials
    z = NormalDist().inv_cdf(0.5 + confidence / 2)
    centre = (rate + z * z / (2 * trials)) / (1 + z * z / trials)
    half = z * math.sqrt(rate * (1 - rate) / trials + z * z / (4 * trials**2)) / (1 + z * z / trials)
    # At the ends the formula gives 0 and 1 up to rounding, which would push the rate outside its own interval.
    low = 0.0 if successes == 0 else centre - half
    high = 1.0 if successes == trials else centre + half
    return Estimate(rate, low, high, trials, "of all", f"Wilson score interval, {confidence:.0%}")


def mean_interval(values: Iterable[float], confidence: float = 0.95, unit: str = "") -> Estimate:
    """Mean and Student t interval: exact for normal values, approximate for many. One value leaves both ends open."""
    # as scipy.stats takes longer to import than a page's claims take to compute
    from scipy.special import stdtrit

    _check_confidence(confidence)
    sample = _finite("mean_interval", values)
    count = len(sample)
    mean = math.fsum(sample) / count
    method = f"Student t interval, {confidence:.0%}"
    if count == 1:
        return Estimate(mean, -math.inf, math.inf, 1, unit, method)
    variance = math.fsum((value - mean) ** 2 for value in sample) / (count - 1)
    half = float(stdtrit(count - 1, 0.5 + confidence / 2)) * math.sqrt(variance / count)
    return Estimate(mean, mean - half, mean + half, count, unit, method)


def median_interval(values: Iterable[float], confidence: float = 0.95, unit: str = "") -> Estimate:
    """Median and the interval between two order statistics, which covers at least `confidence` of the time for any
    continuous distribution (David & Nagaraja, Order Statistics, 7.1). Too few values (under 6 at 95 %) leave it open.

    The r-th smallest and r-th largest of n cover the median with probability 1 - 2 P(Binomial(n, 1/2) < r).
    """
    _check_confidence(confidence)
    sample = sorted(_finite("median_interval", values))
    count = len(sample)
    middle = (sample[(count - 1) // 2] + sample[count // 2]) / 2
    method = f"order statistics, at least {confidence:.0%}"
    rank = _largest_rank(count, (1 - confidence) / 2)
    if rank == 0:
        return Estimate(middle, -math.inf, math.inf, count, unit, method)
    return Estimate(middle, sample[rank - 1], sample[count - rank], count, unit, method)


def _largest_rank(count: int, tail: float) -> int:
    """The largest r with P(Binomial(count, 1/2) < r) <= tail."""
    from scipy.special import bdtr

    return int((bdtr(np.arange(count), count, 0.5) <= tail).sum())


def _check_confidence(confidence: float) -> None:
    if not 0 < confidence < 1:
        raise InputError(f"confidence {confidence!r} is not inside (0, 1); 95 % is 0.95")


def _finite(where: str, values: Iterable[float]) -> list[float]:
    sample = [float(value) for value in values]
    if not sample:
        raise InputError(f"{where}: no values; what was not measured is None")
    for index, value in enumerate(sample):
        if not math.isfinite(value):
            raise InputError(f"{where}: value {index} is {value}; count collapsed runs apart, do not average them in")
    return sample
