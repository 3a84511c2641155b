"""The closed form of the expected objective beside the sum over all gates."""

from __future__ import annotations

import pandas as pd
import torch

from sparsenn_book.studies.compressive_sensing.objective import enumerated_loss, expected_loss
from sparsenn_core.randomness import generator


def identity(draws: int, seed: int) -> pd.DataFrame:
    """Both sides of the identity on `draws` random regressions of 8 gates: one row a draw, columns draw, closed_form,
    enumerated, and difference, their relative difference.
    """
    source = generator(seed, "identity")
    rows = []
    for draw in range(draws):
        design = torch.randn(6, 8, generator=source, dtype=torch.float64)
        response = torch.randn(6, generator=source, dtype=torch.float64)
        w = torch.randn(8, generator=source, dtype=torch.float64)
        gamma = torch.rand(8, generator=source, dtype=torch.float64)
        slow = float(enumerated_loss(design, response, w, gamma, 0.7, 0.3))
        fast = float(expected_loss(design, response, w[:, None], gamma[:, None], 0.7, 0.3)[0])
        rows.append({"draw": draw, "closed_form": fast, "enumerated": slow, "difference": abs(fast / slow - 1)})
    return pd.DataFrame(rows)
