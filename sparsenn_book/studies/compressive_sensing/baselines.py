"""The methods that EGP is compared with: lasso, relaxed lasso, forward stepwise selection, iterative hard thresholding.

Each gives a path; validation error chooses its member.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sparsenn_book.studies.compressive_sensing.regressions import Array, Regression, Selected
from sparsenn_book.studies.compressive_sensing.supports import Refits, Support, refit

LEAST = 1e-3  # the lasso's smallest penalty over its largest


def lasso_path(design: Array, response: Array, count: int) -> tuple[Array, Array]:
    """Penalties [count], log-spaced from the largest useful one to a thousandth of it, and lasso solutions [p, count].

    Minimisers of ||y - F b||^2 / (2 n) + penalty ||b||_1. They are interpolated between the knots of the exact,
    piecewise linear path (LARS: Efron, Hastie, Johnstone and Tibshirani 2004), so there is no tolerance.
    """
    from sklearn.linear_model import lars_path

    n = len(response)
    top = float(np.max(np.abs(design.T @ response))) / n
    penalties = top * np.logspace(0, np.log10(LEAST), count)
    knots, _, path = lars_path(design, response, method="lasso", alpha_min=LEAST * top, max_iter=8 * n)
    # a coefficient that leaves the path keeps a rounding error, which would count as part of the support
    path = np.where(np.abs(path) <= 1e-13 * np.max(np.abs(path)), 0.0, path)
    # the path is linear in the penalty between knots; knots fall, np.interp wants them to rise
    place = np.interp(-penalties, -knots, np.arange(len(knots)))
    left = np.minimum(place.astype(int), len(knots) - 2)
    share = place - left
    return penalties, path[:, left] * (1 - share) + path[:, left + 1] * share


def lasso(regression: Regression, path: Array) -> Selected:
    """The member of a lasso path [p, count] with the least validation error."""
    errors = _validation_errors(regression, path)
    best = int(np.argmin(errors))
    return Selected(path[:, best], float(errors[best]))


def path_supports(path: Array) -> list[Support]:
    """The support of each member of a path [p, count]."""
    return [tuple(np.flatnonzero(column).tolist()) for column in path.T]


def relaxed_lasso(regression: Regression, path: Array, mixes: int, fits: Refits | None = None) -> Selected:
    """phi b_lasso + (1 - phi) b_ols, with b_ols least squares on the lasso's support and `mixes` values of phi in
    [0, 1] (Meinshausen 2007 in the simple form of Hastie, Tibshirani and Tibshirani).

    `fits` are the refits of the supports of the `path` [p, count], if they are known. Where the support has more than
    `family.largest` entries only phi = 1 is a candidate.
    """
    supports = path_supports(path)
    fits = refit(regression, supports) if fits is None else fits
    place = {support: i for i, support in enumerate(fits.supports)}
    best = Selected(np.zeros(regression.family.p), float(fits.validation[0, 0]))
    phi = np.linspace(0, 1, mixes)
    for column, support in zip(path.T, supports, strict=True):
        if support in place:
            ends = np.stack([fits.selected(place[support]).coefficients, column], axis=1)
            candidates = ends @ np.stack([1 - phi, phi])
        else:
            candidates = column[:, None]
        errors = _validation_errors(regression, candidates, support)
        if errors.min() < best.validation:
            best = Selected(candidates[:, int(np.argmin(errors))].copy(), float(errors.min()))
    return best


def forward_stepwise(design: Array, response: Array, largest: int) -> list[Support]:
    """Supports of sizes 1 to `largest`: each adds the column that lowers the residual sum of squares most.

    All columns are kept orthogonal to those chosen, so a step costs 4 n p flops (Hastie, Tibshirani and Friedman,
    The Elements of Statistical Learning, 3.3.2). Stops early where no column is left that is independent.
    """
    rest, residual = design.copy(), response.copy()
    floor = 1e-12 * np.sum(design**2, axis=0)
    chosen: list[int] = []
    supports: list[Support] = []
    for _ in range(min(largest, *design.shape)):
        power = np.sum(rest**2, axis=0)
        free = power > floor
        free[chosen] = False
        if not free.any():
            break
        gain = np.where(free, (rest.T @ residual) ** 2 / np.where(free, power, 1.0), -1.0)
        best = int(np.argmax(gain))
        chosen.append(best)
        supports.append(tuple(sorted(chosen)))
        direction = rest[:, best] / np.sqrt(power[best])
        residual -= direction * (direction @ residual)
        rest -= np.outer(direction, direction @ rest)
    return supports


def hard_thresholding(design: Array, response: Array, size: int, steps: int = 100, tolerance: float = 1e-4) -> Array:
    """k-sparse coefficients [p] by normalised iterative hard thresholding (Blumensath and Davies 2010).

    A gradient step, then the `size` largest entries are kept. The step is the exact line search on the present
    support; where the support changes it is halved until the residual cannot grow, as in the paper. Stops when no entry
    moves by more than `tolerance` times the largest, or after `steps`.
    """
    beta = np.zeros(design.shape[1])
    moment = design.T @ response
    support = _largest(moment, size)
    for _ in range(steps):
        at = np.flatnonzero(beta)
        gradient = moment if not len(at) else design.T @ (response - design[:, at] @ beta[at])
        along = gradient[support]
        image = design[:, support] @ along
        if not image.any():
            break
        step = float(along @ along) / float(image @ image)
        new, new_support = _thresholded(beta + step * gradient, size)
        while not np.array_equal(new_support, support) and step > _longest(design, beta, new):
            step /= 2
            new, new_support = _thresholded(beta + step * gradient, size)
        moved = np.max(np.abs(new - beta))
        beta, support = new, new_support
        if moved <= tolerance * np.max(np.abs(beta)):
            break
    return beta


def thresholding_path(design: Array, response: Array, largest: int) -> list[Support]:
    """Supports that normalised iterative hard thresholding from zero finds for k = 1 to `largest`."""
    found = (hard_thresholding(design, response, k) for k in range(1, largest + 1))
    return [tuple(np.flatnonzero(beta).tolist()) for beta in found]


def _validation_errors(regression: Regression, candidates: Array, support: Support | None = None) -> Array:
    """Mean squared validation errors of candidates [p, c], zero off `support` where that is given."""
    at = slice(None) if support is None else list(support)
    predicted = regression.validation_design[:, at] @ candidates[at]
    return np.asarray(np.mean((regression.validation_response[:, None] - predicted) ** 2, axis=0))


def _largest(vector: Array, size: int) -> NDArray[np.int64]:
    """Sorted places of the `size` entries of largest size."""
    return np.sort(np.argpartition(-np.abs(vector), size - 1)[:size])


def _thresholded(vector: Array, size: int) -> tuple[Array, NDArray[np.int64]]:
    support = _largest(vector, size)
    kept = np.zeros_like(vector)
    kept[support] = vector[support]
    return kept, support


def _longest(design: Array, old: Array, new: Array) -> float:
    """The longest step for which the move from `old` to `new` surely does not raise the residual."""
    move = new - old
    at = np.flatnonzero(move)
    image = design[:, at] @ move[at]
    return 0.99 * float(move @ move) / max(float(image @ image), np.finfo(float).tiny)
