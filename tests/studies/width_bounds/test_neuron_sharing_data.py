"""The neuron-sharing study's data: the files are what the study's recipe draws, and what its log is about."""

from __future__ import annotations

import csv

import numpy as np
import pytest
import torch
from torch import nn

from sparsenn_book.sources.project import data_file
from sparsenn_book.studies.width_bounds import neuron_sharing
from sparsenn_core import networks

# One float32 rounding of numbers below 2; PyTorch scales a uniform draw with one rounding or with two.
ONE_ROUNDING = 2.0**-23
# A normal draw is radius * cos(angle): the angle, up to 2 pi, has a rounding error of 2.4e-7, or twice that with the
# one of 2 pi itself, and the radius is at most 5.8. The network's slope is below its VV norm, 1.
NORMAL_ROUNDING = 4e-6
FIRST_WEIGHTS = [
    -0.6407796144485474, -0.31577521562576294, -0.3566250503063202,
    0.6034826040267944, -0.5065776109695435, 0.310027152299881,
]  # fmt: skip


@pytest.mark.parametrize("name", ["neuron_sharing_points.csv", "neuron_sharing_network.csv"])
def test_the_decimals_are_those_of_float32_numbers(name: str) -> None:
    with data_file(name).open(newline="") as file:
        _, *lines = csv.reader(file)
    assert all(str(np.float32(text)) == text for line in lines for text in line)


def test_the_files_are_what_the_recipe_draws_up_to_rounding() -> None:
    x, y, network = neuron_sharing.problem()
    drawn_x, drawn_y, drawn_network = neuron_sharing.drawn_problem()
    assert (x.dtype, x.shape, y.shape) == (torch.float32, (50, 2), (50, 2))
    torch.testing.assert_close(x, drawn_x, rtol=0, atol=NORMAL_ROUNDING)
    torch.testing.assert_close(y, drawn_y, rtol=0, atol=NORMAL_ROUNDING)
    for ours, drawn in zip(network.parameters(), drawn_network.parameters(), strict=True):
        assert torch.equal(ours, drawn)


def test_the_recipe_is_pytorchs_with_one_global_generator() -> None:
    with torch.random.fork_rng():
        torch.manual_seed(43)
        x = torch.randn(50, 2)
        theirs = nn.Sequential(nn.Linear(2, 5), nn.ReLU(), nn.Linear(5, 2, bias=False))
    drawn, _, ours = neuron_sharing.drawn_problem()
    assert torch.equal(drawn, x)
    for mine, default in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(mine, default, rtol=0, atol=ONE_ROUNDING)


def test_initial_weights_do_not_depend_on_the_processor() -> None:
    """To the last bit: a draw has 24 bits, so that float64 scales it without an error, and one rounding follows."""
    assert neuron_sharing.student(width=3)[0].weight.flatten().tolist() == FIRST_WEIGHTS


def test_recorded_numbers_of_the_study() -> None:
    x, y, teacher = neuron_sharing.problem()
    assert networks.vv_norm(teacher) == pytest.approx(0.998064, abs=1e-6)
    with torch.no_grad():
        assert float(((teacher(x) - y) ** 2).mean()) < 1e-13
        assert float(((neuron_sharing.student()(x) - y) ** 2).mean()) == pytest.approx(0.2194146364927292, rel=1e-6)
