"""The tasks of pictures, the test of every run, and the cells of the earlier comparison."""

from __future__ import annotations

import math

import pandas as pd
import pytest
import torch

from sparsenn_book.studies.sparse_layers import cells, comparison, lessons, recorded, tasks
from sparsenn_book.studies.sparse_layers.methods import DENSE, METHODS
from sparsenn_book.studies.sparse_layers.settings import TaskSettings, TrainingSettings
from sparsenn_book.studies.sparse_layers.tasks import TASKS
from sparsenn_book.studies.sparse_layers.training import Cell, train, weights
from sparsenn_book.studies.sparse_layers.training import masks as layer_masks
from sparsenn_book.studies.sparse_layers.training import test_errors as run_errors
from sparsenn_core.datasets import Images
from sparsenn_core.errors import InputError
from sparsenn_core.randomness import generator

SEED = 11
PICTURES = TaskSettings(50, 32, SEED, ("fashion", "fashion_cnn"), pictures=96, picture_steps=6)


@pytest.fixture
def drawn_pictures(monkeypatch: pytest.MonkeyPatch) -> Images:
    """Random pictures in place of Fashion-MNIST's; those of the test are ones, those for training are below."""
    x, y = torch.rand(4000, 1, 28, 28, generator=generator(0, "x")), torch.arange(4000) % 10
    drawn = Images(x, y, torch.ones(20, 1, 28, 28), y[:20], False, "drawn")
    monkeypatch.setattr(tasks, "_fashion", lambda: drawn)
    return drawn


@pytest.mark.parametrize("name", ["fashion", "fashion_cnn"])
@pytest.mark.parametrize("method", ["gradual", "soft", "edge-popup", "as in the study"])
def test_tasks_of_pictures(drawn_pictures, name, method):
    """With random pictures: every layer that should be sparse is, at the same counts in all runs."""
    task, own = PICTURES.of(TASKS[name])
    assert (task.samples, own.steps) == (96, 6)
    sparsity = 0.75
    ensemble, _, data = train(task, METHODS[method], [Cell(sparsity, 0.01, seed) for seed in (1, 2)], own, "cpu")
    assert data.steps == 6
    for layer in task.sparse:
        left = layer_masks(ensemble, layer).double().mean((1, 2))
        assert left.tolist() == [0.25, 0.25]
    assert all(0 <= error <= 1 for error in run_errors(task, ensemble, data))
    measured = comparison.of_masks(task, layer_masks(ensemble, task.sparse[0]), weights(ensemble, task.sparse[0]))
    assert measured["read"].shape == (2,)


def test_rates_are_tried_on_pictures_that_no_test_has(drawn_pictures):
    """The test's pictures choose nothing, and no picture is trained on and tested on in one run."""
    x, _, test_x, _ = TASKS["fashion"].for_tuning().draw(1, 500)
    assert len(test_x) == tasks.TEST_SAMPLES
    both = torch.cat([x, test_x])
    assert both.max() < 1
    assert len(both.unique(dim=0)) == 500 + tasks.TEST_SAMPLES
    reported = TASKS["fashion"].draw(1, 500)
    assert (reported[2] == 1).all()
    assert not torch.equal(reported[0], TASKS["fashion"].draw(2, 500)[0])
    assert TASKS["digits"].for_tuning() is TASKS["digits"]
    with pytest.raises(InputError, match="pictures: 4001 are more than the 4000 there are for training"):
        TASKS["fashion"].draw(1, 4001)


def test_every_run_is_tested_on_its_own_samples():
    """Serially, a network a run."""
    task = TASKS["linear"]
    cells_ = [Cell(0.9, 0.01, seed) for seed in (4, 5, 4)]
    ensemble, _, data = train(task, METHODS["random"], cells_, TrainingSettings(5, 32, SEED), "cpu")
    for run, (seed, error) in enumerate(zip((4, 5, 4), run_errors(task, ensemble, data), strict=True)):
        _, _, x, y = task.draw(seed, 5 * 32)
        with torch.no_grad():
            assert float((ensemble[run](x) - y).square().mean()) == pytest.approx(error, rel=1e-5)


@pytest.mark.parametrize(
    ("errors", "verdict"),
    [
        ([1.0, 1.1, 0.9], cells.BETTER),
        ([5.3, 5.2, 5.4], cells.WITHIN),
        ([6.8, 6.9, 7.1], cells.WITHIN),  # above the mean by less than the spread
        ([9.0, 9.1, 9.2], cells.WORSE),
        ([1.0, 1.1, math.inf], cells.WORSE),
        ([1.0, 9.0, 30.0], cells.WITHIN),  # too wide to say
    ],
)
def test_a_cell_is_compared_with_its_recorded_spread(errors, verdict):
    """Random masks on the linear task at 0.98: 5.26 with a spread of 1.7 was recorded."""
    rows = pd.DataFrame({"task": "linear", "method": "random", "sparsity": 0.98, "run": range(3), "error": errors})
    found = cells.beside(rows, rows[:0])
    assert (found["recorded"].item(), found["spread"].item()) == (5.26, 1.7)
    assert found["verdict"].item() == verdict
    assert cells.counts(found)[verdict].item() == 1


def test_cells_that_were_not_recorded_are_left_out():
    rows = pd.DataFrame({"task": ["fashion", "linear", "linear"], "method": ["soft", DENSE, "soft"],
                         "sparsity": [0.95, 0.0, 0.99], "run": 0, "error": 1.0})  # fmt: skip
    assert cells.beside(rows, rows).empty
    assert recorded.recorded("digits", "soft", 0.98) == (0.03, 0.009)


def test_lessons_tell_of_pictures_where_there_are_some():
    """Dense 15 %, best mask 16 %, random 20 %, on both tasks."""
    errors = {DENSE: 0.15, "soft": 0.16, "random": 0.2}
    rows = pd.DataFrame([
        {"task": task, "method": m, "sparsity": 0.0 if m == DENSE else 0.95, "run": run, "error": error}
        for task in ("fashion", "fashion_cnn") for m, error in errors.items() for run in range(2)
    ])  # fmt: skip
    text = lessons._on_pictures(rows)
    assert "4 to 4 percentage points better" in text
    assert text.count("16.0% with the best mask (soft), 20.0% with a random one and 15.0% dense") == 2
