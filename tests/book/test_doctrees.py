"""A book built on what an earlier build has read is the one that a build from scratch makes."""

from __future__ import annotations

import shutil
from pathlib import Path

import nbformat
import pytest
import small_book
from small_book import SmallBook

from sparsenn_book.records.closure import INSTALLED
from sparsenn_book.runner.book import CHANGING, build
from sparsenn_book.runner.doctrees import key_of
from sparsenn_book.runner.library import library
from sparsenn_book.sources.project import Project

OTHER = "02_other"


@pytest.fixture
def two_chapters(built: SmallBook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Project, dict[str, Path]]:
    """The small chapter twice, the second one under another title; the pages of the library empty."""
    monkeypatch.setattr("sparsenn_book.runner.book.library", lambda: {name: f"# {name}\n" for name in library()})
    project = Project(tmp_path)
    for folder in ("book", "notebooks", "params", "results"):
        shutil.copytree(built.project.root / folder, tmp_path / folder, ignore=shutil.ignore_patterns("_build"))
    executed = {}
    for name in (small_book.NAME, OTHER):
        folder = tmp_path / "results" / "laptop" / name
        if name == OTHER:
            shutil.copytree(built.executed.parent, folder, ignore=shutil.ignore_patterns("*claims*"))
        executed[name] = folder / built.executed.name
    other = nbformat.read(executed[OTHER], as_version=4)
    # words alone: claims and their pictures belong to one chapter
    other.cells = [cell for cell in other.cells if cell.cell_type == "markdown"]
    nbformat.write(other, executed[OTHER])
    edit(executed[OTHER], "# ", "# Other: ")
    return project, executed


def edit(executed: Path, old: str, new: str) -> None:
    """Replace the first `old` in a Markdown cell of an executed notebook."""
    notebook = nbformat.read(executed, as_version=4)
    cell = next(cell for cell in notebook.cells if cell.cell_type == "markdown" and old in cell.source)
    cell.source = cell.source.replace(old, new, 1)
    nbformat.write(notebook, executed)


def pages(html: Path) -> dict[str, bytes]:
    return {str(path.relative_to(html)): path.read_bytes() for path in html.rglob("*") if path.is_file()}


def read_at(project: Project, name: str) -> int:
    """When Sphinx last read a chapter."""
    trees = project.book / "_build" / ".doctrees" / "html" / "_build" / ".doctrees"
    return (trees / "notebooks" / f"{name}.doctree").stat().st_mtime_ns


def test_a_book_of_kept_trees_is_that_of_a_build_from_scratch(two_chapters: tuple[Project, dict[str, Path]]) -> None:
    project, executed = two_chapters
    changed = executed[small_book.NAME]
    build("laptop", executed, project)
    before = {name: read_at(project, name) for name in executed}

    edit(changed, "# ", "# Renamed: ")
    edit(changed, ".", ". Another word.")
    html = build("laptop", executed, project).parent
    assert read_at(project, OTHER) == before[OTHER]
    assert read_at(project, small_book.NAME) > before[small_book.NAME]
    assert "Renamed:" in (html / "notebooks" / f"{OTHER}.html").read_text("utf-8")
    scratch = build("laptop", executed, project, project.root / "scratch").parent
    ours, theirs = pages(html), pages(scratch)
    assert sorted(ours) == sorted(theirs)
    assert [name for name in ours if ours[name] != theirs[name]] == []

    edit(changed, ".", ". [nowhere](nowhere.md)")
    for _ in range(2):  # the second time nothing has changed, and the warning comes again
        with pytest.raises(RuntimeError, match="nowhere"):
            build("laptop", executed, project)


def test_what_all_pages_depend_on_is_in_the_key(built: SmallBook, tmp_path: Path) -> None:
    source, code = tmp_path / "source", tmp_path / "code"
    shutil.copytree(built.project.book, source, ignore=shutil.ignore_patterns("_build"))
    shutil.copytree(INSTALLED / "sparsenn_core" / "lasso", code)
    (source / "generated").mkdir()
    key = key_of(source, CHANGING, code)
    (source / "generated" / "ledger.md").write_text("rows")
    assert key_of(source, CHANGING, code) == key
    seen = {key}
    for path in (source / "_config.yml", source / "_ext" / "library.py", source / "making.md", code / "solver.py"):
        path.write_text(path.read_text() + "\n")
        seen.add(key_of(source, CHANGING, code))
    assert len(seen) == 5
