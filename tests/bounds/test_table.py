"""The table: what is refused, what is not covered and why, and that certificates hold for trained networks."""

from __future__ import annotations

from functools import cache

import pytest
import torch
from bound_networks import conv_net, digits, filled
from torch import Tensor, nn

from sparsenn_core import bounds
from sparsenn_core.errors import InputError
from sparsenn_core.training import SGD, Data, Ensemble, fit


def net(*layers: nn.Module) -> nn.Sequential:
    return filled(nn.Sequential(*layers).double())


class Residual(nn.Module):
    """x + W x, then a head."""

    def __init__(self) -> None:
        super().__init__()
        self.inner, self.head = nn.Linear(64, 64, bias=False), nn.Linear(64, 10, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        h = x.flatten(1)
        return self.head(torch.relu(h + self.inner(h)))  # type: ignore[no-any-return]


def small(n: int = 30) -> tuple[Tensor, Tensor]:
    return digits(n)


@pytest.mark.parametrize(
    ("network", "reason"),
    [
        (Residual().double(), "only a chain can be read"),
        (net(nn.Conv2d(1, 2, 2, bias=False), nn.BatchNorm2d(2), nn.Flatten(), nn.Linear(98, 10)), "BatchNorm2d"),
        (net(nn.Flatten(), nn.Linear(64, 10, bias=False), nn.ReLU()), "need a linear last layer"),
        (net(nn.Conv2d(1, 10, 8, bias=False), nn.Flatten()), "need a linear last layer"),
    ],
)
def test_networks_that_are_no_chain_are_refused(network: nn.Module, reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        bounds.table(network, *small(), margin=1.0)


@pytest.mark.parametrize(
    ("network", "reason"),
    [
        (net(nn.Flatten(), nn.Linear(64, 5), nn.ReLU(), nn.Linear(5, 10, bias=False)), "has a bias"),
        (net(nn.Flatten(), nn.Linear(64, 5, bias=False), nn.Tanh(), nn.Linear(5, 10, bias=False)), "tanh is not relu"),
        (net(nn.Flatten(), nn.Linear(64, 5, bias=False), nn.Linear(5, 10, bias=False)), "without relu"),
        (
            net(nn.Conv2d(1, 2, 3, bias=False), nn.ReLU(), nn.MaxPool2d(6), nn.Flatten(), nn.Linear(2, 10, bias=False)),
            "max pooling",
        ),
        (
            net(
                nn.Conv2d(1, 2, 3, bias=False), nn.ReLU(), nn.AdaptiveAvgPool2d(8), nn.Flatten(),
                nn.Linear(128, 10, bias=False),
            ),
            "counts an entry more than once",
        ),
    ],
)  # fmt: skip
def test_what_bounds_do_not_cover_gives_rows_without_numbers(network: nn.Module, reason: str) -> None:
    frame = bounds.table(network, *small(), margin=1.0)
    norm_based = frame[frame["kind"] != "measure"]
    assert norm_based[["value", "log10", "total"]].isna().all(axis=None)
    assert norm_based["not_covered"].iloc[:-2].str.contains(reason).all()


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"margin": 0.0}, "margin 0.0 is not above 0"),
        ({"margin": -1.0}, "not above 0"),
        ({"margin": float("nan")}, "not above 0"),
        ({"delta": 0.0}, "delta 0.0"),
        ({"delta": 1.0}, "delta 1.0"),
        ({"y": torch.zeros(30, dtype=torch.long)}, "with one class"),
        ({"y": torch.arange(30)}, "classes 0 to 9"),
        ({"y": torch.arange(29) % 10}, "30 class numbers"),
        ({"y": torch.eye(10).repeat(3, 1)}, "30 class numbers"),
        ({"x": torch.full((30, 1, 8, 8), torch.nan, dtype=torch.float64)}, "not finite"),
        ({"reference": conv_net(2, 5)}, "reference has other layers"),
    ],
)
def test_bad_input_is_refused_with_the_reason(changes: dict[str, object], reason: str) -> None:
    x, y = small()
    given = {"x": x, "y": y, "margin": 1.0} | changes
    with pytest.raises(InputError, match=reason):
        bounds.table(conv_net(2, 4), **given)  # type: ignore[arg-type]


def test_a_network_with_weights_that_are_not_numbers_is_refused() -> None:
    network = conv_net(2, 4)
    with torch.no_grad():
        network[0].weight[0, 0, 0, 0] = torch.nan
    with pytest.raises(InputError, match="not finite"):
        bounds.table(network, *small(), margin=1.0)


def test_only_bounds_have_a_total() -> None:
    frame = bounds.table(conv_net(2, 4), *small(), margin=1.0)
    covered = frame[frame["not_covered"] == ""]
    is_bound = covered["kind"].isin(["certificate", "a-priori radii"])
    assert (covered["total"].notna() == is_bound).all()
    assert covered["value"].notna().all()


def test_weight_norm_is_read_as_the_weight_it_makes() -> None:
    plain = conv_net(2, 3)
    normed = conv_net(2, 3)
    for place in (0, 2):
        nn.utils.parametrizations.weight_norm(normed[place], dim=None)
    first, second = (bounds.table(n, *small(), margin=0.5)["log10"] for n in (plain, normed))
    assert torch.tensor(first.to_numpy()).allclose(torch.tensor(second.to_numpy()), rtol=1e-10, equal_nan=True)
    assert nn.utils.parametrize.is_parametrized(normed[0])


