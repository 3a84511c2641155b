"""The study's own rules as its code has them (Barth and von Petersenn, EGP/src)."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

LARGEST = (180.0, 100.0)  # of lambda0 and lambda1, whatever the data
GROWTH = 4.04  # logarithm of the largest over the smallest step of the lambda0 grid


def strengths(count: int) -> NDArray[np.float64]:
    """The study's `count` values of lambda0, from 0 to 180 in growing steps."""
    return LARGEST[0] * np.expm1(np.linspace(0, GROWTH, count)) / math.expm1(GROWTH)
