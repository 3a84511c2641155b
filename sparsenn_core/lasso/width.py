"""How many neurons a layer needs at most, and at least, from the ranks of its data."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sparsenn_core.errors import InputError
from sparsenn_core.lasso.rank_reduction import RANK_TOLERANCE, checked
from sparsenn_core.lasso.scaling import Scaling

Array = NDArray[np.float64]


@dataclass(frozen=True)
class WidthBounds:
    """Bounds on the width of the sparsest solution for Phi [K, N], Psi [D, N] with ranks p and q <= p.

    Upper bounds, each on the number of nonzero columns of some solution of the multi-task lasso:

    - `caratheodory` = ND + 1: Caratheodory's theorem in R^{ND}.
    - `squared` = N^2: representer theorem, Shenouda, Parhi, Lee, Nowak (2023), arXiv:2305.16534, abstract.
    - `jacot` = N(N + 1): Jacot et al. (2022), for deep layers (quoted from memory of the paper).
    - `product` = pq: the bound of arXiv:2305.16534 in the ranks of the data.
    - `sharp` = pq - q(q-1)/2: derived in this book, attained (see `sparsify`).

    Lower bounds: `least` = q for any targets; `least_generic` = p for targets in general position in the row space of
    Phi, that is, not made from a sparser V.
    Numerical ranks depend on the tolerance: `ranks` lists them at others. `outside` is the share of Psi (Frobenius)
    that is not in the row space of Phi; beyond rounding the constrained problem is infeasible, and the bounds hold for
    the fitted values of the penalised one. `vacuous` where the sharp bound is no less than K.
    """

    neurons: int
    samples: int
    outputs: int
    rtol: float
    rank_features: int
    rank_targets: int
    outside: float
    features_spectrum: Array
    targets_spectrum: Array

    @property
    def caratheodory(self) -> int:
        return self.samples * self.outputs + 1

    @property
    def squared(self) -> int:
        return self.samples**2

    @property
    def jacot(self) -> int:
        return self.samples * (self.samples + 1)

    @property
    def product(self) -> int:
        return self.rank_features * self.rank_targets

    @property
    def sharp(self) -> int:
        return self.product - self.rank_targets * (self.rank_targets - 1) // 2

    @property
    def least(self) -> int:
        return self.rank_targets

    @property
    def least_generic(self) -> int:
        return self.rank_features if self.rank_targets else 0

    @property
    def vacuous(self) -> bool:
        return self.sharp >= self.neurons

    def ranks(self, rtols: Iterable[float] = (1e-4, 1e-6, 1e-8, 1e-10, 1e-12)) -> dict[float, tuple[int, int]]:
        """(rank Phi, rank Psi) at each tolerance."""
        return {r: (_rank(self.features_spectrum, r), _rank(self.targets_spectrum, r)) for r in rtols}


def width_bounds(features: ArrayLike, targets: ArrayLike, rtol: float = RANK_TOLERANCE) -> WidthBounds:
    """The bounds for features Phi [K, N], targets Psi [D, N]; singular values below `rtol` of the largest are zero.

    Raises `InputError` for NaN, shapes that do not match and an rtol outside (0, 1). Cost: two thin SVDs.
    """
    if not 0 < rtol < 1:
        raise InputError(f"lasso: rtol is {rtol}; it must lie between 0 and 1, for example {RANK_TOLERANCE:g}")
    phi, psi, _ = checked(np.asarray(features)[None], np.asarray(targets)[None], None)
    scaling = Scaling.of(phi, psi)
    phi, psi, _ = scaling.data(phi, psi, None)
    _, spectrum, wt = np.linalg.svd(phi[0], full_matrices=False)
    targets_spectrum = np.linalg.svd(psi[0], compute_uv=False)
    p = _rank(spectrum, rtol)
    size = np.linalg.norm(psi)
    outside = np.linalg.norm(psi[0] - (psi[0] @ wt[:p].T) @ wt[:p])
    return WidthBounds(
        neurons=phi.shape[1],
        samples=phi.shape[2],
        outputs=psi.shape[1],
        rtol=rtol,
        rank_features=p,
        rank_targets=min(p, _rank(targets_spectrum, rtol)),
        outside=float(outside / size) if size > 0 else 0.0,
        features_spectrum=np.ldexp(spectrum, int(scaling.features[0])),
        targets_spectrum=np.ldexp(targets_spectrum, int(scaling.targets[0])),
    )


def _rank(spectrum: Array, rtol: float) -> int:
    return int((spectrum > rtol * spectrum[0]).sum())
