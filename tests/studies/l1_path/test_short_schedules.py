"""The study's schedule where it is cut: its tables, what is said of them, and the claim with its null."""

import pandas as pd
import pytest
import torch

from sparsenn_book.records.closure import closure
from sparsenn_book.studies.l1_path import pages_of_schedules as pages
from sparsenn_book.studies.l1_path.all_recorded import all_recorded
from sparsenn_book.studies.l1_path.claims_of_schedules import about_schedules, recorded_beside, short_of
from sparsenn_book.studies.l1_path.experiments import PAIRS
from sparsenn_book.studies.l1_path.short_schedules import CELLS, ShortSchedule, runs_of, shortened, start_of
from sparsenn_core import networks
from sparsenn_core.errors import InputError
from sparsenn_core.networks import literal_teacher
from sparsenn_core.randomness import generator

LEAST, ERROR = 3e-4, 1e-5  # of the made-up minimisers: objective, and the error in it


def made(error=1e-4, penalty=1e-3, seeds=5, epochs=16, samples=100_000):
    """Tables of runs whose error and penalty lie so far above those of one minimiser a case."""
    tables = {}
    for experiment, cell in CELLS.items():
        runs = runs_of(experiment, ShortSchedule(epochs, seeds, samples))
        values = {"loss": ERROR + error, "penalty_value": LEAST - ERROR + penalty, "r2": 0.999, "epochs": epochs}
        tables[f"short_{experiment}"] = runs.assign(objective=LEAST + error + penalty, **values)
        rows = [(e, name, e / 1000) for e in (0, 1, epochs) for name in ("epoch loss", "penalty")]
        curves = pd.DataFrame(rows, columns=["epoch", "name", "value"]).assign(experiment=experiment)
        tables[f"short_curves_{experiment}"] = pd.concat([curves.assign(seed=s) for s in runs["seed"]])
        least = {"experiment": experiment, "activation": cell.activation, "objective": LEAST, "loss": ERROR}
        tables[f"solved_{experiment}_{cell.activation}"] = pd.DataFrame([least])
    return tables


def solved(tables):
    return pd.concat([table for name, table in tables.items() if name.startswith("solved_")], ignore_index=True)


def verdict(tables):
    (claim,) = about_schedules(tables)
    return claim.verdict("full")


def test_the_claim_holds_where_penalty_is_the_larger_part_and_one_run_with_more_error_refutes_it():
    assert verdict(made()) == "stated here"
    assert verdict(made(error=1e-3, penalty=1e-4)) == "refuted"
    assert verdict(made(error=1e-3, penalty=1e-3)) == "refuted"
    tables = made()
    tables["short_5"].loc[4, "loss"] = 1.0
    assert verdict(tables) == "refuted"


@pytest.mark.parametrize("change", [{"seeds": 4}, {"epochs": 5}, {"samples": 1600}])
def test_runs_of_another_length_or_number_test_nothing(change):
    assert verdict(made(**change)) == verdict({}) == "not tested at this profile"


def test_a_case_without_a_minimiser_leaves_the_claim_untested():
    tables = made()
    del tables["solved_3_tanh"]
    assert verdict(tables) == "not tested at this profile"
    assert "experiment 3" not in pages.of_cut(tables, solved(tables)).split("times the least found")[1]


def test_the_sentence_says_where_runs_were_cut_and_of_what_the_excess_consists():
    tables = made(error=1e-4, penalty=3e-4)
    text = pages.of_cut(tables, solved(tables))
    assert "All 15 runs were cut after 16 epochs (100,000 steps on 100,000 inputs), while still training" in text
    assert "recorded runs of these groups took 393 to 785 epochs (the 9 whose epoch is recorded)" in text
    assert "At the cut 15 of 15 fit" in text
    assert "2.3 to 2.3 times in experiment 4 with tanh (75 % to 75 % of what is left is penalty)" in text
    assert text.endswith("Penalty is the larger part of what is left in 15 of 15 runs.")
    assert pages.of_cut(tables, pd.DataFrame()).endswith("fit (R² ≥ 0.99).")


