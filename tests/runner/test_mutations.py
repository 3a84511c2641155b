"""Parameter files and values of `-p` with a few characters changed: parameters of their types, or one line that says
what is wrong; never a traceback.
"""

from __future__ import annotations

import math
import random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import sparsenn_book.__main__
from sparsenn_book.runner.execute import Execution

VALUES = {
    "strength": ["0.5", "1e-5", "-1", ".inf", "1_0.5", "010", "0x1f", "0o17", "1:30", "+.5E3", "._", "-_"],
    "strengths": ["[0.1, 1.0]", "[1e-5,\n 2]", "- 1\n- 2", "2026-02-30", "2026-01-01T10:00:00Z", "[[[1]]]"],
    "steps": ["3", '!!int ""', "!!int 3", "1" + "0" * 400, "9" * 5000, "0x" + "f" * 5000, "&a 3", "0b11", "<<", "="],
    "device": ["cpu", "'auto'", '"\\ud800"', '"\\x00"', "on", "~", "!!binary '='", "|\n  cpu", "? cpu"],
    "bias": ["true", "False", "no", "!!bool x", "{a: 1}", "{[1]: 2, {}: 3}", "!!set {a}", "*a", "<<: {a: 1}"],
}
PIECES = [*"[]{}:,-?#&*!|>'\"%@`~<=._+ \t\n\\0189aexobfnETZ", "\ud800", "\udcff", "\x00", "\x85", "\u2028", "\ufeff",
          "- ", ": ", "!!", "%YAML 1.1\n--- ", "---\n", "...\n", "<<: ", "1e9", "0" * 400, "[" * 900, "٣"]  # fmt: skip
KINDS = {"strength": float, "steps": int, "device": str, "bias": bool}


def mutated(text: str, chance: random.Random) -> str:
    """A text with up to three pieces put in, taken out or put in the place of others."""
    for _ in range(chance.randrange(4)):
        start = chance.randrange(len(text) + 1)
        end = start + chance.choice((0, 0, 1, 2))
        text = text[:start] + chance.choice(["", *PIECES]) + text[end:]
    return text


@pytest.fixture
def accepted(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """The parameters of the tasks that would have been executed."""
    found: list[dict[str, Any]] = []

    def execute_all(tasks: Any, *_: object, **__: object) -> list[Execution]:
        found.extend(task.parameters for task in tasks)
        return []

    monkeypatch.setattr(sparsenn_book.__main__, "execute_all", execute_all)
    monkeypatch.setattr(sparsenn_book.__main__, "check_possible", lambda tasks: None)
    return found


def check(toy: Any, accepted: list[dict[str, Any]], *arguments: str) -> None:
    """Run a command, and check that it is refused in a line or has parameters as they are declared."""
    accepted.clear()
    status, _, err = toy("run", "toy", *arguments)
    if status == 0:
        (found,) = accepted
        assert {name: type(found[name]) for name in KINDS} == KINDS
        assert 0 <= found["strength"] < math.inf
        assert found["strengths"]
        assert all(type(entry) is float and 0 < entry < math.inf for entry in found["strengths"])
        assert 1 <= found["steps"] <= 1000
        assert found["device"] in ("auto", "cpu", "cuda")
    else:
        assert (status, accepted) == (2, [])
        assert err.startswith("error: ")
        assert err.count("\n") == 1
        assert len(err) <= 300


OPTIONS = settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])


@OPTIONS
@given(name=st.sampled_from(sorted(VALUES)), chance=st.randoms(use_true_random=False), number=st.integers(0, 11))
def test_a_mutated_value_is_taken_as_declared_or_refused(
    toy: Any, accepted: list[dict[str, Any]], name: str, chance: random.Random, number: int
) -> None:
    value = mutated(VALUES[name][number % len(VALUES[name])], chance)
    check(toy, accepted, "-p", name, value)


@OPTIONS
@given(chance=st.randoms(use_true_random=False))
def test_a_mutated_file_is_taken_as_declared_or_refused(
    toy: Any, accepted: list[dict[str, Any]], chance: random.Random
) -> None:
    chosen = chance.sample(sorted(VALUES), 2)
    lines = [f"{name}: {chance.choice(VALUES[name])}\n" for name in chosen]
    text = mutated("".join(lines), chance)
    (toy.project.params / "laptop" / "01_toy.yaml").write_bytes(text.encode("utf-8", "surrogatepass"))
    check(toy, accepted)
