"""What runs of the study's schedule that were cut are above the least found, and the claim about it."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from sparsenn_book.records.claims import Claim
from sparsenn_book.records.estimates import exact
from sparsenn_book.studies.l1_path.all_recorded import all_recorded, literal
from sparsenn_book.studies.l1_path.claims_of_experiments import least_solved, solved_of
from sparsenn_book.studies.l1_path.short_schedules import CELLS

RUNS, EPOCHS, SAMPLES = 15, 16, 100_000
"""What the claim is about: five seeds in each of three experiments, where they are cut, and their inputs."""


def short_of(tables: Mapping[str, pd.DataFrame], kind: str = "short") -> pd.DataFrame:
    """All rows of the tables `<kind>_<experiment>`, one row a run; empty where there are none."""
    parts = [tables[f"{kind}_{e}"] for e in CELLS if f"{kind}_{e}" in tables]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


def above_least(short: pd.DataFrame, solved: pd.DataFrame) -> pd.DataFrame:
    """The runs of `short` whose case was solved, by their last weights: `times` the least objective found, and how far
    error (`error_above`) and penalty (`penalty_above`) lie above those of that minimiser."""
    best = least_solved(solved)
    cases = pd.MultiIndex.from_frame(short[["experiment", "activation"]])
    known = short[cases.isin(best.index)]
    found = best.loc[cases[cases.isin(best.index)]]
    objective, loss = found["objective"].to_numpy(), found["loss"].to_numpy()
    return known.assign(
        times=(known["loss"] + known["penalty_value"]) / objective,
        error_above=known["loss"] - loss,
        penalty_above=known["penalty_value"] - (objective - loss),
    )


def recorded_beside(short: pd.DataFrame) -> pd.DataFrame:
    """The recorded L1 runs of the right teacher with the activation, initial scale and learning rate of these."""
    keys = ["experiment", "student_activation", "init_scale", "learning_rate"]
    cells = short.rename(columns={"activation": "student_activation"})[keys].drop_duplicates()
    return literal(all_recorded()).query("same and penalty == 'l1'").merge(cells, on=keys)


def about_schedules(tables: Mapping[str, pd.DataFrame]) -> list[Claim]:
    """Of what the rest consists when the schedule is cut. Where penalty and error are equal, neither is the larger."""
    short, solved = short_of(tables), solved_of(tables)
    runs = above_least(short, solved) if len(short) and len(solved) else pd.DataFrame()
    known = len(runs) == RUNS and set(runs["epochs"]) == {EPOCHS} and set(runs["samples"]) == {SAMPLES}
    penalty = int((runs["penalty_above"] > runs["error_above"]).sum()) if known else 0
    return [
        Claim(
            key="l1.cut-leaves-penalty",
            statement=f"Where the study's schedule is cut after {EPOCHS} epochs in experiments 3 to 5, penalty makes "
            "up more than half of what the objective still lies above the least found, and error the smaller part: in "
            f"all {RUNS} runs (tanh, tanh and relu, 5 seeds each).",
            source="this book", measured=exact(penalty, RUNS, "runs") if known else None, ours=(RUNS, RUNS),
            enough=RUNS, prior=True,
        )
    ]  # fmt: skip
