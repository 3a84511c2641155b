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
        self.known = np.zeros(0, dtype=np.int64)
        self.place = np.full(len(features), -1)
        self.matrix = np.zeros((0, 0))

    def __call__(self, columns: NDArray[np.int64]) -> Array:
        """Phi Phi' [n, n] of `columns` [n], to be read only."""
        new = columns[self.place[columns] < 0]
        if len(new):
            among = self.features[new]
            corner = among @ among.T
            beside = among @ self.features[self.known].T
            self.matrix = np.block([[self.matrix, beside.T], [beside, corner]]) if len(self.known) else corner
            self.place[new] = np.arange(len(self.known), len(self.known) + len(new))
            self.known = np.concatenate([self.known, new])
        at = self.place[columns]
        if len(at) == len(self.known) and (at[1:] > at[:-1]).all():
            return self.matrix
        return self.matrix[np.ix_(at, at)]

    def cost(self, columns: NDArray[np.int64]) -> float:
        """What asking would cost, in multiply-adds of a sweep."""
        new = int((self.place[columns] < 0).sum())
        return PRODUCT * new * (len(columns) - new / 2) * self.features.shape[1]

    @staticmethod
    def factor_cost(width: int) -> float:
        """What a Cholesky factor of so many columns costs, in the same unit."""
        return width**3 / 6
