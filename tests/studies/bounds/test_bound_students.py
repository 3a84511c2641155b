"""Students of the L1 chapter under the bounds: taken as they are, compared in pairs, counted by seed."""

from __future__ import annotations

import pandas as pd
import pytest
import torch

from sparsenn_book.studies import bounds as study
from sparsenn_book.studies.bounds.selected import REFINED
from sparsenn_book.studies.bounds.student_claims import of_students
from sparsenn_book.studies.bounds.students import above_zero, as_classifier, as_images, fitting, pairs
from sparsenn_core.networks import literal_teacher, multi_channel_cnn
from sparsenn_core.randomness import generator

Tables = dict[str, pd.DataFrame]


def test_the_classifier_is_the_student_before_its_last_relu() -> None:
    network = multi_channel_cnn("relu", generator=generator(3, "init"), last_activation="linear").double()
    x = torch.randn(50, 12, generator=generator(3, "x"), dtype=torch.float64)
    torch.testing.assert_close(as_classifier(network)(as_images(x)), network(x))


def test_the_class_is_whether_the_target_is_above_zero() -> None:
    x = torch.randn(200, 12, generator=generator(4, "x"), dtype=torch.float64)
    teacher = literal_teacher("baseline", "relu")
    before = as_classifier(teacher)(as_images(x))
    assert torch.equal(above_zero(teacher(x)), (before.flatten() > 0).long())
    assert 0 < above_zero(teacher(x)).sum() < 200


def test_a_half_of_all_weights_makes_an_eighth_of_the_product_of_norms(tables: Tables) -> None:
    students = tables["students"]
    found = pairs(students, "Long and Sedghi, shape", "l1", "none")
    assert len(found) == 7  # the collapsed one is left out
    assert sorted(students.loc[students["outcome"] == "collapsed", "seed"].unique()) == [8]
    assert set(fitting(students)["kept"]) == {6}
    golowich = pairs(students, "Golowich et al.", "l1", "none")
    # rho falls to an eighth; the terms that do not depend on it stay
    assert ((10 ** (golowich["log10"] - golowich["other"]) > 1 / 8) & (golowich["log10"] < golowich["other"])).all()


def test_claims_count_seeds_and_can_fail(tables: Tables) -> None:
    students = tables["students"]
    claims = {claim.key: claim for claim in of_students(students)}
    assert claims["bounds.students-l1"].measured.count == 7  # type: ignore[union-attr]
    assert [claim.verdict("laptop") for claim in claims.values()] == ["stated here", "stated here"]
    # the nulls: L1 makes no difference to no penalty; L1 has much smaller bounds than L2
    same = students.assign(log10=students.groupby(["bound", "seed"])["log10"].transform("max"))
    assert of_students(same)[0].verdict("laptop") == "refuted"
    sparse = students.assign(log10=students["log10"] - 0.3 * (students["penalty"] == "l1"))
    assert of_students(sparse)[1].verdict("laptop") == "refuted"
    none = of_students(students.assign(outcome="dead"))
    assert [claim.measured for claim in none] == [None, None]


def test_sentences_count_the_pairs(tables: Tables) -> None:
    said = study.sentences.students(tables["students"])
    assert "in 7 of 7 pairs whose other student has no penalty (7 seeds)" in said
    assert "in 0 of 7 pairs whose other student has L2 (7 seeds)" in said
    assert "nothing to compare" in study.sentences.students(tables["students"].assign(outcome="dead"))


def test_medians_are_of_students_that_fit(tables: Tables) -> None:
    rows = fitting(tables["students"]).query(f"bound == '{REFINED}' and penalty == 'l1'")
    assert len(rows) == 7
    shown = study.students.middle(tables["students"])["bound"]
    assert float(10 ** rows["log10"].median()) == pytest.approx(float(shown["l1"]))
