"""The norms of one layer that bounds ask for."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

from sparsenn_core.bounds import norms
from sparsenn_core.bounds.spectral import spectral_upper
from sparsenn_core.networks import Layer


@dataclass(frozen=True)
class LayerNorms:
    """Norms of one layer's map and kernel, each computed when first asked for. `reference` is the same layer of the
    network that distances are taken from; None is zero.
    """

    layer: Layer
    reference: Layer | None

    @cached_property
    def spectral(self) -> float:
        """||A||_2, certified from above."""
        return spectral_upper(self.layer)

    @cached_property
    def moved_spectral(self) -> float:
        """||A - A0||_2, certified from above."""
        return self.spectral if self.reference is None else spectral_upper(self._moved)

    @cached_property
    def reference_spectral(self) -> float:
        """||A0||_2, certified from above; 0 without a reference."""
        return 0.0 if self.reference is None else spectral_upper(self.reference)

    @cached_property
    def frobenius(self) -> float:
        """||A||_F."""
        return norms.frobenius(self.layer)

    @cached_property
    def one_inf(self) -> float:
        """||A||_{1,inf}."""
        return norms.one_inf(self.layer)

    @cached_property
    def largest_row(self) -> float:
        """||A||_{2,inf}."""
        return norms.largest_row(self.layer)

    @cached_property
    def kernel(self) -> float:
        """The kernel's Frobenius norm: max over nodes of ||w_j||_F where positions share their weights."""
        return norms.kernel_frobenius(self.layer)

    @cached_property
    def moved_rows(self) -> float:
        """||(A - A0)^T||_{2,1}."""
        return norms.rows_l2(self._moved)

    @cached_property
    def moved_taps(self) -> float:
        """||K - K0||_{2,1} as Graf et al. have it; of the linear map of units the sum over units."""
        return norms.taps_l2(self._moved)

    @cached_property
    def moved_filters(self) -> float:
        """Sum over filters of ||K - K0||_2."""
        return norms.filters_l2(self._moved)

    @cached_property
    def moved_kernel(self) -> float:
        """||K - K0||_F."""
        return norms.kernel_frobenius(self._moved)

    @property
    def entries(self) -> int:
        """Number of weights."""
        return self.layer.weight.numel()

    @property
    def positions(self) -> int:
        """Number of output nodes."""
        return math.prod(self.layer.output_shape[1:])

    @property
    def _moved(self) -> Layer:
        return norms.difference(self.layer, self.reference)
