"""Many supports of one regression: least squares or ridge on each, and the best of them on validation samples."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from sparsenn_book.studies.compressive_sensing.regressions import Array, Regression, Selected

RIDGE = (0.0, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)
"""Ridge strengths, each times the number of samples; 0 is ordinary least squares."""

Support = tuple[int, ...]
Spectrum = tuple[Array, Array, Array]


@dataclass(frozen=True)
class Refits:
    """Every support refitted: mean squared validation errors [supports, strengths], training residual sums [supports]
    of ordinary least squares, and the coefficients on each support [strengths, k].
    """

    regression: Regression
    supports: list[Support]
    coefficients: list[Array]
    validation: Array
    residual: Array
    spectra: list[Spectrum]

    def selected(self, index: int, strength: int = 0) -> Selected:
        """The refit of support `index` at ridge strength number `strength`, as p coefficients."""
        full = np.zeros(self.regression.family.p)
        full[list(self.supports[index])] = self.coefficients[index][strength]
        return Selected(full, float(self.validation[index, strength]))

    def best(self, *, size_weight: float = 0.0, among: Sequence[int] | NDArray[np.int64] | None = None) -> Selected:
        """The refit with the least ln(validation error) + `size_weight` times its size.

        `among` are the supports to choose from; None takes all.
        """
        rows = np.arange(len(self.supports)) if among is None else np.asarray(among)
        sizes = np.array([len(self.supports[row]) for row in rows])
        rank = np.log(self.validation[rows]) + size_weight * sizes[:, None]
        index, strength = np.unravel_index(int(np.argmin(rank)), rank.shape)
        return self.selected(int(rows[index]), int(strength))

    def ridged(self, strengths: Sequence[float] = RIDGE) -> Refits:
        """The same supports refitted at all of `strengths`, from the spectra that are known."""
        add = np.asarray(strengths) * self.regression.family.n
        solved = [
            (vectors @ (projected[:, None] / (values[:, None] + add))).T for values, vectors, projected in self.spectra
        ]
        return replace(self, coefficients=solved)._validated(self.regression)

    def validated_by(self, regression: Regression) -> Refits:
        """The same coefficients with their errors on the validation samples of another regression."""
        return replace(self, regression=regression)._validated(regression)

    def _validated(self, regression: Regression) -> Refits:
        rows = regression.validation_response
        errors = np.empty((len(self.supports), len(self.coefficients[0])))
        for i, (support, solved) in enumerate(zip(self.supports, self.coefficients, strict=True)):
            missed = rows[:, None] - regression.validation_design[:, list(support)] @ solved.T
            errors[i] = np.mean(missed**2, axis=0)
        return replace(self, validation=errors)


def refit(regression: Regression, supports: Iterable[Support]) -> Refits:
    """Refit distinct supports of at most `family.largest` entries by least squares; the empty one is always among
    them, first.

    In float64 by the eigenvalues of F_S'F_S, of which all ridge strengths follow; the design has at least twice as
    many rows as the support columns, so squaring its condition number is harmless.
    """
    chosen = [(), *dict.fromkeys(s for s in supports if 0 < len(s) <= regression.family.largest)]
    spectra: list[Spectrum] = []
    coefficients: list[Array] = []
    residual: list[float] = []
    for support in chosen:
        columns = regression.design[:, list(support)]
        values, vectors = np.linalg.eigh(columns.T @ columns)
        projected = vectors.T @ (columns.T @ regression.response)
        solved = vectors @ (projected / values)
        spectra.append((values, vectors, projected))
        coefficients.append(solved[None, :])
        residual.append(float(np.sum((regression.response - columns @ solved) ** 2)))
    found = Refits(regression, chosen, coefficients, np.empty((0, 0)), np.array(residual), spectra)
    return found._validated(regression)
