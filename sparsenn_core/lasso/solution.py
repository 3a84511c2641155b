"""What a solve hands back: one solution, or a batch of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Solution:
    """A certified solution of the multi-task lasso.

    Attributes:
        coef: V [D, K]; columns off the support are exactly zero.
        dual: L [D, N] with ||L phi_k|| <= 1 for every neuron, = 1 on the support. Penalised: L is the residual
            times 2 / (N D strength).
        objective: sum_k ||v_k||, or the penalised objective.
        gap: (objective - dual bound) / objective, on the data as given; at most about 1e-13 in float64 unless the
            features' condition number times 1e-16 is larger.
        residual: ||V Phi - Psi||_F / ||Psi||_F.
        support: [K], the neurons with v_k != 0.
        boundary: [K], the neurons with ||L phi_k|| = 1 (to 1e-9): no other neuron is used by any solution.
        unique: the atoms (L phi_k) x_k' of the boundary are linearly independent, which proves that this is the only
            solution and hence the sparsest. False means not proven: see `sparsify`.
        margin: 1 - max ||L phi_k|| off the support; every optimal V has ||v_k|| <= gap objective / margin there.
        strength: that of the penalised problem, None for V Phi = Psi.
        features, targets: the data [K, N], [D, N].
    """

    coef: Array
    dual: Array
    objective: float
    gap: float
    residual: float
    support: NDArray[np.bool_]
    boundary: NDArray[np.bool_]
    unique: bool
    margin: float
    strength: float | None
    features: Array
    targets: Array

    @property
    def width(self) -> int:
        """Number of neurons in use."""
        return int(self.support.sum())


@dataclass(frozen=True)
class Batch:
    """R solutions: the fields of `Solution`, each with R in front (`objective` [R], `coef` [R, D, K], ...)."""

    coef: Array
    dual: Array
    objective: Array
    gap: Array
    residual: Array
    support: NDArray[np.bool_]
    boundary: NDArray[np.bool_]
    unique: NDArray[np.bool_]
    margin: Array
    strength: Array | None
    features: Array
    targets: Array

    def __len__(self) -> int:
        return len(self.objective)

    def __getitem__(self, i: int) -> Solution:
        """The solution of problem i."""
        return Solution(
            coef=self.coef[i],
            dual=self.dual[i],
            objective=float(self.objective[i]),
            gap=float(self.gap[i]),
            residual=float(self.residual[i]),
            support=self.support[i],
            boundary=self.boundary[i],
            unique=bool(self.unique[i]),
            margin=float(self.margin[i]),
            strength=None if self.strength is None else float(self.strength[i]),
            features=self.features[i],
            targets=self.targets[i],
        )

    @property
    def width(self) -> NDArray[np.int64]:
        """Number of neurons in use, [R]."""
        return self.support.sum(-1)
