"""What the study recorded of all six experiments, runs with the wrong teacher among them."""

from __future__ import annotations

import numpy as np
import pandas as pd

from sparsenn_book.sources.project import data_file

FITS = 0.99
"""R2 from which a run fits, here as everywhere in this chapter."""


def all_recorded() -> pd.DataFrame:
    """Every recorded run of experiments 1 to 6 whose checkpoint could be read.

    Further columns: `same` (teacher and student have one activation), `kept` (the share of weights of at least 1e-4),
    `outcome` (fitted, partial or collapsed; weights were not compared with the teacher's).
    """
    files = ("l1_recorded_runs.csv", "l1_recorded_experiments_3_to_6.csv")
    runs = pd.concat([pd.read_csv(data_file(name)) for name in files], ignore_index=True)
    kept = runs[[f"kept_{i}_1e-4" for i in (1, 2, 3)]].sum(axis=1)
    weights = runs[[f"weights_{i}" for i in (1, 2, 3)]].sum(axis=1)
    outcome = np.select([runs["collapsed"], runs["r2"] < FITS], ["collapsed", "partial"], "fitted")
    same = runs["teacher_activation"] == runs["student_activation"]
    return runs.assign(same=same, kept=kept / weights, outcome=outcome)


def literal(runs: pd.DataFrame) -> pd.DataFrame:
    """The runs whose teacher had the weights that the study gives it."""
    return runs[runs["teacher_is_literal"]]


def averages(runs: pd.DataFrame) -> pd.DataFrame:
    """The study's kind of table for runs of one activation, mean loss and mean share of weights kept by experiment and
    penalty, over all runs and over those with the right teacher, beside what became of the latter."""
    rows = []
    for (experiment, penalty), group in runs[runs["same"]].groupby(["experiment", "penalty"]):
        right = literal(group)
        rows.append(
            {
                "experiment": experiment,
                "penalty": {"l1": "L1", "l2": "L2"}.get(str(penalty), penalty),
                "runs": len(group),
                "wrong teacher": len(group) - len(right),
                "mean loss, all": _short(group["objective"].mean()),
                "mean loss, right teacher": _short(right["objective"].mean()) if len(right) else "-",
                "of these fitted": int((right["outcome"] == "fitted").sum()),
                "partial": int((right["outcome"] == "partial").sum()),
                "collapsed": int((right["outcome"] == "collapsed").sum()),
            }
        )
    return pd.DataFrame(rows).set_index(["experiment", "penalty"])


def _short(value: float) -> str:
    return f"{value:.2g}"
