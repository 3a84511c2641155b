"""Estimates of the gradient in the gates' probabilities from sampled gates, and the exact gradient beside them.

Two kinds. `REFITTING` ones know a support's value V(z) = (||y - F theta||^2 + lambda |z|) / n at its least squares
fit, and move probabilities alone: REINFORCE with leave-one-out baseline (Kool, van Hoof and Welling 2019), DisARM
(Dong, Mnih and Tucker 2020), BitFlip-1 and UGC (arXiv 2208.06124). The study compares EGP with these four. `WEIGHTED`
ones move weights w and probabilities together as EGP does, down the same function, so that exact or sampled is all
that differs: REINFORCE again, and straight-through (Bengio, Leonard and Courville 2013), which takes the derivative at
the sampled gates for that at the probabilities and is biased.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sparsenn_book.studies.compressive_sensing.regressions import Array

Gates = NDArray[np.bool_]
EDGE = 1e-11  # how near to 0 and 1 a sampled gate's probability may come, as in the study
UGC_SWITCH = 3.0  # UGC takes BitFlip-1 where 1 / min(gamma, 1 - gamma) is at least this, as in the study


@dataclass(frozen=True)
class Subsets:
    """Best subset selection on one regression: `design` [n, p], `response` [n], `strength` lambda for every entry of
    a support; values are divided by n.
    """

    design: Array
    response: Array
    strength: float

    def value(self, gates: Gates) -> float:
        """V of the open gates [p] with least squares on them; n or more of them fit exactly."""
        at = np.flatnonzero(gates)
        n = len(self.response)
        if len(at) >= n:
            return self.strength * len(at) / n
        columns = self.design[:, at]
        solved = np.linalg.solve(columns.T @ columns, columns.T @ self.response)
        return (float(np.sum((self.response - columns @ solved) ** 2)) + self.strength * len(at)) / n

    def improving_flips(self, gates: Gates) -> int:
        """How many single gates, opened or closed, lower the value by more than rounding; 0 at a local optimum."""
        now = self.value(gates) * (1 - 1e-9)
        found = 0
        for j in range(len(gates)):
            flipped = gates.copy()
            flipped[j] = not flipped[j]
            found += self.value(flipped) < now
        return found


def reinforce(subsets: Subsets, gamma: Array, uniform: Array, place: int) -> Array:
    """REINFORCE with leave-one-out baseline from two samples; unbiased. `uniform` [2, p] are the random numbers."""
    one, two = uniform < gamma
    gap = subsets.value(one) - subsets.value(two)
    return 0.5 * gap * (one.astype(float) - two) / (gamma * (1 - gamma))


def disarm(subsets: Subsets, gamma: Array, uniform: Array, place: int) -> Array:
    """DisARM: a sample and its antithetic twin; unbiased."""
    one, twin = uniform[0] < gamma, 1 - uniform[0] < gamma
    gap = subsets.value(one) - subsets.value(twin)
    return 0.5 * gap * (one.astype(float) - twin) / np.minimum(gamma, 1 - gamma)


def bit_flip(subsets: Subsets, gamma: Array, uniform: Array, place: int) -> Array:
    """BitFlip-1: a sample with gate number `place`, drawn uniformly, opened and closed; unbiased."""
    gates = uniform[0] < gamma
    gates[place] = True
    opened = subsets.value(gates)
    gates[place] = False
    found = np.zeros(len(gamma))
    found[place] = len(gamma) * (opened - subsets.value(gates))
    return found


def ugc(subsets: Subsets, gamma: Array, uniform: Array, place: int) -> Array:
    """UGC as the study codes it: BitFlip-1 for gates near 0 and 1, DisARM for the others."""
    near = 1 / np.minimum(gamma, 1 - gamma) >= UGC_SWITCH
    return np.where(near, bit_flip(subsets, gamma, uniform[1:], place), disarm(subsets, gamma, uniform, place))


def exact(subsets: Subsets, w: Array, gamma: Array, uniform: Array) -> tuple[Array, Array]:
    """The gradient in w and gamma of the expected objective, in closed form (see objective.py), divided by n."""
    n, power = len(subsets.response), np.sum(subsets.design**2, axis=0)
    h = -2 * subsets.design.T @ (subsets.response - subsets.design @ (w * gamma)) + power * w * (1 - 2 * gamma)
    return gamma * (h + power * w) / n, (w * h + subsets.strength) / n


def sampled_reinforce(subsets: Subsets, w: Array, gamma: Array, uniform: Array) -> tuple[Array, Array]:
    """The same from two samples of the gates, REINFORCE with leave-one-out baseline; unbiased."""
    gates, forces, values = _sampled(subsets, w, gamma, uniform)
    by_gamma = 0.5 * (values[0] - values[1]) * (gates[0] - gates[1]) / (gamma * (1 - gamma))
    return np.mean(gates * forces, axis=0), by_gamma


def straight_through(subsets: Subsets, w: Array, gamma: Array, uniform: Array) -> tuple[Array, Array]:
    """The derivatives at two samples of the gates, averaged, as if the probabilities were these gates."""
    gates, forces, _ = _sampled(subsets, w, gamma, uniform)
    by_gamma = w * forces.mean(axis=0) + subsets.strength / len(subsets.response)
    return np.mean(gates * forces, axis=0), by_gamma


def _sampled(subsets: Subsets, w: Array, gamma: Array, uniform: Array) -> tuple[Array, Array, Array]:
    """Two samples of the gates [2, p], the derivatives in w * z [2, p] and the values [2] there."""
    n = len(subsets.response)
    gates = (uniform < gamma).astype(float)
    residual = subsets.response[:, None] - subsets.design @ (w * gates).T
    values = (np.sum(residual**2, axis=0) + subsets.strength * gates.sum(axis=1)) / n
    return gates, -2 / n * (subsets.design.T @ residual).T, values


Refitting = Callable[[Subsets, Array, Array, int], Array]
Weighted = Callable[[Subsets, Array, Array, Array], tuple[Array, Array]]
REFITTING: dict[str, Refitting] = {"REINFORCE": reinforce, "DisARM": disarm, "BitFlip-1": bit_flip, "UGC": ugc}
WEIGHTED: dict[str, Weighted] = {
    "EGP": exact,
    "EGP, descent": exact,
    "REINFORCE with weights": sampled_reinforce,
    "straight-through": straight_through,
}
