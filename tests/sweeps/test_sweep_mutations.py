"""Sweep files with a few characters changed: a plan, or one line that says what is wrong; nothing is written."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sweep_toy import HEAD, LEVELS, Call, SweepToy

from sparsenn_book.sweeps.planning import plan
from sparsenn_book.sweeps.sweep_file import find

pytestmark = pytest.mark.acceptance

WHOLE = [
    HEAD
    + "fixed: {most: 7}\ngrid:\n  seed: [1, 2]\n  strength: [1, 2.5e-3]\nzip: {few: [0, 3], strengths: [[1], [2]]}\n",
    HEAD + "profile: laptop\ngrid: {seed: [1, 2, 3]}\n",
    LEVELS + "grid:\n  tolerance: [1]\n",
    LEVELS,
]
PIECES = [*"[]{}:,-?#&*!|>'\"%@`~<=._+ \t\n\\0189aexotfnETZ", "\udcff", "\x00", "\x85", "\u2028", "- ", ": ", "!!",
          "---\n", "<<: ", "1e9", "0" * 400, "[" * 900, "fixed", "grid: ", "seed", "table", "{seed}", ".."]  # fmt: skip


def mutated(text: str, chance: random.Random) -> str:
    """A text with up to four pieces put in, taken out or put in the place of others."""
    for _ in range(chance.randrange(5)):
        start = chance.randrange(len(text) + 1)
        end = start + chance.choice((0, 0, 1, 2, 5))
        text = text[:start] + chance.choice(["", *PIECES]) + text[end:]
    return text


@settings(max_examples=1000, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(chance=st.randoms(use_true_random=False))
def test_a_mutated_file_is_a_valid_plan_or_one_line(toy: SweepToy, call: Call, chance: random.Random) -> None:
    text = mutated(chance.choice([*WHOLE, *WHOLE[:2]]), chance)  # planning a function looks at dozens of modules
    path = toy.project.params / "sweeps" / "own.yaml"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    status, out, err = call("own", "--status")
    assert not toy.project.results.exists()
    if status:
        assert (status, out) == (2, "")
        assert err.startswith("error: ")
        assert err.count("\n") == 1
        assert len(err) <= 300
    else:
        assert err == ""
        runs = plan(toy.project, find(toy.project, "own"))
        assert len({run.key for run in runs}) == len(runs) > 0
        for run in runs:
            assert all(math.isfinite(value) for value in run.parameters.values() if isinstance(value, float))
            assert run.folder.parent == toy.project.results / "sweeps" / "own"
            assert run.table.isidentifier()
