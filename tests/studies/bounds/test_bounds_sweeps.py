"""The parameter files that run the study's networks by either schedule: checked and planned, not run."""

from __future__ import annotations

import itertools

import pytest

from sparsenn_book.sources.project import Project
from sparsenn_book.studies.bounds import recorded
from sparsenn_book.sweeps.planning import plan
from sparsenn_book.sweeps.sweep_file import find


@pytest.mark.parametrize(("schedule", "epochs"), [("readme", 500), ("code", 510)])
def test_the_studys_schedules_are_parameter_files_at_its_own_widths(schedule: str, epochs: int) -> None:
    project = Project.find()
    runs = plan(project, find(project, f"bounds_study_{schedule}"))
    shapes = [(run.parameters["depths"], run.parameters["widths"]) for run in runs]
    assert shapes == [([depth], [width]) for depth, width in itertools.product(range(3, 9), recorded.WIDTHS)]
    for run in runs:
        assert run.parameters["schedules"] == [schedule]
        assert (run.parameters["dataset"], run.parameters["samples"]) == ("fashion-mnist", 60_000)
        # the last look is at the last epoch
        assert run.parameters["epochs"] == epochs
        assert epochs % run.parameters["every"] == 0
