"""The Gram matrix of a layer's features, entry by entry as it is asked for."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
PRODUCT = 1 / 2  # multiply-adds of a sweep in the time of one of a product of large matrices


class GramMatrix:
    """Phi Phi' on the columns that were asked for so far; every entry is computed once."""

    def __init__(self, features: Array) -> None:
        self.features = features
        self.known = np.zeros(len(features), dtype=bool)
        self.entries = np.empty((0, 0))  # [K, K], of which those of known columns are filled

    def __call__(self, columns: NDArray[np.int64]) -> Array:
        """Phi Phi' [n, n] of `columns` [n], sorted; to be read only."""
        new = columns[~self.known[columns]]
        if len(new):
            self._learn(new)
        return self.entries if len(columns) == len(self.features) else among(self.entries, columns)

    def _learn(self, new: NDArray[np.int64]) -> None:
        """The products of `new` with each other and with what is known."""
        self.known[new] = True
        known = np.flatnonzero(self.known)
        if len(new) == len(self.features):
            self.entries = self.features @ self.features.T
            return
        if not len(self.entries):
            self.entries = np.empty((len(self.features),) * 2)
        products = self.features[new] @ self.features[known].T
        self.entries[np.ix_(new, known)] = products
        self.entries[np.ix_(known, new)] = products.T

    def cost(self, columns: NDArray[np.int64]) -> float:
        """What asking would cost, in multiply-adds of a sweep."""
        new = int((~self.known[columns]).sum())
        return PRODUCT * new * (len(columns) - new / 2) * self.features.shape[1]

    @staticmethod
    def factor_cost(width: int) -> float:
        """What a Cholesky factor of so many columns costs, in the same unit."""
        return width**3 / 6


def among(matrix: Array, columns: NDArray[np.int64]) -> Array:
    """A copy of the rows and columns [n, n] that are named; whole rows first, which is what memory does fast."""
    return matrix.take(columns, axis=0).take(columns, axis=1)
