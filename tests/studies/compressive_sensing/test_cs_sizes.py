"""Tables of times and of variations, on settings that take seconds, and what is measured from them."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from made_up import sizes as made_up_sizes

from sparsenn_book.studies import compressive_sensing as cs
from sparsenn_core.errors import InputError

GRID = cs.Grid(lambda0_count=3, lambda1_shares=(0.0,), init_shares=(1.0,), epochs=25)
PATHS = cs.Paths(20, 10, 5, 10)


@pytest.fixture(scope="module")
def sizes() -> pd.DataFrame:
    return cs.sizes(cs.Sizes((20, 40), 2, 6.0, 1), GRID, PATHS)


@pytest.fixture(scope="module")
def variations() -> Iterator[pd.DataFrame]:
    patch = pytest.MonkeyPatch()
    module = importlib.import_module("sparsenn_book.studies.compressive_sensing.variations")
    for name, value in (("SAMPLES", 30), ("COEFFICIENTS", 24), ("NONZEROS", 4)):
        patch.setattr(module, name, value)
    yield cs.variations(cs.Variations((0.0, 0.35, 0.9), ("spread", "fours", "first"), (2.0, 8.0), 2, 1), GRID, PATHS)
    patch.undo()


def test_each_size_draw_and_method_has_a_row_with_its_time(sizes: pd.DataFrame) -> None:
    assert len(sizes) == 2 * 2 * (len(cs.METHODS) + 1)
    timed = sizes[sizes["method"] != cs.ORACLE]
    assert (timed["seconds"] > 0).all()
    assert sizes.loc[sizes["method"] == cs.ORACLE, "seconds"].isna().all()
    assert set(sizes["family"]) == {"n = 100, p = 20, s = 10", "n = 100, p = 40, s = 10"}


def test_exponents_are_slopes_of_the_logarithms() -> None:
    rows = made_up_sizes(1.4, 2.0, coefficients=(1000, 2000, 5000))
    found = cs.measures.time_exponents(rows, "EGP")
    assert found.tolist() == pytest.approx([1.4] * 6)
    assert cs.measures.time_exponents(rows, "lasso").tolist() == pytest.approx([1.4] * 6)


def test_factors_are_those_over_the_slowest_other() -> None:
    rows = made_up_sizes(1.0, 2.0)
    slow = rows.assign(seconds=rows["seconds"].where(rows["method"] != "IHT", rows["seconds"] * 4))
    assert np.exp(cs.measures.time_factors(rows)).tolist() == pytest.approx([2.0] * 6)
    assert np.exp(cs.measures.time_factors(slow)).tolist() == pytest.approx([0.5] * 6)


def test_the_usual_kind_is_there_once_and_all_kinds_share_draws(variations: pd.DataFrame) -> None:
    names = ["first, rho = 0", "first, rho = 0.35", "first, rho = 0.9", "spread, rho = 0.35", "fours, rho = 0.35"]
    assert list(dict.fromkeys(variations["family"])) == names
    assert len(variations) == len(names) * 2 * 2 * (len(cs.METHODS) + 1)
    assert not variations.duplicated(["family", "snr", "repetition", "method"]).any()
    oracle = variations[(variations["method"] == cs.ORACLE) & (variations["rho"] == 0.35)]
    assert oracle.groupby(["repetition", "snr"])["rte"].nunique().gt(1).all()


def test_variations_are_draws_of_their_family(variations: pd.DataFrame) -> None:
    family = cs.Family(30, 24, 4, rho=0.9)
    regression = cs.draw(family, 8.0, 1, 1)
    fits = cs.refit(regression, [regression.truth])
    expected = cs.metrics(regression, fits.selected(1).coefficients)["rte"]
    some = variations.query("rho == 0.9 and snr == 8.0 and repetition == 1")
    assert some.loc[some["method"] == cs.ORACLE, "rte"].item() == pytest.approx(expected)


def test_an_unknown_kind_of_coefficients_is_refused() -> None:
    wanted = cs.Variations((), ("frist",), (2.0,), 1, 1)
    with pytest.raises(InputError, match="did you mean 'first'"):
        cs.variations(wanted, GRID, PATHS)


def test_the_device_is_no_part_of_the_result() -> None:
    regression = cs.draw(cs.Family(30, 20, 3), 6.0, 0, 1)
    one, two = (cs.propose(regression, replace(GRID, precision="float64"), 1, device) for device in ("cpu", "cpu"))
    assert one.supports == two.supports
