"""A book is not built from a notebook that failed, stopped, or lost a figure; and an older book stays."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import nbformat
import pytest
import small_book

from sparsenn_book.runner.book import PLOTLY, build
from sparsenn_book.runner.library import library
from sparsenn_book.sources.project import Project
from sparsenn_core.errors import InputError

FIGURE = {"data": [{"type": "scatter", "y": [1, 2]}], "layout": {"meta": {"alt": "A line that rises."}}}
DONE = {"end_time": "2026-01-01T00:00:00", "duration": 1.0, "exception": None, "parameters": {}}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A checkout, whose book leaves the pages of the library empty: they would be half of a build's time."""
    monkeypatch.setattr("sparsenn_book.runner.book.library", lambda: {name: f"# {name}\n" for name in library()})
    return small_book.checkout(tmp_path)


def written(
    project: Project, *outputs: dict[str, Any], clock: dict[str, Any] | None = DONE, text: str = "# A title"
) -> dict[str, Path]:
    """One executed notebook with the given outputs in its second code cell."""
    cells = [nbformat.v4.new_markdown_cell(text), nbformat.v4.new_code_cell("1")]
    cells.append(nbformat.v4.new_code_cell("2", outputs=[nbformat.from_dict(output) for output in outputs]))
    metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    notebook = nbformat.v4.new_notebook(cells=cells, metadata=metadata | ({"papermill": clock} if clock else {}))
    path = project.results / "laptop" / "01_a" / "executed.ipynb"
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, path)
    return {"01_a": path}


def shown(data: dict[str, Any]) -> dict[str, Any]:
    return {"output_type": "display_data", "data": data, "metadata": {}}


ERROR = {"output_type": "error", "ename": "ZeroDivisionError", "evalue": "division by zero", "traceback": []}
LOST = shown({"text/html": "<script>Plotly.newPlot('a', [])</script>"})
REPR = shown({"text/plain": "Figure({'data': []})"})


@pytest.mark.parametrize(
    ("outputs", "clock", "reason"),
    [
        ([ERROR], DONE, "code cell 2 failed with ZeroDivisionError"),
        ([], None, "not executed to its end"),
        ([], {**DONE, "end_time": None}, "not executed to its end"),
        ([], {**DONE, "exception": True}, "failed"),
        ([LOST], DONE, "was not kept as"),
        ([REPR], DONE, "was not kept as"),
        ([shown({PLOTLY: {"data": [], "layout": {}}})], DONE, "has no trace"),
        ([shown({PLOTLY: {"data": FIGURE["data"], "layout": {}}})], DONE, "has no alternative text"),
    ],
)
def test_an_unfit_notebook_is_named_in_one_line_and_the_older_book_stays(
    project: Project, outputs: list[dict[str, Any]], clock: dict[str, Any] | None, reason: str
) -> None:
    older = project.book / "_build" / "html" / "index.html"
    older.parent.mkdir(parents=True)
    older.write_text("older")
    with pytest.raises(RuntimeError, match="01_a") as caught:
        build("laptop", written(project, *outputs, clock=clock), project)
    assert reason in str(caught.value)
    assert "\n" not in str(caught.value)
    assert older.read_text() == "older"


def test_a_missing_or_broken_notebook_is_refused(project: Project) -> None:
    with pytest.raises(RuntimeError, match="01_a: no executed notebook"):
        build("laptop", {"01_a": project.results / "none.ipynb"}, project)
    broken = project.results / "broken.ipynb"
    broken.write_text("{")
    with pytest.raises(RuntimeError, match="is not a notebook"):
        build("laptop", {"01_a": broken}, project)


def test_a_run_or_a_claim_of_another_profile_is_refused(project: Project) -> None:
    executed = written(project)
    record = executed["01_a"].parent / "run.json"
    record.write_text(json.dumps({"profile": "smoke"}))
    with pytest.raises(RuntimeError, match="profile 'smoke', the book's is 'laptop'"):
        build("laptop", executed, project)
    record.unlink()
    (record.parent / "claims.json").write_text("[")
    with pytest.raises(InputError, match=r"claims\.json"):
        build("laptop", executed, project)


@pytest.mark.acceptance
def test_a_warning_publishes_nothing_and_names_its_cause(project: Project) -> None:
    older = project.book / "_build" / "html" / "index.html"
    older.parent.mkdir(parents=True)
    older.write_text("older")
    with pytest.raises(RuntimeError, match=r"does not build: notebooks/01_a.*nowhere") as caught:
        build("laptop", written(project, text="# A title\n\n[broken](nowhere.md)"), project)
    (log,) = (project.root / "build" / "book").iterdir()
    assert f"(all in build/book/{log.name})" in str(caught.value)
    assert log.name.startswith("laptop.")
    assert "nowhere" in log.read_text()
    assert not list((project.book / "_build" / ".attempts").iterdir())
    assert older.read_text() == "older"


@pytest.mark.acceptance
def test_a_book_without_chapters_builds_into_a_folder_of_choice(project: Project, tmp_path: Path) -> None:
    page = build("smoke", {}, project, html=tmp_path / "elsewhere")
    assert page == tmp_path / "elsewhere" / "index.html"
    assert not (project.book / "_build").exists()
    assert "Never evidence" in page.read_text()
    assert not list((tmp_path / ".attempts").iterdir())
