"""Files that change, and results that others make, while a run or a book is under way."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from waiting import DEADLINE

import sparsenn_book.runner.book


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The profiles of the books that were built; building itself has tests of its own."""
    calls: list[str] = []

    def build(profile: str, executed: dict[str, Path], project, **_: object) -> Path:
        calls.append(profile)
        return project.book / "_build" / "html" / "index.html"

    monkeypatch.setattr(sparsenn_book.runner.book, "build", build)
    return calls


def steps(toy, name: str) -> int:
    return json.loads((toy.project.results / "smoke" / name / "rows.json").read_text())["steps"]


def test_a_book_runs_what_the_files_say_when_each_notebook_starts(toy, built) -> None:
    for name in ("02_edited", "03_run_by_another", "04_broken"):
        toy.add(name)
    toy.write("params/smoke/01_toy.yaml", "wait: 1000\n")
    made: list[dict[str, bytes]] = []

    def others_are_done() -> bool:
        if not toy.kernels():
            return False
        toy.write("params/smoke/02_edited.yaml", "steps: 5\n")
        toy.write("params/smoke/03_run_by_another.yaml", "steps: 6\n")
        toy.start("run", "03_run_by_another", "--profile", "smoke").communicate(timeout=DEADLINE)
        made.append({name: text for name, text in toy.files().items() if "03" in name})
        toy.write("params/smoke/04_broken.yaml", "steps: much\n")
        return True

    with toy.going_on_when(others_are_done):
        status, out, err = toy("book", "--profile", "smoke", "--jobs", "1")
    assert (steps(toy, "02_edited"), steps(toy, "03_run_by_another")) == (5, 6)
    # The newer result of the other process is not made again from the text that the book began with.
    assert "03_run_by_another (smoke): fresh, skipped" in out
    assert {name: text for name, text in toy.files().items() if "03" in name} == made[0]
    assert (status, built) == (1, [])
    assert err.startswith("error: 04_broken (smoke): changed before it ran: params/smoke/04_broken.yaml: steps: 'much'")
    assert err.count("\n") == 1


def test_a_book_is_not_built_from_a_result_that_became_old_meanwhile(toy, built) -> None:
    toy.add("02_other")
    path = toy.project.notebooks / "02_other.py"
    edit = 'pathlib.Path("params/smoke/01_toy.yaml").write_text("steps: 7")'
    path.write_text(path.read_text().replace("pass  # a test may put something else here", edit))
    status, _, err = toy("book", "--profile", "smoke", "--jobs", "1")
    assert (status, built) == (1, [])
    message = "01_toy (smoke): changed while the book ran (changed: parameters); no book is built"
    assert message in err
    assert err.count("\n") == 1
    status, out, _ = toy("book", "--profile", "smoke")
    assert (status, built) == (0, ["smoke"])
    assert "01_toy (smoke): done" in out
    assert "02_other (smoke): fresh, skipped" in out


def test_a_result_that_is_fresh_again_when_a_run_ends_stays(toy) -> None:
    toy("run", "toy", "--profile", "smoke")
    before = toy.files()
    old = (toy.project.params / "smoke" / "01_toy.yaml").read_text()
    toy.write("params/smoke/01_toy.yaml", "wait: 1000\n")

    def edited_back() -> bool:
        if toy.kernels():
            toy.write("params/smoke/01_toy.yaml", old)
        return bool(toy.kernels())

    with toy.going_on_when(edited_back):
        status, out, _ = toy("run", "toy", "--profile", "smoke")
    assert status == 0
    assert "changed while it ran: parameters; the result that was there is fresh again and stays" in out
    assert toy.files() == before


def test_a_run_says_that_its_notebook_changed_meanwhile(toy) -> None:
    path = toy.project.notebooks / "01_toy.py"
    edit = 'pathlib.Path("notebooks/01_toy.py").open("a").write("# more")'
    path.write_text(path.read_text().replace("pass  # a test may put something else here", edit))
    status, out, _ = toy("run", "toy", "--profile", "smoke")
    assert status == 0
    assert out.endswith("results/smoke/01_toy; changed while it ran: notebook\n")
