"""All tables of the chapter once, very small."""

import pandas as pd
import pytest

from sparsenn_book.studies import bounds as study

STUDY = study.StudySettings("digits", 120, ("readme", "code"), (2, 3), (2, 4), 2, 1, 0.5, 0.001, 3)
SEARCH = study.SearchSettings(3, 4, (32,), 3, 3)
GROWTH = study.GrowthSettings((1, 3, 5), (4, 16), (64, 256), 3)
GRID = study.GridSettings((2,), (2, 4), (60, 240), (0.0, 0.01), (0.0, 0.3), 4, 0.5, 0.001, 3)
POSTERIOR = study.PosteriorSettings("digits", 300, 2, 3, 20, 10, 0.5, 0.001, 3)


@pytest.fixture(scope="session")
def settings() -> study.StudySettings:
    """Those of the study's networks."""
    return STUDY


@pytest.fixture(scope="session")
def tables() -> dict[str, pd.DataFrame]:
    """Every table of the chapter, by name."""
    made = study.training.followed(STUDY)
    made["counterexamples"] = study.search.counterexamples(SEARCH)
    made["slack"] = study.search.slack(SEARCH)
    made["growth"] = study.growth.growth(GROWTH)
    made["rescaled"] = study.growth.rescaled(GROWTH)
    made["grid"] = study.correlation.networks(GRID)
    made["correlations"] = study.correlation.rank_correlations(made["grid"])
    made["posteriors"] = study.posterior.posteriors(POSTERIOR)
    return made
