"""The penalised problem from its Gram matrix: a layer's data, however many samples, as at most K + 1 columns."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sparsenn_core.errors import InputError

Array = NDArray[np.float64]


def data_from_gram(gram: Array, cross: Array, energy: float) -> tuple[Array, Array]:
    """Features [K, n] and targets [D, n], n <= K + 1, on which every V has the penalised objective of the full data.

    `gram` [K, K] = Phi Phi' / (N D), `cross` [D, K] = Psi Phi' / (N D), `energy` = ||Psi||_F^2 / (N D), which one
    streamed pass in float64 collects. The objective ||V Phi - Psi||^2 / (N D) is a function of these alone, so
    `solve(*data_from_gram(...), strength)` answers for the full data at a cost independent of N. Directions of the
    Gram matrix below rounding (1e-15 K of its largest eigenvalue) are dropped. Cost O(K^3).
    """
    if gram.shape != (cross.shape[1],) * 2:
        raise InputError(f"lasso: gram {gram.shape} and cross {cross.shape} do not fit: [K, K] and [D, K] are needed")
    values, vectors = np.linalg.eigh((gram + gram.T) / 2)
    kept = values > 1e-15 * len(values) * values[-1]
    root = np.sqrt(values[kept])
    features = vectors[:, kept] * root
    targets = cross @ vectors[:, kept] / root
    # what no V can fit goes into a column of its own, where the features are zero
    rest = max(energy - float((targets**2).sum()), 0.0)
    last = np.zeros((len(targets), 1))
    last[0] = np.sqrt(rest)
    features = np.hstack([features, np.zeros((len(gram), 1))])
    targets = np.hstack([targets, last])
    scale = np.sqrt(targets.size)
    return features * scale, targets * scale
