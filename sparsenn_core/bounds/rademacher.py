"""How much of an upper bound is true: lower bounds on the complexity R_vec of the same class, by search.

R_vec = (1/n) E sup_w sum_i sum_c xi_ic f_c(x_i) over networks with rho(w) <= 1, xi independent signs. For every draw of
the signs, any weights give a lower bound on the supremum: the correlation with the signs over rho. Hidden weights are
found by gradient ascent, the best last layer is known in closed form.
"""

from __future__ import annotations

import math
from dataclasses import replace

import pandas as pd
import torch
from torch import Tensor, nn

from sparsenn_core.bounds import products, sparse
from sparsenn_core.bounds.chain import Chain
from sparsenn_core.bounds.measured import LayerNorms, Measured, measure
from sparsenn_core.errors import InputError
from sparsenn_core.networks import Reading
from sparsenn_core.randomness import generator

FAMILIES = {
    "sparse, refined": sparse.refined_kappa,
    "sparse, plain": sparse.plain_kappa,
    "formula of the study's code": sparse.study_kappa,
    "theorem as recalled": sparse.recalled_kappa,
    "Golowich et al.": products.golowich_kappa,
    "Golowich et al., row sums": products.row_kappa,
    "Neyshabur et al.": products.neyshabur_kappa,
}
"""log kappa, an upper bound on R_vec where rho <= 1, by the name of the bound."""


def rademacher_lower(
    model: nn.Module,
    x: Tensor,
    *,
    draws: int = 20,
    steps: int = 40,
    learning_rate: float = 0.1,
    seed: int = 0,
) -> pd.DataFrame:
    """For each bound and draw of the signs, what the search found and what the bound says: bound, draw, lower, upper.

    The mean of `lower` over draws is, but for the draws' scatter, below R_vec of networks of the model's shape with rho
    at most 1; `upper` (kappa) is above if the bound is right. Each search looks at pass-through kernels, with one entry
    of 1 a layer, and then climbs from random positive ones. The model's weights do not matter. Cost:
    draws * steps passes forward and backward over x.
    """
    y = torch.arange(len(x)) % 2
    m = measure(model, x, y, margin=1.0, delta=0.5)
    reason = m.network.uncovered(hidden=1)
    if reason:
        raise InputError(f"no class to search: {reason}")
    upper = {name: math.exp(kappa(m)) for name, kappa in FAMILIES.items()}
    rows = []
    for draw in range(draws):
        signs = _signs(m, draw, seed)
        found = _searched(m.network, x, signs, steps, learning_rate, generator(seed, "start", draw))
        rows += [{"bound": name, "draw": draw, "lower": found[name], "upper": upper[name]} for name in FAMILIES]
    return pd.DataFrame(rows)


def _signs(m: Measured, draw: int, seed: int) -> Tensor:
    drawn = torch.randint(2, (m.n, m.classes), generator=generator(seed, "signs", draw))
    return (2 * drawn - 1).double()


def _searched(
    network: Chain, x: Tensor, signs: Tensor, steps: int, rate: float, draw: torch.Generator
) -> dict[str, float]:
    """The largest correlation over rho, for each family, that a search met."""
    shapes = [layer.weight.shape for layer in network.layers[:-1]]
    best, _ = _met(network, x, signs, [_passing(shape) for shape in shapes])
    # positive kernels keep what passes relu
    weights = [torch.rand(shape, generator=draw, dtype=torch.float64).requires_grad_() for shape in shapes]
    optimizer = torch.optim.Adam(weights, lr=rate)
    for step in range(steps + 1):
        with torch.enable_grad():
            found, climbed = _met(network, x, signs, weights)
        best = {name: max(best[name], found[name]) for name in FAMILIES}
        if step < steps:
            optimizer.zero_grad()
            (-climbed).backward()
            optimizer.step()
    return best


def _met(network: Chain, x: Tensor, signs: Tensor, weights: list[Tensor]) -> tuple[dict[str, float], Tensor]:
    """The correlation over rho by family at these weights, scaled to norm 1, and the logarithm that is climbed."""
    unit = [w / w.norm() for w in weights]
    features = _features(network, unit, x.double())
    by_node, by_row = _correlations(network, features, signs)
    climbed = (by_node.max() * by_row.max()).clamp_min(1e-300).log()
    sums = signs.T @ features.detach() / len(features)
    nodes, rows = float(by_node.detach().max()), float(by_row.detach().max())
    return _over_rho(network, unit, sums, nodes, rows), climbed


def _passing(shape: torch.Size) -> Tensor:
    single = torch.zeros(shape, dtype=torch.float64)
    single.view(-1)[0] = 1.0
    return single


def _features(network: Chain, unit: list[Tensor], x: Tensor) -> Tensor:
    """What the last layer sees [n, features], with these hidden weights."""
    layers = tuple(replace(one, weight=w) for one, w in zip(network.layers[:-1], unit, strict=True))
    return Reading(layers, network.reading.of)(x)


def _correlations(network: Chain, features: Tensor, signs: Tensor) -> tuple[Tensor, Tensor]:
    """(1/n) || sum_i xi_ic z(x_i) || for each output: by node [C, nodes], and of all nodes as one row [C]."""
    shape = network.nodes(network.depth - 1)
    sums = signs.T @ features / len(features)
    return sums.reshape(len(sums), shape[0], -1).norm(dim=1), sums.norm(dim=1)


def _over_rho(network: Chain, unit: list[Tensor], sums: Tensor, by_node: float, by_row: float) -> dict[str, float]:
    """The correlation of the best last layer over rho, for each family; hidden kernels have Frobenius norm 1."""
    pairs = zip(network.layers[:-1], unit, strict=True)
    maps = [LayerNorms(replace(one, weight=w.detach()), None) for one, w in pairs]
    by_product = by_row / math.prod(one.frobenius for one in maps)
    return {
        "sparse, refined": by_node,
        "sparse, plain": by_row,
        # one Frobenius norm for the whole head
        "formula of the study's code": float(sums.norm()),
        "theorem as recalled": float(sums.norm()),
        "Golowich et al.": by_product,
        "Golowich et al., row sums": float(sums.abs().max(1).values.sum()) / math.prod(one.one_inf for one in maps),
        "Neyshabur et al.": by_product,
    }
