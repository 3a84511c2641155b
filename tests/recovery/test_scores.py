"""Scores against hand-made outputs, the range floors against the recorded table, and one outcome for every run."""

import math

import pytest
import torch

from sparsenn_core.errors import InputError
from sparsenn_core.networks import literal_teacher
from sparsenn_core.randomness import generator
from sparsenn_core.recovery import OUTCOMES, outcome, range_floor, scores

# E[(y - clip(y))^2] by the student's last activation, recorded from 400,000 inputs: teacher, activation, relu, tanh
FLOORS = [
    ("baseline", "relu", 0.0, 3.3221),
    ("baseline", "tanh", 0.1838, 0.0),
    ("multi_channel", "relu", 0.0, 2.1455),
    ("multi_channel", "tanh", 0.2239, 0.0),
    ("split_filter", "relu", 0.0, 0.2422),
    ("split_filter", "tanh", 0.1646, 0.0),
    ("baseline", "sigmoid", 0.0, 0.0),
]


def five_runs() -> tuple[torch.Tensor, torch.Tensor]:
    """Targets, and outputs that are: equal, off by little, half right, a constant, zero."""
    t = torch.randn(1000, generator=generator(0, "data"), dtype=torch.float64) + 1
    return t, torch.stack([t, t + 0.01, 0.5 * t + 0.5, torch.full_like(t, 0.9), torch.zeros_like(t)])


def test_scores_by_hand():
    t, y = five_runs()
    result = scores(y, t)
    variance = float(t.var(correction=0))
    assert result.mse[1] == pytest.approx(1e-4)
    assert result.r2[1] == pytest.approx(1 - 1e-4 / variance)
    assert result.r2[4] == pytest.approx(-(float(t.mean()) ** 2) / variance)
    assert result.collapsed.tolist() == [False, False, False, True, True]
    assert result.constant.tolist() == [False, False, False, True, True]
    assert result.dead.tolist() == [False, False, False, False, True]


def test_scores_take_the_shapes_an_ensemble_gives():
    t, y = five_runs()
    for outputs, targets in ((y[..., None], t[:, None]), (y.float(), t.float()), (y, t.expand(5, -1))):
        torch.testing.assert_close(scores(outputs, targets).r2, scores(y, t).r2, rtol=1e-4, atol=1e-6)
    each = torch.stack([t + run for run in range(5)])
    torch.testing.assert_close(scores(each[..., None], each[..., None]).r2, torch.ones(5, dtype=torch.float64))


def test_every_run_has_one_outcome():
    t, y = five_runs()
    result = scores(y, t)
    near, far = torch.full((5,), 0.01), torch.full((5,), 0.2)
    assert outcome(result, near) == ["recovered", "recovered", "partial", "collapsed", "dead"]
    assert outcome(result, far) == ["fitted", "fitted", "partial", "collapsed", "dead"]
    assert outcome(result, far, fitted=0.3, recovered=0.3)[:3] == ["recovered"] * 3
    assert set(outcome(result, near)) | {"fitted", "diverged"} == set(OUTCOMES)
    wild = scores(torch.stack([t * math.nan, t * math.inf, t]), t)
    assert outcome(wild, torch.tensor([math.nan, math.nan, 0.0])) == ["diverged", "diverged", "recovered"]


@pytest.mark.parametrize(("name", "activation", "relu", "tanh"), FLOORS)
def test_range_floors_are_the_recorded_ones(name, activation, relu, tanh):
    x = torch.randn(100_000, 12, generator=generator(1, "data"), dtype=torch.float64)
    y = literal_teacher(name, activation)(x).squeeze(1)
    for student, floor in (("relu", relu), ("tanh", tanh), ("sigmoid", relu + tanh)):
        excess = (y - y.clamp(*{"relu": (0, None), "tanh": (-1, 1), "sigmoid": (0, 1)}[student])).square()
        spread = 3.5 * float(excess.std()) * (1 / 1e5 + 1 / 4e5) ** 0.5
        assert float(range_floor(y, student)) == pytest.approx(floor, abs=spread + 5e-5)
    assert float(range_floor(y, "linear")) == 0


def test_no_clipped_output_beats_the_floor():
    t, y = five_runs()
    assert bool((scores(y.clamp(-1, 1), t).mse >= range_floor(t, "tanh")).all())
    assert range_floor(y, "tanh").shape == (5,)


def test_refusals():
    t, y = five_runs()
    with pytest.raises(InputError, match="do not fit"):
        scores(y[:, :10], t)
    with pytest.raises(InputError, match="do not vary"):
        scores(y, torch.ones_like(t))
    with pytest.raises(InputError, match="unknown activation"):
        range_floor(t, "softmax")
    with pytest.raises(InputError, match="5 scores but 4"):
        outcome(scores(y, t), torch.zeros(4))
    with pytest.raises(InputError, match="thresholds"):
        outcome(scores(y, t), torch.zeros(5), recovered=2)
