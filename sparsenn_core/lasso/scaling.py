"""Problems of extreme size brought near one, exactly, by powers of two, and their solutions brought back.

With features 2^a phi, targets 2^b psi and strength 2^(a + b) t, the solution is 2^(b - a) V, its dual 2^-a L and its
objective 2^(b - a) (constrained) or 2^(2b) (penalised) times that of (phi, psi, t); gap, residual and ||L phi_k|| are
the same. Squares of entries beyond 1e154 or below 1e-162 are infinite or zero in float64, so without this a solve would
certify nonsense. Problems of common size are left as they are. What float64 cannot hold on the way back is refused.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from sparsenn_core.errors import InputError
from sparsenn_core.lasso.solution import Batch, Solution

Array = NDArray[np.float64]
COMMON = 128  # |exponent| up to which fourth powers of entries, and ratios of their squares, stay far inside float64
PROPORTION = 300  # |exponent| of strength / (features x targets) up to which squares of the dual stay inside, too
# numbers below this lose digits to the smallest that float64 holds
LEAST = float(np.finfo(np.float64).tiny / np.finfo(np.float64).eps)


@dataclass(frozen=True)
class Scaling:
    """The exponents a and b of R problems, [R] each, 0 where the size is common."""

    features: NDArray[np.int64]
    targets: NDArray[np.int64]

    @classmethod
    def of(cls, features: Array, targets: Array) -> Scaling:
        """The scaling that takes features [R, K, N] and targets [R, D, N] to a largest entry in [1/2, 1)."""
        return cls(_exponents(features), _exponents(targets))

    def data(self, features: Array, targets: Array, strength: Array | None) -> tuple[Array, Array, Array | None]:
        """phi [R, K, N], psi [R, D, N] and t, None or [R], of common size; for R = 1 any number of strengths."""
        phi, psi = _times(features, -self.features), _times(targets, -self.targets)
        if strength is None:
            return phi, psi, None
        t = _times(strength, -self.features - self.targets)
        units = sum(np.frexp(_largest(x))[1] for x in (features, targets))
        units = np.broadcast_to(units, strength.shape)
        odd = np.abs(np.frexp(strength)[1] - units) > PROPORTION
        if odd.any():
            i = int(np.flatnonzero(odd)[0])
            raise InputError(
                f"lasso: strength {strength[i]:g} is out of all proportion to features times targets, of size "
                f"{_power(int(units[i]))}; far above it V is zero, far below it give None"
            )
        return phi, psi, t

    def coefficients(self, coef: Array) -> Array:
        """V of the scaled problem [R, D, K] from that of the given one."""
        return _safely(coef, self.features - self.targets, "the coefficients, taken to common units, are")

    def dual(self, dual: Array) -> Array:
        """L of the scaled problem [R, D, N] from that of the given one."""
        return _safely(dual, self.features, "the dual, taken to common units, is")

    def given_coefficients(self, coef: Array) -> Array:
        """The given problem's V [R, D, K] from the scaled one's."""
        return _safely(coef, self.targets - self.features, "the solution is")

    def given_dual(self, dual: Array) -> Array:
        """The given problem's L [R, D, N] from the scaled one's."""
        return _safely(dual, -self.features, "the dual is")

    def objective(self, objective: Array, penalised: bool) -> Array:
        """The given problem's objective or bound [R] from the scaled one's."""
        return _safely(objective, 2 * self.targets if penalised else self.targets - self.features, "the objective is")

    def there(self, solution: Solution) -> Solution:
        """A solution of the given problem (a single one) as one of the scaled problem."""
        each = None if solution.strength is None else np.array([solution.strength])
        phi, psi, t = self.data(solution.features[None], solution.targets[None], each)
        inverse = Scaling(-self.features, -self.targets)
        return replace(
            solution,
            coef=self.coefficients(solution.coef[None])[0],
            dual=self.dual(solution.dual[None])[0],
            objective=float(inverse.objective(np.array([solution.objective]), each is not None)[0]),
            strength=None if t is None else float(t[0]),
            features=phi[0],
            targets=psi[0],
        )

    def here(self, solution: Solution, given: Solution) -> Solution:
        """A solution of the scaled problem as one of the `given` solution's problem."""
        return replace(
            solution,
            coef=self.given_coefficients(solution.coef[None])[0],
            dual=self.given_dual(solution.dual[None])[0],
            objective=float(self.objective(np.array([solution.objective]), given.strength is not None)[0]),
            strength=given.strength,
            features=given.features,
            targets=given.targets,
        )

    def back(self, batch: Batch, features: Array, targets: Array, strength: Array | None) -> Batch:
        """The solutions of the problems as they were given."""
        if not (self.features.any() or self.targets.any()):
            return batch
        return replace(
            batch,
            coef=self.given_coefficients(batch.coef),
            dual=self.given_dual(batch.dual),
            objective=self.objective(batch.objective, strength is not None),
            strength=strength,
            features=features,
            targets=targets,
        )


def _exponents(values: Array) -> NDArray[np.int64]:
    _, exponent = np.frexp(_largest(values))
    return np.where(np.abs(exponent) > COMMON, exponent, 0).astype(np.int64)


def _largest(values: Array) -> Array:
    """The largest size of an entry [R] in values [R, ...], without a copy of them."""
    flat = values.reshape(len(values), -1)
    return np.maximum(flat.max(1), -flat.min(1))


def _times(values: Array, exponent: NDArray[np.int64]) -> Array:
    """2^exponent values, problem by problem."""
    if not exponent.any():
        return values
    # np.ldexp takes int32, and exponents up to 4,000 fit
    with np.errstate(over="ignore", under="ignore"):
        return np.ldexp(values, exponent.astype(np.int32).reshape(-1, *(1,) * (values.ndim - 1)))


def _safely(values: Array, exponent: NDArray[np.int64], what: str) -> Array:
    """The same, refused where the largest entry of a problem leaves what float64 holds to full precision."""
    scaled = _times(values, exponent)
    before, after = _largest(values), _largest(scaled)
    lost = (exponent != 0) & (before > 0) & ~((after >= LEAST) & np.isfinite(after))
    if lost.any():
        i = int(np.flatnonzero(lost)[0])
        size = _power(int(np.frexp(before[i])[1] + exponent[i]))
        raise InputError(f"lasso: {what} of size {size}, which float64 does not hold; give the problem in other units")
    return scaled


def _power(exponent: int) -> str:
    """2^exponent as a power of ten."""
    return f"1e{round(exponent * np.log10(2)):+d}"
