"""Every notebook of the book: declared, paired, in every profile, and executed at smoke."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from sparsenn_book.records import read_claims, read_rows
from sparsenn_book.sources.notebooks import names, read
from sparsenn_book.sources.profiles import check_complete, profiles, resolve
from sparsenn_book.sources.project import Project
from sparsenn_core.errors import InputError

PROJECT = Project(Path(__file__).resolve().parent.parent)
NOTEBOOKS = names(PROJECT)
PROFILES = profiles(PROJECT)

pytestmark = pytest.mark.notebooks


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
def test_a_notebook_has_a_title_and_says_its_price_first(name: str) -> None:
    source = read(PROJECT, name)
    assert source.title != name
    assert set(source.prices) >= set(PROFILES)


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_jupytext_round_trip_leaves_every_byte(name: str) -> None:
    # In a process of its own, as the configuration in jupytext.toml belongs to the command.
    command = [sys.executable, "-m", "jupytext", "--quiet", "--test-strict", "--to", "ipynb", f"notebooks/{name}.py"]
    done = subprocess.run(command, cwd=PROJECT.root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_notebook_executes_at_smoke_and_leaves_rows_and_claims(name: str, smoke_results: dict[str, Path]) -> None:
    executed = smoke_results[name]
    cells = json.loads(executed.read_text(encoding="utf-8"))["cells"]
    outputs = [output for cell in cells for output in cell.get("outputs", [])]
    assert outputs
    # A warning on a page is a defect that papermill does not see.
    assert [output["text"] for output in outputs if output.get("name") == "stderr"] == []
    claims = read_claims(executed.parent)
    assert claims
    assert {claim["verdict"] for claim in claims} == {"not tested at this profile"}
    tables = sorted(executed.parent.glob("*.parquet"))
    assert tables
    for table in tables:
        assert read_rows(table).attrs["provenance"]["parameters"]["profile"] == "smoke"
