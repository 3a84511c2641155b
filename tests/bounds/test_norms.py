"""Norms of the operator against its dense matrix; the bound from above is above, the one from below below."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from torch import nn

from sparsenn_core.bounds import norms, spectral
from sparsenn_core.networks import Layer, reading
from sparsenn_core.randomness import generator

SHAPES = {
    "plain": (nn.Conv2d(3, 4, 2, bias=False), (3, 7, 6)),
    "padded": (nn.Conv2d(2, 5, 3, padding=1, bias=False), (2, 6, 6)),
    "strided": (nn.Conv2d(3, 2, 3, stride=2, padding=1, bias=False), (3, 7, 8)),
    "dilated": (nn.Conv2d(2, 3, 2, dilation=2, bias=False), (2, 7, 7)),
    "grouped": (nn.Conv2d(4, 6, (2, 3), groups=2, bias=False), (4, 6, 7)),
    "one axis": (nn.Conv1d(3, 4, 3, padding=2, bias=False), (3, 9)),
    "linear": (nn.Linear(12, 5, bias=False), (12,)),
}


def layer_of(name: str) -> Layer:
    module, shape = SHAPES[name]
    with torch.no_grad():
        drawn = torch.randn(module.weight.shape, generator=generator(1, name))
        module.double().weight.copy_(drawn)
    return reading(nn.Sequential(module), torch.zeros(1, *shape)).layers[0]


def by_hand(layer: Layer) -> torch.Tensor:
    """The matrix column by column, from single entries."""
    size = math.prod(layer.input_shape)
    columns = []
    for place in range(size):
        unit = torch.zeros(size, dtype=torch.float64)
        unit[place] = 1.0
        columns.append(layer.affine(unit.reshape(1, *layer.input_shape)).flatten())
    return torch.stack(columns, dim=1)


@pytest.mark.parametrize("name", SHAPES)
def test_norms_are_those_of_the_dense_matrix(name: str) -> None:
    layer = layer_of(name)
    matrix = by_hand(layer)
    torch.testing.assert_close(norms.dense(layer), matrix)
    assert norms.frobenius(layer) == pytest.approx(float(matrix.norm()), rel=1e-12)
    assert norms.rows_l2(layer) == pytest.approx(float(matrix.norm(dim=1).sum()), rel=1e-12)
    assert norms.largest_row(layer) == pytest.approx(float(matrix.norm(dim=1).max()), rel=1e-12)
    assert norms.one_inf(layer) == pytest.approx(float(matrix.abs().sum(1).max()), rel=1e-12)


@pytest.mark.parametrize("name", SHAPES)
def test_the_spectral_norm_lies_between_its_bounds(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    layer = layer_of(name)
    true = float(torch.linalg.svdvals(by_hand(layer))[0])
    assert true * (1 - 2e-3) <= spectral.spectral_lower(layer, 300) <= true * (1 + 1e-12)
    assert spectral.spectral_lower(layer, 3) <= true * (1 + 1e-12)
    assert spectral.spectral_upper(layer) == pytest.approx(true, rel=1e-9)
    monkeypatch.setattr(spectral, "DENSE_SIDE", 0)
    over_frequencies = spectral.spectral_upper(layer)
    assert true * (1 - 1e-12) <= over_frequencies <= 1.6 * true
    monkeypatch.setattr(spectral, "DEAR", 0)
    assert spectral.spectral_upper(layer) >= true * (1 - 1e-12)


def test_a_coarse_grid_bounds_every_finer_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spectral, "DENSE_SIDE", 0)
    layer = reading(nn.Conv2d(6, 7, 3, bias=False).double(), torch.zeros(1, 6, 70, 65)).layers[0]
    fine = spectral.spectral_upper(layer)
    monkeypatch.setattr(spectral, "DEAR", 0)
    coarse = spectral.spectral_upper(layer)
    lost = math.cos(math.pi * 2 / 24)  # an axis, of the square
    assert fine <= coarse <= 1.005 * fine / lost  # the fine grid misses a little as well


def test_the_proof_by_cholesky_agrees_with_eigenvalues(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spectral, "DENSE_SIDE", 0)
    layer = reading(nn.Conv2d(9, 8, 2, bias=False).double(), torch.zeros(1, 9, 12, 12)).layers[0]
    by_eigenvalues = spectral.spectral_upper(layer)
    monkeypatch.setattr(spectral, "EIGEN_SIDE", 0)
    by_proof = spectral.spectral_upper(layer)
    assert by_eigenvalues <= by_proof * (1 + 1e-9)
    assert by_proof <= by_eigenvalues * (1 + spectral.SLACK)
    # power iteration that finds nothing must not be believed
    monkeypatch.setattr(spectral, "_by_power", lambda gram, iterations: torch.full((len(gram),), 1e-2))
    assert by_eigenvalues <= spectral.spectral_upper(layer) * (1 + 1e-9)


def test_a_circular_convolution_gives_the_norm_over_frequencies(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spectral, "DENSE_SIDE", 0)
    kernel = torch.randn(3, 2, 3, 3, dtype=torch.float64, generator=generator(4, "kernel"))
    circular = nn.Conv2d(2, 3, 3, padding=1, padding_mode="circular", bias=False).double()
    with torch.no_grad():
        circular.weight.copy_(kernel)
        units = torch.eye(2 * 8 * 8, dtype=torch.float64).reshape(-1, 2, 8, 8)
        true = float(torch.linalg.svdvals(circular(units).flatten(1))[0])
    valid = reading(nn.Conv2d(2, 3, 3, bias=False).double(), torch.zeros(1, 2, 8, 8)).layers[0]
    assert spectral.spectral_upper(replace(valid, weight=kernel)) == pytest.approx(true, rel=1e-10)


def test_a_zero_map_has_norm_zero() -> None:
    layer = replace(layer_of("plain"), weight=torch.zeros(4, 3, 2, 2))
    assert spectral.spectral_lower(layer) == 0.0
    assert spectral.spectral_upper(layer) == 0.0


def test_the_reshaped_kernel_is_not_the_operator() -> None:
    layer = replace(layer_of("plain"), weight=torch.ones(4, 3, 2, 2))
    assert norms.reshaped_spectral(layer) == pytest.approx(math.sqrt(48))
    assert spectral.spectral_lower(layer) > 1.5 * norms.reshaped_spectral(layer)
