"""Linear algebra of the amplitude space: the Gram matrix G(a) and the Newton system of one number a neuron."""

from __future__ import annotations

import torch
from torch import Tensor


def gram_factor(rows: Tensor, amplitudes: Tensor, shift: Tensor) -> Tensor:
    """Lower Cholesky factor [R, p, p] of shift I + sum_k a_k x_k x_k'; rows [R, K, p], amplitudes [R, K], shift [R]."""
    gram = rows.mT @ (amplitudes[..., None] * rows)
    gram.diagonal(dim1=-2, dim2=-1).add_(shift[:, None])
    return torch.linalg.cholesky_ex(gram)[0]


def solve_right(left: Tensor, factor: Tensor) -> Tensor:
    """left G^-1 [R, q, p] from the Cholesky factor of G."""
    return torch.cholesky_solve(left.mT, factor).mT


def overlaps(rows: Tensor, u: Tensor, factor: Tensor) -> Tensor:
    """(U U') o (X G^-1 X') [R, K, K]: inner products of the atoms u_k x_k' weighted with G^-1."""
    half = torch.linalg.solve_triangular(factor, rows.mT, upper=False)
    return (u @ u.mT).mul_(half.mT @ half)


SMALL = 100  # up to this width the direct system costs no more, and is the more accurate near the end


class AmplitudeSystem:
    """((U U') o (X G^-1 X') + diag(d)) y = r, factorised once and solved for several r.

    The first term is J J' with rows J_k = u_k (x) G^-1/2 x_k in R^pq. Where pq is well below K the system is solved in
    R^pq (Woodbury) with one step of iterative refinement, because d spans many orders of magnitude near the solution.
    """

    def __init__(self, rows: Tensor, u: Tensor, factor: Tensor, diagonal: Tensor) -> None:
        width, p = rows.shape[1:]
        self.diagonal = diagonal
        self.low_rank = width > SMALL and p * u.shape[-1] < 0.8 * width
        if self.low_rank:
            half = torch.linalg.solve_triangular(factor, rows.mT, upper=False).mT
            self.atoms = (u[..., :, None] * half[..., None, :]).flatten(-2)
            inner = self.atoms.mT @ (self.atoms / diagonal[..., None])
            inner.diagonal(dim1=-2, dim2=-1).add_(1)
            self.factor = torch.linalg.cholesky_ex(inner)[0]
        else:
            matrix = overlaps(rows, u, factor)
            # keeps dependent atoms factorisable, and weighs less than the slack of any column until 1e-14
            matrix.diagonal(dim1=-2, dim2=-1).mul_(1 + 1e-14).add_(diagonal)
            self.factor = torch.linalg.cholesky_ex(matrix)[0]

    def solve(self, right: Tensor) -> Tensor:
        """y [R, K] for right [R, K]."""
        if not self.low_rank:
            return torch.cholesky_solve(right[..., None], self.factor)[..., 0]
        first = self._woodbury(right)
        back = self.diagonal * first + (self.atoms @ (self.atoms.mT @ first[..., None]))[..., 0]
        return first + self._woodbury(right - back)

    def _woodbury(self, right: Tensor) -> Tensor:
        inner = self.atoms.mT @ (right / self.diagonal)[..., None]
        return (right - (self.atoms @ torch.cholesky_solve(inner, self.factor))[..., 0]) / self.diagonal
