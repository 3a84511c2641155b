"""Several notebooks at once, and what stops the book."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import sparsenn_book.runner.book


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Path]]:
    """What the book was built from, each time; building itself has tests of its own."""
    calls: list[dict[str, Path]] = []

    def build(profile: str, executed: dict[str, Path], project, **_: object) -> Path:
        calls.append(executed)
        return project.book / "_build" / "html" / "index.html"

    monkeypatch.setattr(sparsenn_book.runner.book, "build", build)
    return calls


def test_two_notebooks_run_at_once_and_the_book_gets_both(toy, built) -> None:
    toy.add("02_other")
    for name in ("01_toy", "02_other"):
        toy.write(f"params/smoke/{name}.yaml", "wait: 1000\n")
    with toy.going_on_when(lambda: len(toy.kernels()) == 2):
        status, out, err = toy("book", "--profile", "smoke")
    assert (status, err) == (0, "")
    assert "book (smoke): book/_build/html/index.html" in out
    folders = [toy.project.results / "smoke" / name for name in ("01_toy", "02_other")]
    assert built == [{folder.name: folder / "executed.ipynb" for folder in folders}]
    first, second = (json.loads((folder / "rows.json").read_text()) for folder in folders)
    assert max(first["from"], second["from"]) < min(first["to"], second["to"])
    before = toy.files()
    assert toy("book", "--profile", "smoke")[0] == 0
    assert toy.files() == before
    assert len(built) == 2


def test_a_failure_stops_the_book_and_what_was_under_way_is_kept(toy, built) -> None:
    for name in ("02_other", "03_more"):
        toy.add(name)
    toy.write("params/smoke/01_toy.yaml", "steps: 13\n")
    toy.write("params/smoke/02_other.yaml", "wait: 1000\n")
    with toy.going_on_when((toy.project.results / "smoke" / ".failed" / "01_toy").exists):
        status, _, err = toy("book", "--profile", "smoke")
    assert status == 1
    assert err.count("\n") == 1
    assert "01_toy (smoke): failed, cell 5: AssertionError" in err
    assert built == []
    # The second was begun before the first failed, the third was not.
    assert {name.split("/")[1] for name in toy.files()} == {"02_other"}


def test_a_book_that_does_not_build_is_one_line(toy, monkeypatch: pytest.MonkeyPatch) -> None:
    def build(*_: object, **__: object) -> None:
        raise RuntimeError("one warning is one too many")

    monkeypatch.setattr(sparsenn_book.runner.book, "build", build)
    assert toy("book", "--profile", "smoke")[::2] == (1, "error: one warning is one too many\n")
