"""What the study recorded of experiments 1 and 2, for the runs that can be compared."""

from __future__ import annotations

import numpy as np
import pandas as pd

from sparsenn_book.sources.project import data_file


def recorded_runs() -> pd.DataFrame:
    """Runs of experiments 1 and 2 with the literal teacher and the same activation in teacher and student.

    `outcome` as for the runs here, as far as records tell: weights were not compared with the teacher's, so a run that
    fits is "fitted"; a relu student is dead where its error is that of the output zero, to one part in a hundred.
    """
    runs = pd.read_csv(data_file("l1_recorded_runs.csv"))
    same = runs["teacher_activation"] == runs["student_activation"]
    runs = runs[runs["teacher_is_literal"] & same & runs["experiment"].isin([1, 2])]
    runs = runs.rename(columns={"student_activation": "activation"}).reset_index(drop=True)
    zero_error = 4.9602  # of the relu teacher, mean squared output
    outcomes = ["dead", "collapsed", "partial"]
    dead = (runs["activation"] == "relu") & (runs["mse"] / zero_error - 1).abs().lt(0.02) & runs["collapsed"]
    return runs.assign(outcome=np.select([dead, runs["collapsed"], runs["r2"] < 0.99], outcomes, "fitted"))
