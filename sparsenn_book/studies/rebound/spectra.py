"""The curvature of the loss at the teachers."""

from __future__ import annotations

import pandas as pd

from sparsenn_book.studies.rebound.settings import SpectrumSettings
from sparsenn_book.studies.rebound.teachers import draw
from sparsenn_core.linearized import spectrum


def spectra(settings: SpectrumSettings) -> pd.DataFrame:
    """Eigenvalues of the Gauss-Newton matrix, largest first: biases (tiny, uniform), run, index from 1, value."""
    frames = []
    for biases in ("tiny", "uniform"):
        changes = {"num_runs": settings.spectrum_runs, "dataset_size": settings.spectrum_size, "biases": biases}
        drawn = draw(settings.condition(**changes))
        for run, teacher in enumerate(drawn.teachers):
            values = spectrum(teacher, drawn.data.inputs[run])
            columns = {"biases": biases, "run": run, "index": range(1, len(values) + 1), "value": values}
            frames.append(pd.DataFrame(columns))
    return pd.concat(frames, ignore_index=True)
