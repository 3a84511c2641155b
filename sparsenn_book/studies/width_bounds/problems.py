"""The random problems of the width study (github.com/joeshenouda/vv-spaces-nn-width), seeded, by the repetition.

The published figures were drawn without a seed, so only distributions can be compared. Every repetition has its own
generator: the first ten of a hundred are the ten of a run of ten.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sparsenn_core.randomness import derive_seed

Array = NDArray[np.float64]
Problems = tuple[Array, Array]  # features [R, K, N], targets [R, D, N]


def dimension_problems(samples: int, count: int, seed: int, outputs: int = 10, width: int = 500) -> Problems:
    """Gaussian features and targets, K = 500, D = 10; the study's N are 10, 20, 30, 40."""
    streams = [np.random.default_rng(derive_seed(seed, "dimension", samples, rep)) for rep in range(count)]
    pairs = [(r.standard_normal((width, samples)), r.standard_normal((outputs, samples))) for r in streams]
    return np.stack([x for x, _ in pairs]), np.stack([y for _, y in pairs])


def rank_problems(
    rank: int, count: int, seed: int, outputs: int | None = None, width: int = 200, samples: int = 20
) -> Problems:
    """Features of rank r_x in {2, 5, 10, 20} among N = 20 samples, targets in their row space.

    The study's code draws D = r_x targets (`outputs` None); the titles of its figure say D = 10.
    """
    features, targets = [], []
    for rep in range(count):
        r = np.random.default_rng(derive_seed(seed, "rank", rank, rep))
        x = r.standard_normal((width, rank)) @ r.standard_normal((rank, samples))
        features.append(x)
        targets.append(r.standard_normal((rank if outputs is None else outputs, width)) @ x)
    return np.stack(features), np.stack(targets)


def small_problems(width: int, count: int, seed: int, outputs: int = 2, samples: int = 3) -> Problems:
    """The problems of the study's brute force: D = 2, N = 3, K = 7, ..., 11."""
    streams = [np.random.default_rng(derive_seed(seed, "small", width, rep)) for rep in range(count)]
    pairs = [(r.standard_normal((width, samples)), r.standard_normal((outputs, samples))) for r in streams]
    return np.stack([x for x, _ in pairs]), np.stack([y for _, y in pairs])