def test_shown_are_full_tables_where_there_are_any():
    own, full = made(epochs=5, samples=1600, seeds=2), made()
    assert pages.shown(own, full, "laptop") is full
    assert pages.shown(own, {}, "laptop") is own
    assert pages.shown(full, own, "full") is full
    text = pages.of_source(own, full, "laptop")
    assert "This page itself trained for 5 epochs on 1,600 inputs" in text
    assert "1.40·10⁻³ in experiment 3" in text
    assert pages.of_source(own, {}, "laptop") == "Shown are this page's own runs, profile laptop."


def test_recorded_runs_beside_are_those_of_the_cells_whose_teacher_was_right():
    beside = recorded_beside(short_of(made()))
    assert beside.groupby("experiment").size().to_dict() == {3: 5, 4: 4, 5: 5}
    assert beside["teacher_is_literal"].all()
    assert len(beside) < len(all_recorded().query("same and penalty == 'l1' and init_scale == 0.2"))


def test_the_picture_has_every_run_and_every_recorded_end():
    tables = made()
    figure = pages.cut_runs(tables, solved(tables))
    drawn = [trace.name for trace in figure.data]
    assert drawn.count("this schedule, cut") == 15
    assert drawn.count("recorded, epochs unknown") == 5  # experiment 3
    assert sum(len(trace.x) for trace in figure.data if trace.name == "recorded") == 9
    assert drawn.count("least found") == 3
    assert all(min(trace.x) >= 1 for trace in figure.data if len(trace.x))  # the axis is logarithmic
    assert "least found" not in [trace.name for trace in pages.cut_runs(tables, pd.DataFrame()).data]


def test_starts_are_the_minimisers_random_starts():
    ensemble = start_of(runs_of(4, ShortSchedule(1, 2, 32)))
    alone = networks.student("fcn_128_128", "tanh", 0.2, generator(2, "init", 4))
    for name, weights in alone.named_parameters():
        assert torch.equal(ensemble.params[name][1], weights)


def test_a_run_is_plain_sgd_with_l1_on_shuffled_minibatches():
    tables = shortened(5, 1e-3, ShortSchedule(1, 1, 16), 500)  # one minibatch: its order does not count
    x = torch.randn(16, 12, generator=generator(1, "data"), dtype=torch.float64)
    y = literal_teacher("multi_channel", "relu")(x)
    net = networks.student("fcn_256_32", "relu", 0.2, generator(1, "init", 5))
    steps = torch.optim.SGD(net.parameters(), lr=0.005, momentum=0.9)
    penalty = 1e-3 * sum(w.abs().sum() for w in net.parameters())
    first = torch.nn.functional.mse_loss(net(x.float()), y.float()) + penalty
    first.backward()
    steps.step()
    (row,) = tables["short_5"].itertuples(index=False)
    error = float((net.double()(x) - y).square().mean().detach())
    assert row.objective == pytest.approx(float(first.detach()), rel=1e-5)
    assert row.loss == pytest.approx(error, rel=1e-4)
    assert row.penalty_value == pytest.approx(
        1e-3 * sum(float(w.detach().abs().sum()) for w in net.parameters()), rel=1e-5
    )
    assert (row.epochs, row.status) == (1, "all epochs used")
    curves = tables["short_curves_5"].set_index(["name", "epoch"])["value"]
    assert curves["epoch loss", 1] == pytest.approx(row.objective)
    assert curves["penalty", 1] == pytest.approx(row.penalty_value, rel=1e-5)


def test_cells_are_of_the_study_and_others_are_refused():
    assert set(CELLS) < set(PAIRS)
    with pytest.raises(InputError, match="experiment"):
        shortened(6, 1e-5, ShortSchedule(1, 1, 16), 100)


def test_the_tables_depend_on_no_claim_or_page():
    study = "sparsenn_book.studies.l1_path"
    modules = set(closure([f"{study}.short_schedules"]))
    assert not modules & {study, *(f"{study}.{n}" for n in ("claims_of_schedules", "pages_of_schedules", "learned"))}
