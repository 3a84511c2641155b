"""Coordinate descent on some columns of the penalised problem, by scikit-learn's compiled sweeps.

Problems here have the units of that library, lambda = strength N D / 2:

    minimise  ||Psi - V Phi||_F^2 / 2 + lambda sum_k ||v_k||_2.

A sweep over K columns of N samples costs O(D K N). Only Phi Phi' and Psi Phi' enter, so that K columns of K numbers, a
Cholesky factor of the Gram matrix, stand for N samples (`condensed`).
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import scipy.linalg
from numpy.typing import NDArray
from sklearn import config_context
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import enet_path

Array = NDArray[np.float64]


def descend(features: Array, targets: Array, penalty: float, coef: Array, sweeps: int) -> Array:
    """V [D, K] after so many cyclic sweeps from `coef` [D, K]; features [K, N], targets [D, N]."""
    single = len(targets) == 1
    goal = targets[0] if single else targets.T
    start = coef[0].copy() if single else np.array(coef, order="F")
    return _sweeps(features.T, goal, penalty, start, sweeps, precompute=False).reshape(coef.shape)


def descend_on_gram(gram: Array, cross: Array, targets: Array, penalty: float, coef: Array, sweeps: int) -> Array:
    """The same for one output, from Phi Phi' [K, K] and Psi Phi' [1, K], at no more than O(K^2) a sweep."""
    shape_only = np.broadcast_to(0.0, (targets.shape[1], len(gram)))
    inner = {"precompute": np.ascontiguousarray(gram), "Xy": np.ascontiguousarray(cross[0])}
    return _sweeps(shape_only, targets[0], penalty, coef[0].copy(), sweeps, **inner)[None]


def _sweeps(samples: Array, goal: Array, penalty: float, start: Array, sweeps: int, **inner: Any) -> Array:
    # what scikit-learn checks of its arguments takes longer than some sweeps
    with warnings.catch_warnings(), config_context(skip_parameter_validation=True, assume_finite=True):
        # how far it came is for the certificate to say
        warnings.simplefilter("ignore", ConvergenceWarning)
        _, found, _ = enet_path(
            samples,
            goal,
            l1_ratio=1.0,
            alphas=[penalty / len(samples)],
            coef_init=start,
            tol=0.0,
            max_iter=sweeps,
            check_input=False,
            **inner,
        )
    return np.ascontiguousarray(found[..., 0])


def condensed(gram: Array, cross: Array) -> tuple[Array, Array]:
    """Features [K, p] and targets [D, p], p = rank <= K, with the given Gram matrix [K, K] and products [D, K].

    By a Cholesky factor with pivots, which stops where what remains is dependent to rounding. Cost O(K^3 / 3).
    """
    factor, pivots, rank, _ = scipy.linalg.lapack.dpstrf(gram, lower=1, tol=len(gram) * 1e-15 * gram.diagonal().max())
    order = pivots - 1
    lower = np.tril(factor)[:, :rank]
    features = np.empty_like(lower, order="C")
    features[order] = lower
    targets = scipy.linalg.solve_triangular(lower[:rank], cross[:, order[:rank]].T, lower=True).T
    return features, np.ascontiguousarray(targets)
