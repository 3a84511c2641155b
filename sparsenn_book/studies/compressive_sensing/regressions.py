"""Sparse linear regressions, and how well chosen coefficients solve them.

Hastie, Tibshirani and Tibshirani, "Extended comparisons of best subset selection, forward stepwise selection, and the
lasso" (arXiv 1707.08692): rows of the design are N(0, Sigma) with Sigma_ij = rho^|i-j|, the response is
x'beta + sigma e, and sigma^2 = beta' Sigma beta / snr. There is no intercept, here or in any method.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from sparsenn_core.errors import InputError, unknown
from sparsenn_core.randomness import generator

Array = NDArray[np.float64]
PLACES = ("first", "spread", "fours", "normal")
VALIDATION = 500  # samples


@dataclass(frozen=True)
class Family:
    """A family of regressions: `n` samples, `p` coefficients of which `s` are not zero.

    `rho` in [0, 1) correlates neighbours. `places` says where the coefficients are and how large: "first", s ones in
    front; "spread", s ones evenly over all p; "fours", the study's option, half of them ones in front and the others
    fours, spread; "normal", in front and drawn from N(0, 1). `validation` samples choose every method's tuning
    parameters.
    """

    n: int
    p: int
    s: int
    rho: float = 0.35
    places: str = "first"
    validation: int = VALIDATION

    def __post_init__(self) -> None:
        if not (0 < self.s <= self.p and self.n >= 4 and self.validation >= 2):
            raise InputError(f"{self}: needs 0 < s <= p, n >= 4 and validation >= 2")
        if not 0 <= self.rho < 1:
            raise InputError(f"{self}: rho is outside [0, 1)")
        if self.places not in PLACES:
            raise unknown("places", self.places, PLACES)

    @property
    def name(self) -> str:
        """As tables and figures call it."""
        return f"n = {self.n}, p = {self.p}, s = {self.s}"

    @property
    def largest(self) -> int:
        """The largest support that is refitted: half the samples.

        Beyond it the error that least squares adds, sigma^2 k / (n - k - 1), exceeds the noise itself.
        """
        return min(self.p, self.n // 2)


def families(n: Sequence[int], p: Sequence[int], s: Sequence[int], rho: float, places: str) -> list[Family]:
    """One family for each triple (n, p, s); `InputError` if the three lists differ in length."""
    if not len(n) == len(p) == len(s):
        raise InputError(f"families: {len(n)} values of n, {len(p)} of p and {len(s)} of s; one of each a family")
    return [Family(*sizes, rho=rho, places=places) for sizes in zip(n, p, s, strict=True)]


@dataclass(frozen=True)
class Regression:
    """One draw: training `design` [n, p] and `response` [n], validation data of the same law, and the truth."""

    family: Family
    snr: float
    repetition: int
    design: Array
    response: Array
    validation_design: Array
    validation_response: Array
    coefficients: Array
    sigma: float

    @property
    def truth(self) -> tuple[int, ...]:
        """The true support."""
        return tuple(np.flatnonzero(self.coefficients).tolist())


@dataclass(frozen=True)
class Selected:
    """Coefficients [p] that a method chose, with their mean squared error on the validation samples."""

    coefficients: Array
    validation: float


def draw(family: Family, snr: float, repetition: int, seed: int, *, sigma: float | None = None) -> Regression:
    """One regression with signal-to-noise ratio `snr` > 0, or, where `sigma` is given, with that noise.

    Design and noise of a repetition are the same at every snr up to the noise's size, so that a curve over snr is
    not roughened by fresh draws; they are also the same for every rho and kind of coefficients.
    """
    if not snr > 0:
        raise InputError(f"snr {snr!r} is not positive")
    source = generator(seed, "data", family.n, family.p, family.s, repetition)
    rows = family.n + family.validation
    normal = torch.randn(rows, family.p, generator=source, dtype=torch.float64).numpy()
    noise = torch.randn(rows, generator=source, dtype=torch.float64).numpy()
    beta = _coefficients(family, source)
    signal = quadratic(beta, family.rho)
    if sigma is None:
        sigma = math.sqrt(signal / snr)
    else:
        snr = signal / sigma**2
    design = _correlated(normal, family.rho)
    response = design @ beta + sigma * noise
    n = family.n
    return Regression(family, snr, repetition, design[:n], response[:n], design[n:], response[n:], beta, sigma)


def quadratic(vector: Array, rho: float) -> float:
    """v' Sigma v with Sigma_ij = rho^|i-j|, from the nonzero entries of v alone."""
    at = np.flatnonzero(vector)
    distance = np.abs(at[:, None] - at[None, :]).astype(float)
    return float(vector[at] @ (rho**distance) @ vector[at])


def metrics(regression: Regression, coefficients: Array) -> dict[str, float]:
    """How good chosen coefficients are, against the law of the data and not a test sample.

    With the excess e = (b - beta)' Sigma (b - beta) and the signal v = beta' Sigma beta: relative risk `rr` = e / v;
    relative test error `rte` = (e + sigma^2) / sigma^2, 1 at best and snr + 1 for b = 0; proportion of variance
    explained `pve` = 1 - (e + sigma^2) / (v + sigma^2); number of nonzeros `nnz`; active set reconstruction error
    `asre`, the size of the symmetric difference of the supports.
    """
    beta, rho, noise = regression.coefficients, regression.family.rho, regression.sigma**2
    excess, signal = quadratic(coefficients - beta, rho), quadratic(beta, rho)
    return {
        "rr": excess / signal,
        "rte": (excess + noise) / noise,
        "pve": 1 - (excess + noise) / (signal + noise),
        "nnz": float(np.count_nonzero(coefficients)),
        "asre": float(np.count_nonzero((coefficients != 0) != (beta != 0))),
    }


def _coefficients(family: Family, source: torch.Generator) -> Array:
    beta, s = np.zeros(family.p), family.s
    if family.places == "spread":
        beta[np.arange(s) * (family.p // s)] = 1.0
    elif family.places == "normal":
        beta[:s] = torch.randn(s, generator=source, dtype=torch.float64).numpy()
    else:
        fours = s // 2 if family.places == "fours" else 0
        beta[: s - fours] = 1.0
        if fours:
            beta[(np.arange(fours) + 1) * (family.p // fours) - 1] = 4.0
    return beta


def _correlated(normal: Array, rho: float) -> Array:
    """Columns of a stationary autoregression x_j = rho x_{j-1} + sqrt(1 - rho^2) e_j, whose covariance is Sigma."""
    design = np.empty_like(normal)
    design[:, 0] = normal[:, 0]
    for j in range(1, normal.shape[1]):
        design[:, j] = rho * design[:, j - 1] + math.sqrt(1 - rho**2) * normal[:, j]
    return design
