"""The spectral norm of a layer's map from both sides: power iteration below, a certified bound above.

A convolution with zero padding p and any stride on n positions is a part (rows and columns) of the circular one on
n + 2p positions, whose singular values are those of one small matrix a frequency (Sedghi, Gupta and Long 2019). So the
largest over frequencies is an upper bound. The exact matrix is used where it is small.

Where the grid of frequencies is dear, a coarser one is taken. At unit vectors u, v the square |u A(t) v|^2 is a
trigonometric polynomial of degree m = kernel - 1 in each angle; near its largest value it is at least cos(m distance)
times that (M. Riesz), so N equally spaced angles find it up to a factor cos(pi m / N) an axis.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator

import torch
from torch import Tensor

from sparsenn_core.bounds.norms import dense, linear_map
from sparsenn_core.networks import Layer
from sparsenn_core.randomness import generator

DENSE_SIDE = 256  # up to here the eigenvalues of the exact Gram matrix take a few ms
DENSE_ENTRIES = 1 << 22  # and the matrix 32 MB
EIGEN_SIDE = 48  # up to here eigenvalues of many matrices are cheap; of larger ones a proof that they are small is
DEAR = 1e9  # frequencies times side cubed beyond which the grid is made coarser; some seconds
ANGLES = 12  # times the degree: the norm is at most 3.6 % too large
CHUNK = 1 << 23  # complex entries of Gram matrices held at once, 128 MB
SLACK = 5e-3  # of the certified square over what power iteration found, where eigenvalues are too dear


def spectral_lower(layer: Layer, iterations: int = 100, seed: int = 0) -> float:
    """A lower bound on the spectral norm of the map: ||A v|| for a unit vector v after so many power iterations.

    Cost: two convolutions an iteration.
    """
    own = linear_map(layer)
    v = torch.randn(1, *layer.input_shape, dtype=torch.float64, generator=generator(seed, "power"))
    v = v / v.norm()
    for _ in range(iterations):
        with torch.enable_grad():
            at = v.requires_grad_()
            image = own.affine(at)
            (v,) = torch.autograd.grad(image, at, image.detach())
        size = v.norm()
        if not size > 0:
            return 0.0
        v = (v / size).detach()
    return float(own.affine(v).norm())


def spectral_upper(layer: Layer) -> float:
    """A certified upper bound on the spectral norm of the map: exact up to rounding for linear and small layers, the
    largest norm over a grid of frequencies for convolutions.
    """
    rows, columns = math.prod(layer.output_shape), math.prod(layer.input_shape)
    if layer.kind == "linear" or (min(rows, columns) <= DENSE_SIDE and rows * columns <= DENSE_ENTRIES):
        matrix = linear_map(layer).weight if layer.kind == "linear" else dense(layer)
        gram = matrix @ matrix.T if matrix.shape[0] <= matrix.shape[1] else matrix.T @ matrix
        return math.sqrt(max(0.0, float(torch.linalg.eigvalsh(gram)[-1])) * _rounding(len(gram)))
    return _over_frequencies(layer)


def _over_frequencies(layer: Layer) -> float:
    kernel = _ungrouped(layer)  # [out, in, kh, kw]
    if kernel.shape[0] < kernel.shape[1]:
        kernel = kernel.transpose(0, 1)
    side, taps = kernel.shape[1], kernel.shape[2:]
    grid, lost = _grid(layer, taps, side)
    angles = [torch.arange(n, dtype=torch.float64) * (2 * math.pi / n) for n in grid]
    angles[1] = angles[1][: grid[1] // 2 + 1]  # opposite frequencies have conjugate matrices
    shifts, gram = _correlations(kernel)
    pairs = list(itertools.product(*[a.tolist() for a in angles]))
    size = max(1, CHUNK // side**2)
    parts = [torch.tensor(pairs[i : i + size], dtype=torch.float64) for i in range(0, len(pairs), size)]
    return math.sqrt(_largest(_Grams(parts, shifts, gram), side) / lost)


class _Grams:
    """A(t)^H A(t) for angles t, a chunk [F, side, side] at a time, made anew at every pass."""

    def __init__(self, parts: list[Tensor], shifts: Tensor, gram: Tensor) -> None:
        self.parts, self.shifts, self.gram = parts, shifts, gram

    def __iter__(self) -> Iterator[Tensor]:
        side = self.gram.shape[-1]
        flat = self.gram.reshape(len(self.gram), -1)
        for part in self.parts:
            phase = part @ self.shifts.T
            real, imaginary = phase.cos() @ flat, phase.sin() @ flat
            yield torch.complex(real, imaginary).reshape(len(part), side, side)


def _ungrouped(layer: Layer) -> Tensor:
    """The kernel [out, in, kh, kw] of the same map with one group; a kernel of one axis gets a first axis of 1."""
    weight = layer.weight.detach().double()
    if weight.ndim == 3:
        weight = weight[:, :, None, :]
    if layer.groups == 1:
        return weight
    blocks = weight.new_zeros(weight.shape[0], layer.inputs, *weight.shape[2:])
    out, inside = weight.shape[0] // layer.groups, weight.shape[1]
    for g in range(layer.groups):
        rows = slice(g * out, (g + 1) * out)
        blocks[rows, g * inside : (g + 1) * inside] = weight[rows]
    return blocks


def _grid(layer: Layer, taps: torch.Size, side: int) -> tuple[list[int], float]:
    """Frequencies an axis, and the factor by which the largest square on them may be too small.

    Without dilation on its own grid; a dilated kernel takes, over all angles, the values of the plain one.
    """
    padded = [n + 2 * p for n, p in zip(layer.input_shape[1:], layer.padding, strict=True)]
    padded = [1, *padded] if len(padded) == 1 else padded
    coarse = [ANGLES * (k - 1) if k > 1 else 1 for k in taps]
    own = all(d == 1 for d in layer.dilation) and (
        math.prod(padded) * side**3 <= DEAR or math.prod(padded) <= math.prod(coarse)
    )
    if own:
        return padded, 1.0
    return coarse, math.prod(math.cos(math.pi * (k - 1) / n) for k, n in zip(taps, coarse, strict=True))


def _correlations(kernel: Tensor) -> tuple[Tensor, Tensor]:
    """Shifts [D, 2] and matrices [D, in, in] such that A(t)^H A(t) = sum_D exp(i shift . t) matrix."""
    out, side, height, width = kernel.shape
    places = list(itertools.product(range(height), range(width)))
    stacked = kernel.permute(0, 2, 3, 1).reshape(out, -1)
    blocks = (stacked.T @ stacked).reshape(len(places), side, len(places), side)
    found: dict[tuple[int, int], Tensor] = {}
    for a, b in itertools.product(range(len(places)), repeat=2):
        shift = (places[b][0] - places[a][0], places[b][1] - places[a][1])
        found[shift] = found.get(shift, 0.0) + blocks[a, :, b]
    return torch.tensor(list(found), dtype=torch.float64), torch.stack(list(found.values()))


def _largest(grams: _Grams, side: int) -> float:
    """An upper bound on the largest eigenvalue of positive semidefinite matrices, given in chunks [F, side, side]."""
    if side <= EIGEN_SIDE:
        return max(0.0, max(float(torch.linalg.eigvalsh(gram)[:, -1].max()) for gram in grams)) * _rounding(side)
    top = max(_likely(gram) for gram in grams)
    return _proven(grams, top, side) * _rounding(side)


def _likely(gram: Tensor) -> float:
    """A good lower bound on the largest eigenvalue in a chunk: a few iterations for all, many for the best one."""
    best = int(_by_power(gram, 4).argmax())
    return float(_by_power(gram[best : best + 1], 60).max())


def _proven(grams: _Grams, top: float, side: int) -> float:
    """A number, from `top` on, above all eigenvalues: t I - G has a Cholesky factor for every matrix G."""
    unit = torch.eye(side, dtype=torch.float64)
    top *= 1 + SLACK
    for gram in grams:
        missed = gram
        while len(missed):
            missed = missed[torch.linalg.cholesky_ex(top * unit - missed).info > 0]
            if len(missed):
                top = max(top, float(_by_power(missed, 30).max())) * (1 + SLACK)
    return top


def _by_power(gram: Tensor, iterations: int) -> Tensor:
    """A lower bound [F] on the largest eigenvalue of each matrix of the chunk."""
    start = torch.randn(gram.shape[-1], 1, dtype=torch.float64, generator=generator(0, "power"))
    v = start.to(gram.dtype).expand(len(gram), -1, 1)
    for _ in range(iterations):
        v = gram @ (v / v.norm(dim=1, keepdim=True).clamp_min(torch.finfo(torch.float64).tiny))
    return v.norm(dim=1)[:, 0]


def _rounding(side: int) -> float:
    """A factor for the rounding of eigenvalues and of Cholesky factors (Higham 2002, Theorem 10.5)."""
    return 1 + 4 * side * (side + 1) * torch.finfo(torch.float64).eps
