"""L1 with a factor for every weight: L1 where all are one, and entry by entry where they differ."""

from __future__ import annotations

import pytest
import torch
from draws import STRENGTH, draw, steps_of

from sparsenn_core.errors import InputError
from sparsenn_core.penalties import L1, WeightedL1

FACTORS = {k: w.abs() for k, w in draw("factors", zeros=False).items()}


def test_with_factors_of_one_it_is_l1() -> None:
    params, grad = draw(), draw("grad", zeros=False)
    ones = WeightedL1(STRENGTH, factors={k: torch.ones_like(w) for k, w in params.items()})
    plain = L1(STRENGTH)
    torch.testing.assert_close(ones.value(params), plain.value(params))
    torch.testing.assert_close(ones.prox(params, steps_of()), plain.prox(params, steps_of()))
    torch.testing.assert_close(ones.residual(params, grad), plain.residual(params, grad))


def test_it_acts_on_every_weight_by_its_own_factor() -> None:
    params, steps, grad = draw(), steps_of(), draw("grad", zeros=False)
    penalty = WeightedL1(STRENGTH, factors=FACTORS)
    moved, worst, value = penalty.prox(params, steps), torch.zeros(3), torch.zeros(3)
    for r in range(3):
        for k, w in params.items():
            for place in torch.cartesian_prod(*(torch.arange(n) for n in w.shape[1:])).reshape(-1, w.ndim - 1).tolist():
                at = (r, *place)
                pull, here = float(STRENGTH[r] * FACTORS[k][at]), float(w[at])
                value[r] += pull * abs(here)
                kept = max(abs(here) - pull * float(steps[k][at]), 0.0) * (1 if here > 0 else -1)
                assert float(moved[k][at]) == pytest.approx(kept, abs=1e-12)
                g = float(grad[k][at])
                slope = max(abs(g) - pull, 0.0) if here == 0 else abs(g + pull * (1 if here > 0 else -1))
                worst[r] = max(worst[r], slope)
    torch.testing.assert_close(penalty.value(params), value.double(), rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(penalty.residual(params, grad), worst.double(), rtol=1e-5, atol=1e-6)


def test_it_is_selected_with_its_runs() -> None:
    params = draw()
    penalty = WeightedL1(STRENGTH, factors=FACTORS).strengths(3, params["a.bias"])
    some = penalty.select(torch.tensor([2, 0]))
    torch.testing.assert_close(some.value({k: w[[2, 0]] for k, w in params.items()}), penalty.value(params)[[2, 0]])


def test_reweighting_pays_less_for_large_weights() -> None:
    params = {"w": torch.tensor([[0.0, 0.1, -1.9]], dtype=torch.float64)}
    penalty = WeightedL1.reweighted(params, 1.0, 0.1)
    torch.testing.assert_close(penalty.factors["w"], torch.tensor([[1.0, 0.5, 0.05]], dtype=torch.float64))


@pytest.mark.parametrize(
    ("factors", "said"),
    [
        ({}, "needs factors="),
        ({"a.wieght": torch.ones(3, 4, 3)}, "a.weight"),
        ({"a.weight": torch.ones(3, 4)}, r"the factors of a.weight are \[4\], the parameter \[4, 3\]"),
    ],
)
def test_factors_that_do_not_fit_are_refused(factors: dict[str, torch.Tensor], said: str) -> None:
    with pytest.raises(InputError, match=said):
        WeightedL1(1.0, factors=factors).value(draw())


def test_a_width_of_zero_is_refused() -> None:
    with pytest.raises(InputError, match="width of a reweighted L1"):
        WeightedL1.reweighted(draw(), 1.0, 0.0)
