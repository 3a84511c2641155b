"""What the parameters of the compressive sensing chapter set, one small dataclass for each group of tables."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Draws:
    """The regressions that methods are compared on: one family for each triple of `samples` n, `coefficients` p and
    `nonzeros` s, each drawn `repetitions` times and shown at every signal-to-noise ratio of `snrs`.
    """

    samples: tuple[int, ...]
    coefficients: tuple[int, ...]
    nonzeros: tuple[int, ...]
    snrs: tuple[float, ...]
    repetitions: int
    rho: float
    places: str
    seed: int


@dataclass(frozen=True)
class Paths:
    """How many candidates the other methods propose: penalties of the lasso and of the relaxed lasso, its mixes with
    least squares, and the largest support of iterative hard thresholding.
    """

    lasso_penalties: int = 100
    relaxed_penalties: int = 50
    relaxed_mixes: int = 10
    thresholding_size: int = 30
