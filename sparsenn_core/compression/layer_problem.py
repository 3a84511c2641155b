"""A layer as a least-squares problem: what arrives at it, what it should give, summed over the data in one pass.

Phi [F, N] are the inputs of the layer, Psi [D, N] = V0 Phi its outputs without bias in the network as given. A
convolution has one column for each position, and F counts the entries of its patches. Everything that is asked of the
layer depends on the data through Phi Phi', Psi Phi', ||Psi||^2 and two means alone, whatever the number of samples N.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from tqdm import tqdm

from sparsenn_core.compression.samples import Samples
from sparsenn_core.errors import InputError
from sparsenn_core.lasso import WidthBounds, data_from_gram
from sparsenn_core.networks import Feed, layer_inputs

Array = NDArray[np.float64]
ENTRIES = 2**24
"""Entries of float64 rows that are made at once: 128 MB."""
RANK = 1e-6
"""Share of the largest singular value below which a direction does not count: what a Gram matrix can tell."""


@dataclass(frozen=True)
class LayerProblem:
    """Sums over the data for one layer with D outputs that reads K neurons of `size` inputs each, F = K size.

    gram [F, F] = Phi Phi' / (N D), cross [D, F] = Psi Phi' / (N D), energy = ||Psi||^2 / (N D);
    mean [F] and target_mean [D], averages of Phi and Psi over the N columns, for a bias;
    weight [D, F] = V0 and bias [D] or None, as given; incoming [K], norms of the neurons' own weights with bias.
    """

    gram: Array
    cross: Array
    energy: float
    mean: Array
    target_mean: Array
    columns: int
    size: int
    weight: Array
    bias: Array | None
    incoming: Array

    @property
    def neurons(self) -> int:
        """K."""
        return self.gram.shape[0] // self.size

    @property
    def outputs(self) -> int:
        """D."""
        return len(self.cross)

    @cached_property
    def data(self) -> tuple[Array, Array]:
        """Features [F, n] and targets [D, n], n <= F + 1, with the same sums: what solvers take. Cost O(F^3)."""
        return data_from_gram(self.gram, self.cross, self.energy)

    def inputs_of(self, neurons: NDArray[np.int64]) -> NDArray[np.int64]:
        """The rows of Phi that belong to some neurons."""
        return (np.asarray(neurons)[:, None] * self.size + np.arange(self.size)).ravel()

    def norms(self, weight: Array) -> Array:
        """||V_k|| [K] of weights [D, F], over all entries of a neuron."""
        return np.sqrt((weight**2).sum(0).reshape(-1, self.size).sum(1))

    @property
    def rms(self) -> Array:
        """The root mean square of each neuron's inputs to the layer, [K]."""
        return np.sqrt(np.diag(self.gram).reshape(-1, self.size).mean(1) * self.outputs)

    def error(self, weight: Array, shift: Array | None = None) -> float:
        """||V Phi + shift 1' - Psi||^2 / (N D) for V [D, F]; `shift` [D] is the change of the bias."""
        value = float(np.sum((weight @ self.gram) * weight) - 2 * np.sum(weight * self.cross)) + self.energy
        if shift is not None:
            miss = weight @ self.mean - self.target_mean
            value += float(shift @ (shift + 2 * miss)) / self.outputs
        return max(value, 0.0)

    def bounds(self) -> WidthBounds:
        """How many neurons a solution needs by theory, from ranks at `RANK`; the numbers of samples are the columns'.

        For neurons of several inputs only the `product` bound is proved: one equation for each entry of V Phi in
        coordinates of its ranks, and one amplitude for each neuron.
        """
        features, targets = self.data
        # the columns of `data_from_gram` are orthogonal: their lengths are the singular values
        sizes = np.linalg.norm(features, axis=0)
        told = sizes > RANK * sizes.max(initial=0.0)
        total = float(np.linalg.norm(targets))
        spectrum = np.sqrt(np.maximum(np.linalg.eigvalsh(targets @ targets.T), 0))[::-1]
        rank = int(told.sum())
        return WidthBounds(
            neurons=self.neurons,
            samples=self.columns,
            outputs=self.outputs,
            rtol=RANK,
            rank_features=rank,
            rank_targets=min(rank, int((spectrum > RANK * spectrum[0]).sum())),
            outside=float(np.linalg.norm(targets[:, ~told])) / total if total else 0.0,
            features_spectrum=np.sort(sizes)[::-1],
            targets_spectrum=spectrum,
        )


def layer_problem(given: nn.Module, now: nn.Module, feed: Feed, data: Samples, *, progress: bool) -> LayerProblem:
    """The problem of `feed.layer`: Phi from the network as it is `now`, Psi from the one `given`. One pass of each.

    The two differ where earlier layers have lost units: the layer should still give what it gave. Both in eval mode.
    """
    layer, source = _layer(given, feed.layer), _layer(given, feed.source)
    weight = _matrix(layer)
    sums = _Sums(weight)
    with tqdm(total=data.count, desc=f"reading {feed.layer}", unit="batch", disable=not progress, leave=False) as bar:
        for x, _ in data:
            arriving = layer_inputs(now, [feed.layer], x)[1][0]
            wanted = arriving if now is given else layer_inputs(given, [feed.layer], x)[1][0]
            for some, same in _pieces(layer, arriving, wanted):
                sums.add(some, same)
            bar.update()
    bias, own = layer.bias, _matrix(source)
    if source.bias is not None:
        own = torch.cat([own, source.bias.detach().to(own)[:, None]], 1)
    return sums.problem(feed, None if bias is None else _array(bias), _array(own.norm(dim=1)))


