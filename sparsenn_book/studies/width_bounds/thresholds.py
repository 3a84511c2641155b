"""What a threshold on ||v_k|| counts: the study's formulation and a conic solver on problems of known width."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from sparsenn_book.studies.width_bounds.problems import dimension_problems
from sparsenn_book.studies.width_bounds.reference import reference_solve

STUDYS_CUT = 1e-7  # the study counts neurons with ||v_k|| above this
CUTS = (1e-10, STUDYS_CUT, 1e-4)


@dataclass(frozen=True)
class ThresholdSettings:
    """The first `conic` dimension problems of the smallest N in `samples`."""

    samples: tuple[int, ...]
    conic: int
    seed: int


def thresholds(settings: ThresholdSettings, dimension: pd.DataFrame) -> pd.DataFrame:
    """One row a problem and cut: how many ||v_k|| are above it (`count`), the certified width, and by how much the
    conic solver's objective is above the certified one.
    """
    samples = settings.samples[0]
    features, targets = dimension_problems(samples, settings.conic, settings.seed)
    certified = dimension[dimension["samples"] == samples].set_index("rep")
    rows = []
    for problem in range(min(settings.conic, len(certified))):
        v, objective = reference_solve(features[problem], targets[problem])
        length, known = np.linalg.norm(v, axis=0), certified.loc[problem]
        found = {"problem": problem, "certified": int(known["width"]), "above": objective - known["objective"]}
        rows += [found | {"cut": cut, "count": int((length > cut).sum())} for cut in CUTS]
    return pd.DataFrame(rows)
