"""Newton's method for the penalised problem on s columns that are in use, in their amplitudes and directions.

With v_k = a_k u_k the optimum on its support solves, for amplitudes a > 0 and U [D, s],

    lambda U + (a U) C = Psi Phi',    ||u_k|| = 1,    C = Phi Phi' [s, s].

Eliminating U leaves (U U') o T in the scaled amplitudes, o the entrywise product, T = R C R (lambda I + R C R)^-1 and
R = diag(a)^1/2: the system of `newton_on_support`, at O(s^3) a step, or O(s^2 N) and s^3 / 3 where s > N. With one
output u_k is a sign and stays, and a step is one system with matrix C.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import lapack

from sparsenn_core.lasso.gram_matrix import GramMatrix, among

Array = NDArray[np.float64]
STEPS = 12  # quadratic convergence takes 2 to 5 from the right support
EXACT = 2e-14  # error of the norms that rounding may leave
CLOSE = 1e-2  # error from which on columns may join: further off, too many would
JOINS = 1e-12  # excess of a norm over 1 that is no rounding
SHIFT = 1e-12  # for dependent atoms, where any optimum will do


def newton_on_columns(gram: Array, rows: Array | None, pull: Array, penalty: float, coef: Array) -> Array:
    """V [D, n] from a guess `coef` [D, n], beginning with its nonzero columns.

    A column whose amplitude turns negative leaves; one whose pull exceeds lambda joins, with what a step of coordinate
    descent gives it. gram [n, n] = C; `rows` [n, N] are the features where N is less than the columns in use, which
    saves time, else None; `pull` [D, n] = (Psi - coef Phi) Phi', computed on the data: what rounding C suffers then
    enters only through the change of V. Given up where the error has not halved in two steps; the caller's certificate
    judges.
    """
    inside = np.flatnonzero(coef.any(0))
    amplitudes = np.sqrt((coef[:, inside] ** 2).sum(0))
    outward = np.sign(coef[:, inside]) if len(coef) == 1 else pull[:, inside] / penalty
    change, errors = _change(coef, inside, amplitudes * outward), [np.inf, np.inf]
    for _ in range(STEPS):
        pulls = pull - change @ gram
        miss, slack, error = _errors(pulls[:, inside], outward, penalty)
        norms = np.sqrt((pulls**2).sum(0)) / penalty
        norms[inside] = 0.0
        joins = np.flatnonzero(norms > 1 + JOINS) if error < CLOSE else inside[:0]
        if len(joins):
            inside, unit = np.concatenate([inside, joins]), pulls[:, joins] / (penalty * norms[joins])
            amplitudes = np.concatenate([amplitudes, (norms[joins] - 1) * penalty / gram.diagonal()[joins]])
            outward = np.concatenate([outward, unit], axis=1)
            change, errors = _change(coef, inside, amplitudes * outward), [np.inf, np.inf]
            miss, slack, _ = _errors((pull - change @ gram)[:, inside], outward, penalty)
        elif error < EXACT or not error < errors[-2] / 2:
            break
        else:
            errors.append(error)
        inner = among(gram, inside)
        if len(coef) == 1:
            step = _step_between_signs(inner, outward, miss)
        else:
            step = _step(inner, None if rows is None else rows[inside], penalty, amplitudes, outward, slack, miss)
        if step is None:
            break
        moved, turned = amplitudes + step[0], outward + step[1]
        stays = moved > 0
        if not stays.any():
            break
        inside, amplitudes, outward = inside[stays], moved[stays], turned[:, stays]
        change = _change(coef, inside, amplitudes * outward)
    return coef + change


def _errors(pulls: Array, outward: Array, penalty: float) -> tuple[Array, Array, float]:
    """What is missing in both equations, [D, s] and [s], and its largest size over lambda."""
    miss = pulls - penalty * outward
    slack = (1 - (outward**2).sum(0)) / 2
    return miss, slack, float(max(np.abs(slack).max(), np.sqrt((miss**2).sum(0).max()) / penalty))


def _change(coef: Array, inside: NDArray[np.int64], values: Array) -> Array:
    """What has to be added to `coef` [D, n] to have `values` in the columns inside and zero elsewhere."""
    change = -coef
    change[:, inside] += values
    return change


def _step_between_signs(gram: Array, outward: Array, miss: Array) -> tuple[Array, Array] | None:
    """The step of one output, where U = +-1 stays; the Gram matrix is overwritten."""
    solved = _solved(gram, miss[0])
    return None if solved is None else (solved * outward[0], np.zeros_like(outward))


def _step(
    gram: Array, rows: Array | None, penalty: float, amplitudes: Array, outward: Array, slack: Array, miss: Array
) -> tuple[Array, Array] | None:
    """Newton's step (da [s], dU [D, s]), or None where a system is not positive definite to rounding."""
    root = np.sqrt(amplitudes)
    share = _share_of_gram(gram, root, penalty) if rows is None else _share_of_rows(rows * root[:, None], penalty)
    if share is None:
        return None
    # dU = (miss - (da U) C) (lambda I + A C)^-1, where that inverse is R (I - T) R^-1 / lambda
    scaled = miss * root
    free = (scaled - scaled @ share) / (penalty * root)
    system = outward.T @ outward
    system *= share
    solved = _solved(system, ((outward * free).sum(0) - slack) * root)
    if solved is None:
        return None
    return root * solved, free - ((outward * solved) @ share) / root


def _share_of_rows(rows: Array, penalty: float) -> Array | None:
    """T [s, s] = Z Z' (lambda I + Z Z')^-1 for Z = R Phi [s, N]."""
    small = rows.T @ rows
    small.flat[:: len(small) + 1] += penalty
    # symmetric: the transpose is in LAPACK's order and needs no copy
    factor, failed = lapack.dpotrf(small.T, lower=1, overwrite_a=1)
    half, _ = lapack.dtrtrs(factor, rows.T, lower=1)
    return None if failed else half.T @ half


def _share_of_gram(gram: Array, root: Array, penalty: float) -> Array | None:
    """The same from C = Phi Phi', which is overwritten."""
    gram *= root[:, None]
    gram *= root
    diagonal = len(root) + 1
    gram.flat[::diagonal] += penalty
    factor, failed = lapack.dpotrf(gram.T, lower=1, overwrite_a=1)
    if failed:
        return None
    inverse = lapack.dpotri(factor, lower=1, overwrite_c=1)[0]
    upper = np.triu(inverse.T)
    upper.flat[::diagonal] /= 2
    share = upper + upper.T
    share *= -penalty
    share.flat[::diagonal] += 1.0
    return share


def _solved(matrix: Array, right: Array) -> Array | None:
    """matrix^-1 right, by Cholesky's factor after scaling to a unit diagonal, refined once; scales `matrix`."""
    scale = 1 / np.sqrt(np.maximum(matrix.diagonal(), 1e-300))
    matrix *= scale[:, None]
    matrix *= scale
    right = right * scale
    matrix.flat[:: len(scale) + 1] += SHIFT
    factor, solved, failed = lapack.dposv(matrix.T, right, lower=1)
    if failed:
        return None
    matrix.flat[:: len(scale) + 1] -= SHIFT
    more, _ = lapack.dpotrs(factor, right - matrix @ solved, lower=1)
    return scale * (solved + more)


def step_cost(count: int, samples: int, outputs: int) -> float:
    """Multiply-adds of a step on so many columns, in those of sweeps."""
    if outputs == 1:
        return GramMatrix.factor_cost(count)
    return GramMatrix.factor_cost(count) + count**2 / 2 * min(count, samples)
