"""Newton's method on the support: from an interior iterate to the optimum on its support, to rounding error.

On the boundary set E = {k : ||L x_k|| = 1} the optimum solves the square system L G(a) = B, ||L x_k||^2 = 1 in the
dual L and the amplitudes of E, all other amplitudes being zero. Newton's method on it converges quadratically. The
first guess of E compares amplitude with slack; a column whose amplitude turns negative leaves E, one whose norm
exceeds 1 joins it, and the certificate of the caller has the last word.
"""

from __future__ import annotations

import torch
from torch import Tensor

from sparsenn_core.lasso.amplitude_system import AmplitudeSystem, gram_factor, overlaps, solve_right
from sparsenn_core.lasso.interior import Iterate, Reduced

STEPS = 30
GRAM_SHIFT = 1e-9  # keeps G(a) definite where the support spans less than R^p; only the speed depends on it
SYSTEM_SHIFT = 1e-12  # the same for dependent atoms, where the optimum is a polytope and any point of it will do
NEAR = 0.9  # columns below this norm are not looked at; the certificate is
INDEPENDENT = 1e-11  # least eigenvalue of the normalised overlaps that counts as independence (1e-16 K is rounding)


def near_columns(problem: Reduced, found: list[Iterate]) -> tuple[Reduced, Tensor, Tensor, Tensor]:
    """The columns with ||L x_k|| near 1, as (problem, columns [R, m], amplitudes [R, m], dual [R, q, p])."""
    count, width, p = problem.rows.shape
    dual = torch.stack([one.dual for one in found])
    amplitudes = torch.zeros(count, width, dtype=dual.dtype)
    for i, one in enumerate(found):
        amplitudes[i, one.columns] = one.amplitudes
    norms = (problem.rows @ dual.mT).norm(dim=-1)
    keep = min(width, int((norms > NEAR).sum(-1).max()) + 1)
    columns = torch.topk(norms, keep, dim=-1).indices
    rows = problem.rows.gather(1, columns[..., None].expand(-1, -1, p))
    return Reduced(rows, problem.targets, problem.ridge), columns, amplitudes.gather(1, columns), dual


def first_support(problem: Reduced, amplitudes: Tensor, dual: Tensor) -> Tensor:
    """The amplitudes that a Newton step towards a_k s_k = 0 keeps, zero elsewhere.

    Close to the optimum that step changes the amplitudes in use hardly at all and sends the others to zero (Tapia's
    indicator): a test without a scale, needed because amplitudes in use may differ by many orders of magnitude.
    """
    u = problem.rows @ dual.mT
    norms = u.norm(dim=-1)
    slack = ((1 - norms) * (1 + norms) / 2).clamp_min(1e-16)
    factor = shifted_gram_factor(problem, amplitudes)
    miss = solve_right(problem.targets, factor) - dual
    positive = amplitudes.clamp_min(1e-300)
    system = AmplitudeSystem(problem.rows, u, factor, slack / positive)
    change = system.solve((u * (problem.rows @ miss.mT)).sum(-1) - slack)
    return amplitudes * (amplitudes + change > amplitudes / 2)


def newton_on_support(problem: Reduced, amplitudes: Tensor, dual: Tensor) -> tuple[Tensor, Tensor]:
    """Newton's method on the boundary set; returns (amplitudes [R, K], zero off the support, dual [R, q, p])."""
    amplitudes = first_support(problem, amplitudes, dual)
    boundary = amplitudes > 0
    for _ in range(STEPS):
        u = problem.rows @ dual.mT
        norms = u.norm(dim=-1)
        slack = (1 - norms) * (1 + norms) / 2
        boundary = boundary | (slack < -1e-12)
        if (slack * boundary).abs().max() < 4e-16 * problem.rows.shape[-1]:
            break
        da, dl = _newton(problem, amplitudes, dual, u, slack, boundary)
        # up to the first amplitude that would turn negative, which then leaves
        step = torch.where(da < 0, -amplitudes / da, torch.inf).amin(-1, keepdim=True).clamp(max=1)
        leaves = (da < 0) & (-amplitudes / da <= step) & (step < 1)
        amplitudes, dual = amplitudes + step * da, dual + step[..., None] * dl
        boundary = boundary & ~leaves
        amplitudes = torch.where(boundary, amplitudes.clamp_min(0), 0.0)
    return amplitudes, dual


def _newton(
    problem: Reduced, amplitudes: Tensor, dual: Tensor, u: Tensor, slack: Tensor, boundary: Tensor
) -> tuple[Tensor, Tensor]:
    rows = problem.rows
    factor = shifted_gram_factor(problem, amplitudes)
    stationarity = problem.targets - problem.ridge[:, None, None] * dual - (u * amplitudes[..., None]).mT @ rows
    miss = solve_right(stationarity, factor)
    matrix, scale = scaled_overlaps(rows, u, factor, boundary)
    matrix.diagonal(dim1=-2, dim2=-1).add_(SYSTEM_SHIFT)
    along = (u * (rows @ miss.mT)).sum(-1)
    right = torch.where(boundary, scale * (along - slack), 0.0)
    da = scale * torch.cholesky_solve(right[..., None], torch.linalg.cholesky_ex(matrix)[0])[..., 0]
    return da, miss - solve_right((u * da[..., None]).mT @ rows, factor)


def shifted_gram_factor(problem: Reduced, amplitudes: Tensor, shift: float = GRAM_SHIFT) -> Tensor:
    """Cholesky factor of G(a), shifted by `shift` of its mean diagonal so that it exists for every support.

    A ridge is shift enough; on top of a small one, `shift` would slow the steps where the support does not span R^p.
    """
    mass = (amplitudes * problem.rows.square().sum(-1)).sum(-1) / problem.rows.shape[-1]
    return gram_factor(
        problem.rows, amplitudes, problem.ridge + torch.where(problem.ridge > 0, 1e-15, shift) * mass + 1e-300
    )


def scaled_overlaps(rows: Tensor, u: Tensor, factor: Tensor, boundary: Tensor) -> tuple[Tensor, Tensor]:
    """Overlaps of the atoms of the boundary set, scaled to a unit diagonal, the identity elsewhere; and the scale."""
    matrix = overlaps(rows, u, factor)
    scale = torch.where(boundary, matrix.diagonal(dim1=-2, dim2=-1).clamp_min(1e-300).rsqrt(), 0.0)
    matrix = matrix * scale[..., :, None] * scale[..., None, :]
    matrix.diagonal(dim1=-2, dim2=-1).add_((~boundary).to(matrix.dtype))
    return matrix, scale


def independent_atoms(problem: Reduced, amplitudes: Tensor, dual: Tensor, boundary: Tensor) -> Tensor:
    """[R] whether the atoms u_k x_k' of the boundary set are linearly independent, hence the solution unique.

    Independence does not depend on G(a), in which overlaps are measured; the normalised overlaps have least
    eigenvalue above `INDEPENDENT` exactly if they stay positive definite when shifted down by it.
    """
    u = problem.rows @ dual.mT
    matrix, _ = scaled_overlaps(problem.rows, u, shifted_gram_factor(problem, amplitudes), boundary)
    matrix.diagonal(dim1=-2, dim2=-1).sub_(INDEPENDENT)
    return torch.linalg.cholesky_ex(matrix)[1] == 0
