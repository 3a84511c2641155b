"""The cells of the earlier comparison, task by method by sparsity, beside those measured here."""

from __future__ import annotations

import numpy as np
import pandas as pd

from sparsenn_book.records.estimates import mean_interval
from sparsenn_book.studies.sparse_layers.recorded import recorded

BETTER, WITHIN, WORSE = "better", "within its spread", "worse"
SAME, TUNED = "its steps and rate", "steps and rates of this page"


def beside(again: pd.DataFrame, errors: pd.DataFrame) -> pd.DataFrame:
    """For every recorded cell that was measured: task, method, sparsity, how (SAME or TUNED), recorded, spread, runs,
    mean, low, high (Student t interval, 95 %) and verdict.

    A cell is better or worse where the whole interval lies below the recorded mean less its spread, or above the mean
    and its spread, and within it else. A run that diverged makes the cell worse.
    """
    rows = []
    for how, table in ((SAME, again), (TUNED, errors)):
        for (task, method, sparsity), runs in table.groupby(["task", "method", "sparsity"], sort=False):
            known = recorded(str(task), str(method), float(sparsity))
            if known is not None:
                cell = {"task": task, "method": method, "sparsity": sparsity, "how": how, "runs": len(runs)}
                rows.append(cell | {"recorded": known[0], "spread": known[1]} | _measured(runs["error"], *known))
    columns = ["task", "method", "sparsity", "how", "runs", "recorded", "spread", "mean", "low", "high", "verdict"]
    return pd.DataFrame(rows, columns=columns)


def counts(cells: pd.DataFrame) -> pd.DataFrame:
    """How many cells of each task are better, within the spread and worse, at either settings."""
    found = cells.groupby(["task", "how"], sort=False)["verdict"].value_counts().unstack(fill_value=0)
    found = found.reindex(columns=[BETTER, WITHIN, WORSE], fill_value=0).reset_index()
    return found.rename(columns={"how": "settings"}).rename_axis(columns=None)


def _measured(errors: pd.Series, recorded_mean: float, spread: float) -> dict[str, float | str]:
    if not np.isfinite(errors).all():
        return {"mean": np.inf, "low": np.inf, "high": np.inf, "verdict": WORSE}
    found = mean_interval(errors)
    verdict = WITHIN
    if found.high < recorded_mean - spread:
        verdict = BETTER
    elif found.low > recorded_mean + spread:
        verdict = WORSE
    return {"mean": found.value, "low": found.low, "high": found.high, "verdict": verdict}
