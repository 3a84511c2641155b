"""A PAC-Bayes bound, optimised: the error of a classifier that draws its weights anew for every sample.

For a prior P fixed before the data, with probability 1 - delta, for all posteriors Q at once,

    kl(err_S(Q) || err_P(Q)) <= (KL(Q || P) + log(2 sqrt n / delta)) / n          (Maurer 2004; recalled)

Q is Gaussian with a mean and a spread for every weight; P is Gaussian around the reference (or zero), with one spread a
tensor from a fixed grid, over which a union bound is taken. Mean and spreads are optimised, as Dziugaite and Roy (2017)
do, here on a smooth form of the bound. err_S(Q) is estimated from draws, whose own confidence is paid for.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import torch
from scipy.optimize import brentq
from torch import Tensor, nn

from sparsenn_core.bounds.margins import checked_labels, margins, margins_of
from sparsenn_core.errors import InputError
from sparsenn_core.networks import Layer, Reading, reading
from sparsenn_core.randomness import generator

GRID = range(-200, 101)
"""Spreads of the prior are exp(j / 10) for these j: from 2e-9 to 2e4."""
LEAST = 8  # samples, for which Maurer proves the factor 2 sqrt n
DRAWING = 0.1
"""Share of delta that pays for the finite number of draws."""
STEEPNESS = 2.0  # of the smooth error in margins over gamma: an error costs 1, a margin of gamma 0.18


@dataclass(frozen=True)
class PacBayes:
    """How the posterior is optimised: Adam `steps` on minibatches, then so many `draws` of networks to estimate its
    error. Cost: `steps` minibatches forward and backward and `draws` passes over the data.
    """

    steps: int = 400
    batch_size: int = 128
    learning_rate: float = 2e-3
    draws: int = 200
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("batch_size", "draws"):
            if getattr(self, name) < 1:
                raise InputError(f"PacBayes: {name} must be 1 or more, not {getattr(self, name)}")


@dataclass(frozen=True)
class Posterior:
    """What `pac_bayes` found: the `drawn` error of the posterior on the data, `divergence` KL(Q || P), and the bound
    `total` on its error on new samples.
    """

    drawn: float
    divergence: float
    total: float


def kl_inverse(rate: float, budget: float) -> float:
    """The largest p in [rate, 1] with kl(rate || p) <= budget, kl of two coins in nats."""
    if budget < 0 or not 0 <= rate <= 1:
        raise InputError(f"kl_inverse: rate {rate!r} must lie in [0, 1] and budget {budget!r} be 0 or more")
    if rate == 1 or budget == 0:
        return rate
    if rate == 0:
        return -math.expm1(-budget)
    constant = rate * math.log(rate) + (1 - rate) * math.log1p(-rate)

    def excess(q: float) -> float:
        """kl - budget, in terms of q = log(1 - p), so that p may come close to 1."""
        return constant - rate * math.log(-math.expm1(q)) - (1 - rate) * q - budget

    lowest = math.log1p(-rate) - (budget + 1) / (1 - rate) - 1  # there (1 - rate)(-q) alone exceeds the budget
    return -math.expm1(float(brentq(excess, lowest, math.log1p(-rate), xtol=1e-14)))


def pac_bayes(
    model: nn.Module,
    x: Tensor,
    y: Tensor,
    *,
    margin: float,
    delta: float,
    reference: nn.Module | None = None,
    how: PacBayes | None = None,
) -> Posterior:
    """The bound for a posterior that starts at the network's weights; `reference` must not have seen x and y."""
    how = how or PacBayes()
    if len(x) < LEAST:
        raise InputError(f"{len(x)} samples are too few for the PAC-Bayes bound; it needs at least {LEAST}")
    read = reading(model, x)
    y = checked_labels(y, read.layers[-1].outputs, len(x))
    centre = _weights(read) if reference is not None else None
    if reference is not None:
        centre = _weights(reading(reference, x))
    mean = [w.clone().requires_grad_() for w in _weights(read)]
    prior = [torch.zeros_like(w) for w in mean] if centre is None else centre
    if [p.shape for p in prior] != [w.shape for w in mean]:
        raise InputError("the reference has other layers than the network; give the network as it was initialized")
    spread = [
        torch.full_like(w, _first_spread(w.detach(), p)).log_().requires_grad_()
        for w, p in zip(mean, prior, strict=True)
    ]
    draw = generator(how.seed, "pac-bayes")
    _optimise(read, x, y, (mean, spread, prior), margin, math.log(2 * math.sqrt(len(x)) / delta), how, draw)
    divergence = sum(_divergence(*one) for one in zip(mean, spread, prior, strict=True))
    drawn = _drawn_error(read, x, y, mean, spread, how.draws, draw)
    error = kl_inverse(drawn, math.log(2 / (DRAWING * delta)) / how.draws)
    confidence = divergence + math.log(2 * math.sqrt(len(x)) / ((1 - DRAWING) * delta))
    return Posterior(drawn, divergence, kl_inverse(error, confidence / len(x)))


