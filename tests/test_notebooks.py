"""Every notebook of the book: declared, paired, in every profile, and executed at smoke."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import jupytext
import pytest

from sparsenn_book.records import read_claims
from sparsenn_book.records.tables import read_table
from sparsenn_book.runner import freshness
from sparsenn_book.runner.pages import GUIDES
from sparsenn_book.sources.notebooks import names, read
from sparsenn_book.sources.policy import STORED_ONLY
from sparsenn_book.sources.profiles import check_complete, profiles, resolve
from sparsenn_book.sources.project import Project
from sparsenn_core.errors import InputError

PROJECT = Project(Path(__file__).resolve().parent.parent)
NOTEBOOKS = names(PROJECT)
STUDIES = [name for name in NOTEBOOKS if name < GUIDES]
PROFILES = profiles(PROJECT)
MOST_LINES = 440
MOST_RECIPE_LINES = 25
COMMITTED = [name for name in NOTEBOOKS if (PROJECT.results / "full" / name / "claims.json").exists()]


def test_the_three_profiles_are_there() -> None:
    assert PROFILES == ["smoke", "laptop", "full"]


@pytest.mark.parametrize("profile", PROFILES)
def test_a_profile_names_the_notebooks_there_are(profile: str) -> None:
    assert sorted(path.name for path in (PROJECT.params / profile).iterdir()) == [f"{name}.yaml" for name in NOTEBOOKS]
    check_complete(PROJECT, profile)


def test_a_profile_that_misses_a_notebook_or_names_another_is_refused(tmp_path: Path) -> None:
    for folder in ("notebooks", "params"):
        shutil.copytree(PROJECT.root / folder, tmp_path / folder, ignore=shutil.ignore_patterns("data"))
    copy, there = Project(tmp_path), tmp_path / "params" / "smoke" / f"{NOTEBOOKS[0]}.yaml"
    check_complete(copy, "smoke")
    there.rename(there.with_name("01_other.yaml"))
    with pytest.raises(InputError, match="01_other"):
        check_complete(copy, "smoke")
    there.with_name("01_other.yaml").unlink()
    with pytest.raises(InputError, match=NOTEBOOKS[0]):
        check_complete(copy, "smoke")


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_profile_gives_known_and_possible_parameters(name: str, profile: str) -> None:
    parameters = resolve(PROJECT, read(PROJECT, name), profile)
    assert parameters["profile"] == profile


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_notebook_is_a_chapter_and_does_by_itself_what_only_a_chapter_can(name: str) -> None:
    source = read(PROJECT, name)
    assert source.title != name
    assert len(source.text.splitlines()) <= MOST_LINES
    assert f'Chapter("{name}", globals())' in source.text
    for done_by_the_chapter in ("write_table", "write_claims", "to_parquet", "provenance(", "globals()[", ".verdict("):
        assert done_by_the_chapter not in source.text


@pytest.mark.parametrize("name", STUDIES)
def test_a_chapter_that_trains_says_where(name: str) -> None:
    device = read(PROJECT, name).parameters["device"]
    assert (device.default, device.choices) == ("auto", ("auto", "cpu", "cuda"))


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_jupytext_round_trip_leaves_every_byte(name: str) -> None:
    # In a process of its own, as the configuration in jupytext.toml belongs to the command.
    command = [sys.executable, "-m", "jupytext", "--quiet", "--test-strict", "--to", "ipynb", f"notebooks/{name}.py"]
    done = subprocess.run(command, cwd=PROJECT.root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", STUDIES)
def test_a_notebook_executes_at_smoke_and_leaves_rows_and_claims(name: str, smoke_results: dict[str, Path]) -> None:
    executed = smoke_results[name]
    _check_no_warning(executed)
    claims = read_claims(executed.parent)
    assert claims
    assert {claim["verdict"] for claim in claims} == {"not tested at this profile"}
    assert [claim["key"] for claim in claims if claim["age"]] == []
    tables = sorted(executed.parent.glob("*.parquet"))
    assert tables
    for table in tables:
        # a table whose arguments are those of another profile may have been made for that one
        assert read_table(table).attrs["provenance"]["table"] == table.stem


@pytest.mark.parametrize("name", [name for name in NOTEBOOKS if name not in STUDIES])
def test_a_guide_is_run_on_its_page_and_states_no_claim(name: str, smoke_results: dict[str, Path]) -> None:
    _check_no_warning(smoke_results[name])
    assert [path.name for path in smoke_results[name].parent.glob("*.parquet")] == []
    assert not (smoke_results[name].parent / "claims.json").exists()


def test_a_recipe_is_short_and_what_came_out_is_said_under_it() -> None:
    notebook = jupytext.reads(read(PROJECT, "90_recipes").text, fmt="py:percent")
    cells = [
        cell
        for cell in notebook.cells
        if cell.cell_type == "code" and "parameters" not in cell.metadata.get("tags", [])
    ]
    shown = [place for place, cell in enumerate(cells) if "hide-input" not in cell.metadata.get("tags", [])]
    for place in shown[1:]:  # the first imports
        lines = [line for line in cells[place].source.splitlines() if line.strip()]
        assert len(lines) <= MOST_RECIPE_LINES, cells[place].source
        assert "chapter.say(" in cells[place + 1].source


def test_some_chapters_have_committed_tables() -> None:
    assert COMMITTED


@pytest.mark.acceptance
@pytest.mark.parametrize("name", COMMITTED)
def test_committed_tables_render_and_give_the_committed_claims(name: str, tmp_path: Path) -> None:
    """The full profile, from what is committed and without computing; the claims once more, field by field."""
    committed = PROJECT.results / "full" / name
    notebook = tmp_path / f"{name}.ipynb"
    jupytext.write(jupytext.reads(read(PROJECT, name).text, fmt="py:percent"), notebook)
    executed, parameters = tmp_path / freshness.EXECUTED, str(PROJECT.params / "full" / f"{name}.yaml")
    command = [sys.executable, "-m", "papermill", str(notebook), str(executed), "-k", "python3", "--no-progress-bar"]
    command += ["--no-request-save-on-cell-execute"]
    command += ["-f", parameters, "-p", "output_dir", str(tmp_path), "-p", "profile", "full"]
    environment = os.environ | {STORED_ONLY: "1", "PYTHONPATH": str(PROJECT.root)}
    done = subprocess.run(command, cwd=PROJECT.root, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    _check_no_warning(executed)
    here, there = read_claims(tmp_path), read_claims(committed)
    # How many tables are old changes with every line of code; that none passes for younger than it is must not.
    assert [_ageless(claim) for claim in here] == [_ageless(claim) for claim in there], (
        "render it again: make book PROFILE=full"
    )
    assert [claim["key"] for claim in here if claim["age"]] == [claim["key"] for claim in there if claim["age"]]
    assert sorted(path.name for path in tmp_path.glob("*.parquet")) == sorted(
        p.name for p in committed.glob("*.parquet")
    )


def _ageless(claim: Mapping[str, object]) -> dict[str, object]:
    return {field: value for field, value in claim.items() if field != "age"}


def _check_no_warning(executed: Path) -> None:
    cells = json.loads(executed.read_text(encoding="utf-8"))["cells"]
    outputs = [output for cell in cells for output in cell.get("outputs", [])]
    assert outputs
    # A warning on a page is a defect that papermill does not see.
    assert [output["text"] for output in outputs if output.get("name") == "stderr"] == []