class _Sums:
    """Phi Phi', Psi Phi' and their means, Phi with a row of ones below; float64, on the device of the layer."""

    def __init__(self, weight: Tensor) -> None:
        outputs, inputs = weight.shape
        self.weight = weight
        self.gram = weight.new_zeros(inputs + 1, inputs + 1)
        self.cross = weight.new_zeros(outputs, inputs + 1)
        self.energy, self.columns = 0.0, 0

    def add(self, rows: Tensor, wanted: Tensor | None) -> None:
        """Add columns of Phi, here as rows [n, F]; `wanted` [n, F], those in the network as given where it differs."""
        rows = nn.functional.pad(rows, (0, 1), value=1.0)
        self.gram.addmm_(rows.mT, rows)
        self.columns += len(rows)
        if wanted is not None:
            psi = wanted @ self.weight.mT
            self.cross.addmm_(psi.mT, rows)
            self.energy += float(psi.square().sum())

    def problem(self, feed: Feed, bias: Array | None, incoming: Array) -> LayerProblem:
        """What was added up, divided by the number of entries of Psi."""
        if not self.columns:
            raise InputError("compression: there are no data")
        if not bool(torch.isfinite(self.gram).all()):
            raise InputError(f"compression: what arrives at layer {feed.layer!r} on these data is not finite")
        if not bool(self.cross.any()):
            # Psi = V0 Phi of the same Phi
            self.cross = self.weight @ self.gram[:-1]
            self.energy = float((self.cross[:, :-1] * self.weight).sum())
        entries = self.columns * len(self.weight)
        gram, cross = _array(self.gram), _array(self.cross)
        return LayerProblem(
            gram=gram[:-1, :-1] / entries,
            cross=cross[:, :-1] / entries,
            energy=self.energy / entries,
            mean=gram[-1, :-1] / self.columns,
            target_mean=cross[:, -1] / self.columns,
            columns=self.columns,
            size=feed.size,
            weight=_array(self.weight),
            bias=bias,
            incoming=incoming,
        )


def _pieces(
    layer: nn.Linear | nn.Conv1d | nn.Conv2d, arriving: Tensor, wanted: Tensor
) -> Iterator[tuple[Tensor, Tensor | None]]:
    """The rows of a batch in pieces that fit into memory; None for `wanted` where it is what arrives."""
    entries = len(_rows(layer, arriving[:1])) * _matrix(layer).shape[1]
    step = max(1, ENTRIES // max(1, entries))
    for start in range(0, len(arriving), step):
        rows = _rows(layer, arriving[start : start + step])
        yield rows, None if wanted is arriving else _rows(layer, wanted[start : start + step])


def _rows(layer: nn.Linear | nn.Conv1d | nn.Conv2d, h: Tensor) -> Tensor:
    """What a layer multiplies with its weight: [columns, F] in float64; the patches of a convolution."""
    h = h.to(torch.float64)
    if isinstance(layer, nn.Linear):
        return h.reshape(-1, h.shape[-1])
    ends = _padding(layer)
    mode = "constant" if layer.padding_mode == "zeros" else layer.padding_mode
    h = nn.functional.pad(h, [one for pair in reversed(ends) for one in pair], mode=mode)
    geometry = [layer.kernel_size, layer.dilation, layer.stride]
    if isinstance(layer, nn.Conv1d):
        h, geometry = h[:, :, None], [(1, *one) for one in geometry]
    kernel, dilation, stride = geometry
    patches = nn.functional.unfold(h, kernel, dilation, 0, stride)
    return patches.mT.reshape(-1, patches.shape[1])


def _padding(layer: nn.Conv1d | nn.Conv2d) -> list[tuple[int, int]]:
    """Entries added before and behind each axis."""
    if layer.padding == "valid":
        return [(0, 0)] * len(layer.kernel_size)
    if layer.padding == "same":
        reach = [d * (k - 1) for d, k in zip(layer.dilation, layer.kernel_size, strict=True)]
        return [(r // 2, r - r // 2) for r in reach]
    return [(int(p), int(p)) for p in layer.padding]


def _layer(model: nn.Module, name: str) -> nn.Linear | nn.Conv1d | nn.Conv2d:
    layer = model.get_submodule(name)
    assert isinstance(layer, nn.Linear | nn.Conv1d | nn.Conv2d)
    return layer


def _matrix(layer: nn.Linear | nn.Conv1d | nn.Conv2d) -> Tensor:
    """The weight as [outputs, F], float64."""
    return layer.weight.detach().to(torch.float64).flatten(1)


def _array(values: Tensor) -> Array:
    return values.detach().to("cpu", torch.float64).numpy()