def _weights(read: Reading) -> list[Tensor]:
    return [p.detach() for layer in read.layers for p in (layer.weight, layer.bias) if p is not None]


def _first_spread(weight: Tensor, prior: Tensor) -> float:
    """Half of how far the weights moved, root mean square: where noise begins to hurt, in trials."""
    return max(1e-4, 0.5 * float((weight - prior).square().mean().sqrt()))


def _with_weights(read: Reading, weights: list[Tensor]) -> Reading:
    left = iter(weights)
    layers: list[Layer] = []
    for layer in read.layers:
        weight = next(left)
        layers.append(replace(layer, weight=weight, bias=None if layer.bias is None else next(left)))
    return Reading(tuple(layers), read.of)


def _sampled(read: Reading, mean: list[Tensor], spread: list[Tensor], draw: torch.Generator) -> Reading:
    noisy = [
        m + s.exp() * torch.randn(m.shape, generator=draw, dtype=m.dtype).to(m.device)
        for m, s in zip(mean, spread, strict=True)
    ]
    return _with_weights(read, noisy)


def _optimise(
    read: Reading,
    x: Tensor,
    y: Tensor,
    parts: tuple[list[Tensor], list[Tensor], list[Tensor]],
    gamma: float,
    confidence: float,
    how: PacBayes,
    draw: torch.Generator,
) -> None:
    """Adam on (sqrt(e + b) + sqrt b)^2, e a smooth error, b = (KL + confidence) / 2n (Perez-Ortiz et al. 2021)."""
    mean, spread, prior = parts
    rates = [{"params": mean, "lr": how.learning_rate}, {"params": spread, "lr": 10 * how.learning_rate}]
    optimizer = torch.optim.Adam(rates)
    with torch.enable_grad():
        for _ in range(how.steps):
            rows = torch.randint(len(x), (how.batch_size,), generator=draw)
            found = margins(_sampled(read, mean, spread, draw)(x[rows]), y[rows])
            smooth = nn.functional.softplus(-STEEPNESS * found / gamma).mean() / math.log(2)
            own = torch.stack([_smooth_divergence(*one) for one in zip(mean, spread, prior, strict=True)]).sum()
            half = (own + confidence) / (2 * len(x))
            loss = ((smooth + half).sqrt() + half.sqrt()).square()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()


def _smooth_divergence(mean: Tensor, spread: Tensor, prior: Tensor) -> Tensor:
    """KL with the best spread of the prior, whose square is the mean of spread^2 + (mean - prior)^2."""
    best = ((2 * spread).exp() + (mean - prior).square()).mean()
    return 0.5 * (best.log() - 2 * spread).sum()


def _divergence(mean: Tensor, spread: Tensor, prior: Tensor) -> float:
    """KL of one tensor for the best spread on the grid, and what the choice costs; in float64."""
    log_spread = spread.detach().double()
    second = float(((2 * log_spread).exp() + (mean.detach() - prior).double().square()).sum())
    count = mean.numel()
    own = min(0.5 * (second * math.exp(-j / 5) + count * j / 5) for j in GRID)
    return max(0.0, own - 0.5 * count - float(log_spread.sum())) + math.log(len(GRID))


@torch.no_grad()
def _drawn_error(
    read: Reading,
    x: Tensor,
    y: Tensor,
    mean: list[Tensor],
    spread: list[Tensor],
    draws: int,
    draw: torch.Generator,
) -> float:
    """The mean error over independent draws of the weights."""
    total = 0.0
    for _ in range(draws):
        network = _sampled(read, mean, spread, draw)
        # written so that an output that is not a number counts as an error
        total += 1 - float((margins_of(network, x, y) > 0).double().mean())
    return min(1.0, max(0.0, total / draws))
