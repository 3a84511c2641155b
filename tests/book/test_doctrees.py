"""A book built on what an earlier build has read and written is the one that a build from scratch makes."""

from __future__ import annotations

import json
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


def edit(executed: Path, old: str, new: str, kind: str = "markdown") -> None:
    """Replace the first `old` in the first cell of a kind that has it, with its outputs."""
    notebook = json.loads(executed.read_text("utf-8"))
    for number, cell in enumerate(notebook["cells"]):
        text = json.dumps(cell)
        if cell["cell_type"] == kind and old in text:
            notebook["cells"][number] = json.loads(text.replace(old, new, 1))
            executed.write_text(json.dumps(notebook), "utf-8")
            return
    raise AssertionError(f"no {kind} cell has {old!r}")


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def built_again(project: Project, executed: dict[str, Path]) -> set[str]:
    """Build the book again; which of its pages were written, all others being kept."""
    made = project.book / "_build" / ".doctrees" / "html" / "_build" / "html"
    before = {path: path.stat().st_mtime_ns for path in made.rglob("*.html")}
    build("laptop", executed, project)
    return {str(path.relative_to(made)) for path in made.rglob("*.html") if path.stat().st_mtime_ns != before.get(path)}


def assert_equal(html: Path, scratch: Path) -> None:
    ours, theirs = files(html), files(scratch)
    assert sorted(ours) == sorted(theirs)
    assert [name for name in ours if ours[name] != theirs[name]] == []


def test_a_book_of_kept_pages_is_that_of_a_build_from_scratch(two_chapters: tuple[Project, dict[str, Path]]) -> None:
    project, executed = two_chapters
    changed, page, other = executed[small_book.NAME], f"notebooks/{small_book.NAME}.html", f"notebooks/{OTHER}.html"
    html = build("laptop", executed, project).parent
    shutil.copytree(html, project.root / "first")
    always = built_again(project, executed)
    assert always == {"index.html", "genindex.html", "search.html"}
    assert_equal(html, project.root / "first")

    edit(changed, "from the same initial weights", "from equal initial weights", "code")  # a caption
    edit(changed, "marmoset", "tamarin")  # a word that only the search index shows elsewhere
    claims = changed.parent / "claims.json"
    claims.write_text(claims.read_text("utf-8").replace('"statement": "', '"statement": "Told anew: '), "utf-8")
    assert built_again(project, executed) == {*always, page, "ledger.html"}
    assert_equal(html, build("laptop", executed, project, project.root / "scratch" / "words").parent)

    edit(changed, "# ", "# Renamed: ")
    assert other in built_again(project, executed)
    assert "Renamed:" in (html / other).read_text("utf-8")
    renamed = build("laptop", executed, project, project.root / "scratch" / "title").parent
    assert_equal(html, renamed)

    for damage in (Path.unlink, lambda path: path.write_bytes(path.read_bytes()[:-9])):
        [kept] = (project.book / "_build" / ".doctrees" / "html").rglob("written.json")
        damage(kept)
        assert other in built_again(project, executed)
        assert_equal(html, renamed)

    build("laptop", {OTHER: executed[OTHER]}, project)  # a chapter less
    assert_equal(html, build("laptop", {OTHER: executed[OTHER]}, project, project.root / "scratch" / "less").parent)

    edit(changed, "tamarin", "tamarin [nowhere](nowhere.md)")
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
    for path in (source / "_config.yml", source / "_ext" / "kept_pages.py", source / "making.md", code / "solver.py"):
        path.write_text(path.read_text() + "\n")
        seen.add(key_of(source, CHANGING, code))
    assert len(seen) == 5
