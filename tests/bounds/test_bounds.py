"""Values of the bounds: a fixture by hand, invariance, growth, order, and complexity searched from below."""

from __future__ import annotations

import math

import pandas as pd
import pytest
import torch
from bound_networks import conv_net, digits
from torch import Tensor, nn

from sparsenn_core import bounds
from sparsenn_core.bounds import counting, covering, families, products, sparse
from sparsenn_core.bounds.measured import measure

GOLDEN = {
    "formula of the study's code": 41.10074592,
    "theorem as recalled": 36.68566514,
    "sparse, refined": 57.16599598,
    "sparse, plain": 121.15711200,
    "Golowich et al.": 115.57186087,
    "Neyshabur et al.": 122.43121277,
    "Bartlett et al., fixed": 5894.25821581,
    "Bartlett et al., for all norms": 25829.88434812,
    "Graf et al., norms": 5725.79849053,
    "Graf et al., parameters": 205.70433424,
    "Ledent et al.": 82789.23238382,
    "Gonon et al., path norm": 45.49147529,
}


def by_hand() -> tuple[nn.Sequential, Tensor, Tensor]:
    """Four images of ones, a kernel of halves, two rows with one entry each."""
    network = nn.Sequential(nn.Conv2d(1, 1, 2, bias=False), nn.ReLU(), nn.Flatten(), nn.Linear(4, 2, bias=False))
    network = network.double()
    with torch.no_grad():
        network[0].weight.fill_(0.5)
        network[3].weight.copy_(torch.tensor([[1.0, 0, 0, 0], [0, 2, 0, 0]]))
    return network, torch.ones(4, 1, 3, 3, dtype=torch.float64), torch.tensor([0, 1, 0, 1])


def values(network: nn.Module, x: Tensor, y: Tensor, **options: object) -> pd.Series:
    options = {"margin": 1.0} | options
    frame = bounds.table(network, x, y, **options)  # type: ignore[arg-type]
    return frame.set_index("bound")["value"]


def test_the_fixture_by_hand() -> None:
    found = values(*by_hand())
    for name, value in GOLDEN.items():
        assert found[name] == pytest.approx(value, rel=1e-8), name


def test_the_fixtures_norms_by_hand() -> None:
    m = measure(*by_hand(), margin=1.0, delta=0.001)
    first, head = m.layers
    assert (first.spectral, first.frobenius, first.moved_rows, first.one_inf) == pytest.approx((1.5, 2, 4, 2))
    assert (head.spectral, head.moved_rows, first.moved_taps, first.moved_filters) == pytest.approx((2, 3, 2, 1))
    assert counting.path_norm(m.network) == pytest.approx(6)
    s = m.samples
    assert (s.pixel, s.patch, s.total, s.nodes, s.patches) == pytest.approx((4, 16, 36, 9, 4))
    assert math.exp(sparse.refined_kappa(m)) == pytest.approx(3.35482005, rel=1e-8)
    assert math.exp(sparse.plain_kappa(m)) == pytest.approx(7.35426480, rel=1e-8)


def test_rescaling_layers_changes_only_bounds_that_are_not_invariant() -> None:
    x, y = digits(40)
    network = conv_net(3, 3)
    before = values(network, x, y)
    with torch.no_grad():
        network[0].weight.mul_(4.0)
        network[2].weight.div_(4.0)
    after = values(network, x, y)
    changed = {"Bartlett et al., for all norms", "Long and Sedghi, shape"}
    for name in before.index[:-2]:
        assert (after[name] == pytest.approx(before[name], rel=1e-9)) == (name not in changed), name


@pytest.mark.parametrize("name", ["sparse, refined", "sparse, plain", "Golowich et al.", "Neyshabur et al."])
def test_kappa_falls_as_the_root_of_n(name: str) -> None:
    one = torch.rand(1, 1, 6, 6, dtype=torch.float64)
    kappa = bounds.FAMILIES[name]
    found = [
        kappa(measure(conv_net(2, 2, 6), one.expand(n, -1, -1, -1), torch.arange(n) % 2, margin=1.0, delta=0.1))
        for n in (16, 64)
    ]
    assert math.exp(found[0] - found[1]) == pytest.approx(2.0, rel=1e-12)


def test_the_sparse_bound_gains_on_golowich_with_depth() -> None:
    x, y = digits(30)
    ratios = []
    for depth in (1, 3, 5):
        network = conv_net(depth, 4)
        with torch.no_grad():
            for p in network.parameters():
                p.div_(p.norm())
        m = measure(network, x, y, margin=1.0, delta=0.1)
        golowich = products.frobenius_rho(m) + products.golowich_kappa(m)
        ratios.append(golowich - sparse.refined_rho(m) - sparse.refined_kappa(m))
    assert ratios[0] < ratios[1] < ratios[2]


