"""Pruning: unrelated students, thresholds, dead weights, masks."""

import pytest
import torch

from sparsenn_book.studies.rebound import Condition, draw_unrelated
from sparsenn_book.studies.rebound.thresholds import dead_weights, pruned, support_of, tolerance_thresholds
from sparsenn_core import penalties
from sparsenn_core.errors import InputError
from sparsenn_core.networks import MLP
from sparsenn_core.randomness import generator
from sparsenn_core.training import Ensemble, ProximalAdam, ProximalSGD, fit

SMALL = Condition(dataset_size=50, test_set_size=10, num_runs=3, epochs=10, precision="float64")


def test_layer_factors_of_the_study():
    net = MLP((2, 25, 25, 1), "tanh", generator=generator(0, "net"))
    factors = penalties.layer_factors(dict(net.named_parameters()))
    found = [factors[f"layers.{i}.{p}"] for i in range(3) for p in ("weight", "bias")]
    assert [round(f, 4) for f in found] == [3.3378, 3.3378, 0.3851, 0.3851, 9.6282, 9.6282]


def test_a_small_teacher_is_hidden_in_a_wide_shape():
    drawn = draw_unrelated(SMALL, (2, 10, 5, 1))
    params = drawn.teachers.params
    assert sum(int((w[0] != 0).sum()) for w in params.values()) == 91
    inner = Ensemble.stack([MLP((2, 10, 5, 1), "tanh", generator=generator(0, "x"))] * 3)
    cut = {k: w[(slice(None), *(slice(0, n) for n in inner.params[k].shape[1:]))] for k, w in params.items()}
    inner = inner.with_params({k: w.contiguous() for k, w in cut.items()})
    torch.testing.assert_close(inner.each(drawn.test), drawn.test_targets)
    with pytest.raises(InputError, match="does not fit"):
        draw_unrelated(SMALL, (2, 30, 5, 1))


def test_unrelated_students_have_zero_biases_and_nothing_of_their_teacher():
    drawn = draw_unrelated(SMALL, SMALL.dimensions)
    assert all((w == 0).all() for k, w in drawn.students.params.items() if k.endswith("bias"))
    weight = "layers.1.weight"
    both = torch.stack([drawn.students.params[weight].flatten(), drawn.teachers.params[weight].flatten()])
    assert torch.corrcoef(both)[0, 1].abs() < 0.1


def test_tolerance_thresholds_are_the_largest_allowed():
    """One weight a network: the loss of pruning it is known."""
    nets = Ensemble.stack([MLP((3, 1), "tanh", generator=generator(0, "x"), bias=False).double()] * 2)
    nets = nets.with_params({"layers.0.weight": torch.tensor([[[0.1, -0.5, 2.0]], [[1.0, 1.0, -3.0]]]).double()})

    def loss(students):
        kept = students.params["layers.0.weight"] != 0
        return 1.0 + (~kept).double().flatten(1).sum(1)

    thresholds = tolerance_thresholds(nets, loss, 1.0)
    assert thresholds.tolist() == pytest.approx([0.5, 1.0], abs=2e-7)
    assert tolerance_thresholds(nets, loss, 0.5).tolist() == pytest.approx([0.1, 1.0], abs=2e-7)
    assert (thresholds[0] <= 0.5) & (thresholds[1] <= 1.0)
    left = pruned(nets, thresholds + 1e-6).params["layers.0.weight"]
    assert left.tolist() == [[[0.0, 0.0, 2.0]], [[0.0, 0.0, -3.0]]]


@pytest.mark.parametrize(("tolerance", "resolution"), [(-0.1, 1e-7), (0.1, 0.0)])
def test_a_search_without_sense_is_refused(tolerance, resolution):
    drawn = draw_unrelated(SMALL)
    with pytest.raises(InputError, match="tolerance must be from 0"):
        tolerance_thresholds(drawn.students, lambda _: torch.ones(3), tolerance, resolution=resolution)


def test_dead_weights_lead_nowhere_or_come_from_nowhere():
    net = MLP((2, 3, 1), "tanh", generator=generator(0, "x")).double()
    with torch.no_grad():
        net.layers[1].weight[0, 1] = 0  # unit 1 leads nowhere
        net.layers[0].weight[2] = 0  # unit 2 is constant zero
        net.layers[0].bias[2] = 0
    dead = dead_weights(Ensemble.stack([net, net]), [generator(0, "dead", r) for r in range(2)])
    first = dead["layers.0.weight"][0]
    assert first.tolist() == [[False, False], [True, True], [False, False]]
    assert dead["layers.0.bias"][0].tolist() == [False, True, False]
    assert dead["layers.1.weight"][0].tolist() == [[False, False, True]]


@pytest.mark.parametrize("optimizer", [ProximalSGD(0.05), ProximalAdam(0.01)], ids=["sgd", "adam"])
def test_fine_tuning_keeps_the_mask_and_lowers_the_loss(optimizer):
    drawn = draw_unrelated(SMALL, (2, 10, 5, 1))
    start = pruned(drawn.students, 0.1)
    masks, data = support_of(start), drawn.data
    result = fit(start, data, optimizer=optimizer, epochs=50, penalty=penalties.FixedSupport(masks=masks))
    for k, mask in masks.items():
        assert not (result.ensemble.params[k] != 0)[~mask].any()
    before, after = ((e.each(data.inputs) - data.targets).square().flatten(1).mean(1) for e in (start, result.ensemble))
    assert (after < before).all()