def test_global_average_pooling_leaves_one_node_before_the_head() -> None:
    network = net(
        nn.Conv2d(1, 4, 3, stride=2, padding=1, bias=False), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
        nn.Linear(4, 10, bias=False),
    )  # fmt: skip
    m = bounds.measure(network, *small(), margin=1.0, delta=0.1)
    assert m.network.positions(1) == 1
    assert m.head_nodes == pytest.approx(m.head_rows)
    assert bounds.table(network, *small(), margin=1.0).set_index("bound")["value"]["sparse, refined"] > 0


def test_nodes_of_the_head_are_positions_with_all_channels() -> None:
    network = conv_net(2, 3)
    m = bounds.measure(network, *small(), margin=1.0, delta=0.1)
    weight = network[-1].weight.detach()
    slow = sum(float(weight[c].reshape(3, 36)[:, j].norm()) for c in range(10) for j in range(36))
    assert m.head_nodes == pytest.approx(slow)


def test_patches_are_those_that_feed_the_first_layer() -> None:
    network = net(
        nn.Conv2d(1, 3, 3, stride=2, padding=1, bias=False), nn.ReLU(), nn.Flatten(), nn.Linear(48, 10, bias=False)
    )
    x, y = small()
    found = bounds.measure(network, x, y, margin=1.0, delta=0.1).samples
    patches = nn.functional.unfold(x, 3, stride=2, padding=1).square().sum(1)
    assert found.patch == pytest.approx(float(patches.sum(0).max()))
    assert found.one_patch == pytest.approx(float(patches.max()) ** 0.5)
    assert found.patches == 16
    assert found.pixel == pytest.approx(float(x.square().sum((0, 1)).max()))


def test_one_output_is_a_binary_classifier_with_half_the_factor() -> None:
    x, y = small()
    network = conv_net(2, 3, classes=1)
    zero_one = bounds.table(network, x, y % 2, margin=0.3)
    signs = bounds.table(network, x, 2 * (y % 2) - 1, margin=0.3)
    assert (zero_one["total"].dropna() == signs["total"].dropna()).all()
    m = bounds.measure(network, x, y % 2, margin=0.3, delta=0.1)
    assert bounds.margins(network(x), y % 2).detach().tolist() == pytest.approx(m.samples.margins.tolist())
    with pytest.raises(InputError, match="binary"):
        bounds.table(network, x, y, margin=0.3)


FOLDS = torch.arange(1500).reshape(25, 60)
"""Twenty-five training sets of sixty digits."""


@cache
def trained() -> tuple[Ensemble, Tensor, Tensor]:
    """Sixty networks, each trained on one fold, and all digits."""
    x, y = digits()
    x, targets = x.float(), nn.functional.one_hot(y, 10).float()
    ensemble = Ensemble.of(lambda g: conv_net(2, 4, seed=int(torch.randint(10**6, (), generator=g))).float(), range(60))
    data = Data(x[None], targets[None], of_run=torch.arange(60) % 25, rows=FOLDS)
    done = fit(ensemble, data, optimizer=SGD(0.2, momentum=0.9), epochs=120)
    return done.ensemble, x, y


@pytest.mark.acceptance
def test_every_certificate_is_at_least_the_measured_gap_on_sixty_networks() -> None:
    ensemble, x, y = trained()
    errors = []
    for run in range(60):
        rows = FOLDS[run % 25]
        network = ensemble[run]
        out = bounds.margins(network(x), y).detach()
        mask = torch.ones(len(x), dtype=torch.bool)
        mask[rows] = False
        test, train = float((out[mask] <= 0).double().mean()), float((out[rows] <= 0).double().mean())
        frame = bounds.table(network, x[rows], y[rows], margin=0.3, held_out=(x[1500:], y[1500:]))
        sure = bounds.certificates(frame)
        assert set(sure["bound"]) >= {"sparse, refined", "sparse, plain", "Golowich et al.", "held-out samples"}
        assert (sure["total"] >= test).all(), run
        errors.append((train, test))
    train, test = torch.tensor(errors).mean(0).tolist()
    # the networks did learn, and there is a gap to bound
    assert train < 0.1
    assert test - train > 0.1


def test_the_held_out_row_is_the_one_with_news() -> None:
    ensemble, x, y = trained()
    frame = bounds.table(ensemble[0], x[:60], y[:60], margin=0.3, held_out=(x[1500:], y[1500:])).set_index("bound")
    wrong = float((bounds.margins(ensemble[0](x[1500:]), y[1500:]) <= 0).double().mean())
    row = frame.loc["held-out samples"]
    assert row["empirical"] == pytest.approx(wrong)
    assert wrong < row["total"] < wrong + 0.15


def test_margins_in_batches_are_those_of_all_at_once() -> None:
    x, y = small(29)
    network = conv_net(2, 3)
    torch.testing.assert_close(bounds.margins_of(network, x, y, 5), bounds.margins(network(x), y))


def test_norms_of_all_layers_at_once() -> None:
    found = bounds.operator_norms(conv_net(2, 3), digits(20)[0])
    assert list(found["layer"]) == ["0", "2", "5"]
    assert (found["spectral_lower"] <= found["spectral_upper"]).all()
    assert (found["spectral_upper"] <= found["frobenius"] * (1 + 1e-9)).all()


def test_a_small_error_has_a_small_upper_end() -> None:
    assert bounds.clopper_pearson(0, 1000, 0.05) == pytest.approx(1 - 0.05 ** (1 / 1000))
    assert bounds.clopper_pearson(10, 10, 0.05) == 1.0
    with pytest.raises(InputError, match="11 errors"):
        bounds.clopper_pearson(11, 10, 0.05)