def test_the_geometric_grid_pays_for_all_radii_and_has_no_floor() -> None:
    shares = [2 / 3 / ((abs(k) + 1) * (abs(k) + 2)) for k in range(-200000, 200001)]
    assert sum(shares) == pytest.approx(1.0, abs=1e-5)
    m = measure(*by_hand(), margin=1.0, delta=0.001)
    small = families.over_geometric_radii(m, math.log(1e-3), 0.0)
    assert small < families.over_all_radii(m, math.log(1e-3), 0.0)
    assert math.exp(families.over_geometric_radii(m, -math.inf, 0.0)) < 6


def test_a_reference_lowers_bounds_by_distance_only() -> None:
    x, y = digits(40)
    network, start = conv_net(2, 3, seed=1), conv_net(2, 3, seed=1)
    with torch.no_grad():
        network[0].weight.mul_(1.01)
    free, near = values(network, x, y), values(network, x, y, reference=start)
    for name in ("Bartlett et al., fixed", "Graf et al., norms", "Ledent et al."):
        assert near[name] < 0.2 * free[name]
    assert near["sparse, refined"] == free["sparse, refined"]


def test_psi_has_its_limits() -> None:
    assert covering.psi(-math.inf) == 0.0
    assert covering.psi(30.0) == pytest.approx(2.612375, rel=1e-6)


@pytest.mark.parametrize("classes", [1, 3])
def test_what_a_search_finds_lies_below_every_bound_that_holds(classes: int) -> None:
    x, _ = digits(48)
    found = bounds.rademacher_lower(conv_net(2, 3, classes=classes), x, draws=4, steps=15)
    mean = found.groupby("bound")[["lower", "upper"]].mean()
    for name in (
        "sparse, refined",
        "sparse, plain",
        "Golowich et al.",
        "Golowich et al., row sums",
        "Neyshabur et al.",
    ):
        assert 0 < mean.lower[name] < mean.upper[name], name
    # the corrected bounds are not empty words: within a factor of ten of what is there
    assert mean.upper["sparse, refined"] < 10 * mean.lower["sparse, refined"]


def test_searching_climbs() -> None:
    x, _ = digits(48)
    network = conv_net(2, 4, classes=3)
    short = bounds.rademacher_lower(network, x, draws=3, steps=0).groupby("bound").lower.mean()
    long = bounds.rademacher_lower(network, x, draws=3, steps=30).groupby("bound").lower.mean()
    assert long["sparse, refined"] > 1.01 * short["sparse, refined"]


def passing(side: int, classes: int) -> nn.Sequential:
    """One 1x1 kernel and a head over all positions."""
    layers = [nn.Conv2d(1, 1, 1, bias=False), nn.ReLU(), nn.Flatten(), nn.Linear(side**2, classes, bias=False)]
    return nn.Sequential(*layers).double()


@pytest.mark.parametrize(
    ("side", "classes", "why"), [(28, 1, "the head's degree is missing"), (1, 1000, "log C is not sqrt C")]
)
def test_the_formula_of_the_studys_code_does_not_hold(side: int, classes: int, why: str) -> None:
    x = torch.ones(64, 1, side, side, dtype=torch.float64)
    found = bounds.rademacher_lower(passing(side, classes), x, draws=20, steps=0)
    mean = found.groupby("bound")[["lower", "upper"]].mean()
    assert mean.lower["formula of the study's code"] > 2 * mean.upper["formula of the study's code"], why
    for name in ("sparse, refined", "sparse, plain"):
        assert mean.lower[name] < mean.upper[name]


def test_the_formula_does_not_hold_in_the_studys_own_setting() -> None:
    x, _ = digits()
    large = nn.functional.interpolate(x, size=(28, 28), mode="nearest")
    found = bounds.rademacher_lower(conv_net(3, 1, 28), large, draws=8, steps=0).groupby("bound")
    mean, spread = found.mean(), found.lower.std()
    name = "formula of the study's code"
    assert mean.lower[name] - 3 * spread[name] / 8**0.5 > mean.upper[name] == pytest.approx(0.8505, rel=2e-3)


def test_the_margin_loss_is_as_steep_as_the_contraction_asks() -> None:
    # the gradient of the margin is e_y - e_j, of norm sqrt 2
    outputs = torch.tensor([[0.3, 0.1, -0.2]], dtype=torch.float64)
    step = torch.tensor([[1.0, -1.0, 0.0]], dtype=torch.float64) * 1e-3
    moved = bounds.margins(outputs + step, torch.tensor([0])) - bounds.margins(outputs, torch.tensor([0]))
    assert float(moved / step.norm()) == pytest.approx(math.sqrt(2))
