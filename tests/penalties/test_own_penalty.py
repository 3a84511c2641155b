"""A penalty that a user writes: from its value alone, with fields that differ by run."""

from dataclasses import dataclass, field

import pytest
import torch
from draws import STRENGTH, R, draw
from torch import Tensor

from sparsenn_core import Data, Ensemble
from sparsenn_core.errors import InputError
from sparsenn_core.networks import MLP
from sparsenn_core.penalties import L1, Penalty, SquaredL2, per_run, sum_runs
from sparsenn_core.randomness import generator
from sparsenn_core.training import SGD, Adam, ProximalSGD, fit


@dataclass(frozen=True)
class Square(Penalty):
    """What SquaredL2 is, from its value alone."""

    smooth = True

    def value(self, params):
        return self.strength * sum(sum_runs(w**2) for _, w in self.covered(params))


@dataclass(frozen=True)
class Sharp(Penalty):
    """What L1 is, with nothing said but its value."""

    def value(self, params):
        return self.strength * sum(sum_runs(w.abs()) for _, w in self.covered(params))


@dataclass(frozen=True)
class ByLayer(Penalty):
    """A strength for each parameter and run."""

    strengths_of: dict[str, Tensor | float] = field(default_factory=dict)
    offsets: Tensor | None = None
    smooth = True
    per_run_fields = ("strengths_of",)
    shared_fields = ("offsets",)

    def value(self, params):
        own = ((k, w, self.strengths_of[k]) for k, w in self.covered(params) if k in self.strengths_of)
        return sum(sum_runs(per_run(s, w) * w**2) for _, w, s in own)


@dataclass(frozen=True)
class Unsaid(Penalty):
    """Holds a tensor and does not say whether it differs by run."""

    scales: object = None

    def value(self, params):
        return sum_runs(params["a.bias"])


def problem(seeds):
    ensemble = Ensemble.of(lambda g: MLP([3, 4, 1], "tanh", generator=g).double(), seeds)
    x = torch.randn(20, 3, generator=generator(0, "data"), dtype=torch.float64)
    return ensemble, Data.shared(x, x[:, :1] * x[:, 1:2])


@pytest.mark.parametrize("optimizer", [SGD(0.05), Adam(0.01)])
@pytest.mark.parametrize(("own", "known"), [(Square, SquaredL2), (Sharp, L1)])
def test_the_value_alone_trains_as_the_known_penalty_does(own, known, optimizer):
    ensemble, data = problem(range(R))
    mine, theirs = (
        fit(ensemble, data, optimizer=optimizer, epochs=30, penalty=kind(STRENGTH, weights_only=True)).ensemble.params
        for kind in (own, known)
    )
    torch.testing.assert_close(mine, theirs, rtol=1e-12, atol=1e-12)


def test_gradient_and_residual_follow_from_the_value_where_it_is_smooth():
    params, grad = draw(), draw("gradient")
    mine, known = Square(STRENGTH, only=("a.weight",)), SquaredL2(STRENGTH, only=("a.weight",))
    with torch.no_grad():
        torch.testing.assert_close(mine.gradient(params), known.gradient(params))
        torch.testing.assert_close(mine.residual(params, grad), known.residual(params, grad))


def test_fields_by_run_go_with_their_runs():
    strengths = {"layers.0.weight": STRENGTH, "layers.1.weight": 0.5}
    ensemble, data = problem(range(R))
    penalty = ByLayer(0.0, strengths_of=strengths, offsets=torch.ones(R))
    together = fit(ensemble, data, optimizer=SGD(0.05), epochs=20, penalty=penalty).ensemble.params
    for r in range(R):
        alone = ByLayer(0.0, strengths_of={k: float(torch.as_tensor(s).expand(R)[r]) for k, s in strengths.items()})
        serial = fit(ensemble.select([r]), data, optimizer=SGD(0.05), epochs=20, penalty=alone).ensemble.params
        torch.testing.assert_close({k: w[r : r + 1] for k, w in together.items()}, serial, rtol=1e-12, atol=1e-12)


def test_select_takes_what_differs_by_run_and_leaves_the_rest():
    penalty = ByLayer(STRENGTH, strengths_of={"a.bias": STRENGTH, "b.weight": 0.5}, offsets=torch.arange(3.0))
    chosen = penalty.strengths(R, STRENGTH).select(torch.tensor([2, 0]))
    assert chosen.strength.tolist() == [1.1, 0.3]
    assert chosen.strengths_of["a.bias"].tolist() == [1.1, 0.3]
    assert chosen.strengths_of["b.weight"].tolist() == [0.5, 0.5]
    assert chosen.offsets.tolist() == [0.0, 1.0, 2.0]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Sharp(1.0).residual(draw(), draw()), "Sharp has no residual: write residual"),
        (lambda: Sharp(1.0).gradient(draw()), "Sharp is not smooth"),
        (lambda: Sharp(1.0).prox(draw(), 0.1), "Sharp has no closed-form prox; train it with SGD or Adam"),
        (lambda: Penalty(1.0).value(draw()), "Penalty does not say its value"),
        (lambda: Unsaid(1.0, torch.ones(R)).strengths(R, STRENGTH), r"scales holds a tensor; .*per_run_fields"),
        (lambda: Unsaid(1.0, {"a": torch.ones(R)}).select(torch.tensor([0])), "scales holds a tensor"),
        (lambda: Unsaid(1.0, L1(STRENGTH)).select(torch.tensor([0])), "scales holds a tensor"),
        (lambda: ByLayer(1.0, {"a.bias": torch.ones(2)}).strengths(R, STRENGTH), r"strengths_of\['a.bias'\] has 2 ent"),
        (lambda: fit(*problem([0, 1]), optimizer=ProximalSGD(0.1), epochs=1, penalty=Square(1.0)), "no closed-form"),
    ],
)
def test_refusals(make, message):
    with pytest.raises(InputError, match=message):
        make()


def test_plain_fields_and_single_numbers_need_no_word():
    assert Unsaid(1.0, ("text", 2.0)).select(torch.tensor([0])).scales == ("text", 2.0)
    assert Unsaid(1.0, torch.tensor(2.0)).strengths(R, STRENGTH).scales == 2.0
