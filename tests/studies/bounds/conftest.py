"""All tables of the chapter once, very small."""

import itertools

import pandas as pd
import pytest

from sparsenn_book.studies import bounds as study
from sparsenn_book.studies.l1_path.settings import Objective
from sparsenn_book.studies.l1_path.students import start, weights_table

STUDY = study.StudySettings("digits", 120, ("readme", "code"), (2, 3), (2, 4), 2, 1, 0.5, 0.001, 3)
DEEP = study.DeepSettings("digits", 60, 50, ("readme",), (2, 3, 4), (2, 3), 2, 0.5, 0.001, 3)
SEARCH = study.SearchSettings(3, 4, (32,), 3, 3)
GROWTH = study.GrowthSettings((1, 3, 5), (4, 16), (64, 256), 3)
GRID = study.GridSettings((2,), (2, 4), (60, 240), (0.0, 0.01), (0.0, 0.3), 4, 0.5, 0.001, 3)
POSTERIOR = study.PosteriorSettings("digits", 300, 2, 3, 20, 10, 0.5, 0.001, 3)


STUDENTS = study.StudentSettings(64, 0.5)


def l1_tables() -> list[pd.DataFrame]:
    """Students as the L1 chapter writes them down, untrained; L1 and L2 at half the weights, one collapsed."""
    rows = [
        {"student": "multi_channel", "activation": "relu", "penalty": p, "init_scale": 1.0, "seed": s}
        for p, s in itertools.product(("none", "l1", "l2"), range(1, 9))
    ]
    ended = pd.DataFrame(rows)
    weights = weights_table(start(ended, Objective()))
    shrunk = weights["run"].isin(ended.index[ended["penalty"] != "none"])
    weights.loc[shrunk, "value"] /= 2
    kept = {f"kept_{layer}_1e-2": [layer] * len(ended) for layer in (1, 2, 3)}
    outcome = ["collapsed" if seed == 8 else "fitted" for seed in ended["seed"]]
    return [ended, weights, ended.assign(**kept, outcome=outcome)]


@pytest.fixture(scope="session")
def settings() -> study.StudySettings:
    """Those of the study's networks."""
    return STUDY


@pytest.fixture(scope="session")
def deep() -> study.DeepSettings:
    """Those of the networks of all depths."""
    return DEEP


@pytest.fixture(scope="session")
def tables() -> dict[str, pd.DataFrame]:
    """Every table of the chapter, by name."""
    made = study.training.followed(STUDY)
    made |= study.training.deeper(DEEP)
    made["counterexamples"] = study.search.counterexamples(SEARCH)
    made["slack"] = study.search.slack(SEARCH)
    made["growth"] = study.growth.growth(GROWTH)
    made["rescaled"] = study.growth.rescaled(GROWTH)
    made["grid"] = study.correlation.networks(GRID)
    made["correlations"] = study.correlation.rank_correlations(made["grid"])
    made["posteriors"] = study.posterior.posteriors(POSTERIOR)
    made["students"] = study.students.students(STUDENTS, *l1_tables())
    return made
