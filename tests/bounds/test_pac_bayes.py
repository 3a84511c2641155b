"""The PAC-Bayes bound: the inverse of kl, the price of the grid, and a bound below one."""

from __future__ import annotations

import copy
import math

import pytest
import torch
from bound_networks import digits, filled
from torch import nn

from sparsenn_core import bounds
from sparsenn_core.bounds.pac_bayes import GRID, _divergence
from sparsenn_core.errors import InputError


def coin_kl(q: float, p: float) -> float:
    inner = q * math.log(q / p) if q else 0.0
    return inner + ((1 - q) * math.log((1 - q) / (1 - p)) if q < 1 else 0.0)


@pytest.mark.parametrize("rate", [0.0, 1e-6, 0.03, 0.5, 0.9])
@pytest.mark.parametrize("budget", [1e-6, 0.01, 0.5, 4.0])
def test_the_inverse_of_kl_spends_the_budget(rate: float, budget: float) -> None:
    above = bounds.kl_inverse(rate, budget)
    assert rate < above <= 1
    # next to 1 the budget is no longer told apart in floating point
    assert above > 1 - 1e-12 or coin_kl(rate, above) == pytest.approx(budget, rel=1e-6)


def test_the_inverse_of_kl_at_its_ends() -> None:
    assert bounds.kl_inverse(0.2, 0.0) == 0.2
    assert bounds.kl_inverse(1.0, 3.0) == 1.0
    assert bounds.kl_inverse(0.5, 500.0) <= 1.0
    with pytest.raises(InputError, match="budget"):
        bounds.kl_inverse(0.5, -1.0)


def test_the_divergence_of_one_tensor_is_that_of_gaussians_plus_the_grid() -> None:
    mean, spread = torch.tensor([0.5, -0.2], dtype=torch.float64), torch.tensor([-1.0, -2.0], dtype=torch.float64)
    prior = torch.zeros(2, dtype=torch.float64)
    slow = min(
        float(
            torch.distributions.kl_divergence(
                torch.distributions.Normal(mean, spread.exp()),
                torch.distributions.Normal(prior, torch.full((2,), math.exp(j / 10), dtype=torch.float64)),
            ).sum()
        )
        for j in GRID
    )
    assert _divergence(mean, spread, prior) == pytest.approx(slow + math.log(len(GRID)))


def small_trained() -> tuple[nn.Sequential, nn.Sequential]:
    """A network of 68 weights before and after training on zeros and ones."""
    start = filled(nn.Sequential(nn.Flatten(), nn.Linear(64, 1, bias=False)).double())
    network = copy.deepcopy(start)
    return start, network


def test_a_linear_classifier_gets_a_bound_below_one_that_holds() -> None:
    x, y = digits()
    keep = y < 2
    x, y = x[keep], y[keep]
    start, network = small_trained()
    optimizer = torch.optim.Adam(network.parameters(), lr=0.01)
    for _ in range(100):
        optimizer.zero_grad()
        nn.functional.softplus(-bounds.margins(network(x[:200]), y[:200])).mean().backward()
        optimizer.step()
    how = bounds.PacBayes(steps=150, draws=100)
    frame = bounds.table(network, x[:200], y[:200], margin=1.0, delta=0.05, reference=start, posterior=how)
    row = frame.set_index("bound").loc["PAC-Bayes, optimised"]
    # non-vacuous, and above the error on the samples that were kept back
    assert row["empirical"] < row["total"] < 0.6
    kept = float((bounds.margins(network(x[200:]), y[200:]) <= 0).double().mean())
    assert row["total"] > kept
    again = bounds.table(network, x[:200], y[:200], margin=1.0, delta=0.05, reference=start, posterior=how)
    assert again["total"].iloc[-1] == row["total"]
    assert row["not_covered"] == ""


def test_few_draws_are_paid_for() -> None:
    x, y = digits(60)
    _, network = small_trained()
    few, many = (
        bounds.pac_bayes(network, x, y % 2, margin=1.0, delta=0.05, how=bounds.PacBayes(steps=0, draws=n))
        for n in (2, 200)
    )
    assert many.total < few.total <= 1


def test_settings_that_cannot_be_are_refused() -> None:
    x, y = digits(7)
    with pytest.raises(InputError, match="7 samples are too few"):
        bounds.pac_bayes(small_trained()[1], x, y % 2, margin=1.0, delta=0.05)
    with pytest.raises(InputError, match="draws must be 1 or more"):
        bounds.PacBayes(draws=0)
