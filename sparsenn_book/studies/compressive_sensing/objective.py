"""Best subset selection with random gates: the objective in closed form, its gradients, and its slow twin.

The coefficients are theta_j = w_j z_j with gates z_j that are 1 with probability gamma_j, independently. With
s_j = sum_i F_ij^2 the expectation of

    ||y - F theta||^2 + lambda0 ||theta||_0 + lambda1 ||theta||_1       (||theta||_0 counts open gates)

is ||y - F (w gamma)||^2 + sum_j [s_j w_j^2 gamma_j (1 - gamma_j) + lambda0 gamma_j + lambda1 gamma_j |w_j|], because
the gates' variance gamma (1 - gamma) is all that the mean misses. In each gamma_j alone it is linear, as the terms
w_j^2 gamma_j^2 cancel: some minimum lies at a vertex, where every gate is open or closed. There the objective is that
of best subset selection if lambda1 is 0, and of best subset selection with an L1 term if it is not. Source: Barth and
von Petersenn, arXiv 2509.15060, and the code beside it.
"""

from __future__ import annotations

from itertools import product

import torch
from torch import Tensor

from sparsenn_core.errors import InputError

MOST_GATES = 20  # 2^20 terms of the enumeration take seconds, each further gate doubles them


def expected_loss(
    design: Tensor, response: Tensor, w: Tensor, gamma: Tensor, lambda0: Tensor | float, lambda1: Tensor | float
) -> Tensor:
    """The expected objective [B] of B columns in closed form, a sum over samples.

    `design` F [n, p], `response` y [n], `w` and `gamma` [p, B], gamma in [0, 1]; `lambda0` and `lambda1` >= 0, one
    number or [B]. Costs one product of F with a [p, B] matrix.
    """
    power = design.square().sum(0)[:, None]
    residual = response[:, None] - design @ (w * gamma)
    variance = (power * w.square() * gamma * (1 - gamma)).sum(0)
    return residual.square().sum(0) + variance + lambda0 * gamma.sum(0) + lambda1 * (gamma * w.abs()).sum(0)


def enumerated_loss(
    design: Tensor, response: Tensor, w: Tensor, gamma: Tensor, lambda0: float, lambda1: float
) -> Tensor:
    """The same expectation of one column, w and gamma [p], as a sum over all 2^p states of the gates.

    `InputError` above 20 gates.
    """
    if len(w) > MOST_GATES:
        raise InputError(f"enumerated_loss: {len(w)} gates have 2^{len(w)} states; at most {MOST_GATES} gates")
    total = response.new_zeros(())
    for gates in product((0.0, 1.0), repeat=len(w)):
        z = w.new_tensor(gates)
        probability = torch.where(z > 0, gamma, 1 - gamma).prod()
        theta = w * z
        loss = (response - design @ theta).square().sum() + lambda0 * z.sum() + lambda1 * theta.abs().sum()
        total = total + probability * loss
    return total


def gradients(
    design: Tensor,
    transposed: Tensor,
    power: Tensor,
    response: Tensor,
    w: Tensor,
    gamma: Tensor,
    lambda0: Tensor,
    lambda1: Tensor,
) -> tuple[Tensor, Tensor]:
    """Exact gradients of `expected_loss` in w and gamma, each [p, B]; |w| has derivative 0 at 0.

    `design` [n, p] and `transposed` its transpose (stored apart, which makes the second product faster), `power` the
    s_j [p, 1], `lambda0` and `lambda1` [B]. With h = -2 F'r + lambda1 sign w + s w (1 - 2 gamma) they are
    gamma (h + s w) and w h + lambda0. Costs two products of F with a [p, B] matrix.
    """
    residual = torch.addmm(response[:, None], design, w * gamma, alpha=-1)
    h = torch.addmm(lambda1 * w.sign(), transposed, residual, alpha=-2)
    slope = power * w
    h.add_(slope).addcmul_(gamma, slope, value=-2)
    by_gamma = torch.addcmul(lambda0.expand_as(w), w, h)
    return h.add_(slope).mul_(gamma), by_gamma
