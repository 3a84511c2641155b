"""Distances of students to their teachers up to the symmetries of tanh networks."""

from __future__ import annotations

import pandas as pd
from torch import nn

from sparsenn_core.recovery import quotient_distance


def up_to_symmetry(pairs: list[tuple[nn.Module, nn.Module]]) -> pd.DataFrame:
    """One row a pair of teacher and student, squared: their distance up to symmetry, at most (`quotient`) and at least
    (`quotient_lower`), whether the former is `certified` to be the least, and the norm of the `teacher`.
    """
    rows = []
    for teacher, student in pairs:
        found = quotient_distance(teacher, student)
        rows.append(
            {
                "quotient": found.distance**2,
                "quotient_lower": found.lower**2,
                "certified": found.certified,
                "teacher": sum(float(w.detach().double().square().sum()) for w in teacher.parameters()),
            }
        )
    return pd.DataFrame(rows)
