"""The helper of every notebook: tables are made once, ages are told, claims stand on tables, settings are checked."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from dataclasses import make_dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import plotly.graph_objects as go
import pytest
import torch

sys.path.insert(0, str(Path(__file__).parent))
import toy_study as study

from sparsenn_book.chapter import Chapter
from sparsenn_book.records import closure, read_claims
from sparsenn_book.records.tables import read_table, write_table
from sparsenn_core.errors import InputError

NOTEBOOK = """
# %% [markdown]
# # Toy

# %% tags=["parameters"]
steps: int = 3  # [1, 100] how long
rates: list[float] = [0.1, 0.5]  # (0, 1]
runs: int = 4  # [1, 1000]; how many
device: str = "auto"  # one of auto, cpu, cuda
needs: list[str] = ["02_other"]
profile: str = "laptop"
output_dir: str = "results/custom/01_toy"
"""


class Book:
    """A project with one notebook, in which chapters are opened at a profile."""

    def __init__(self, root: Path) -> None:
        self.root = root
        for folder in ("notebooks/data", "results"):
            (root / folder).mkdir(parents=True)
        (root / "notebooks" / "01_toy.py").write_text(NOTEBOOK)
        (root / "notebooks" / "data" / "toy_recorded.csv").write_text("a\n1\n")
        (root / "notebooks" / "data" / "hidden.csv").write_text("a\n1\n")
        for profile, text in (("smoke", "runs: 2\n"), ("laptop", ""), ("full", "runs: 40\nsteps: 9\n")):
            (root / "params" / profile).mkdir(parents=True)
            (root / "params" / profile / "01_toy.yaml").write_text(text)

    def open(self, profile: str = "laptop", **values: Any) -> Chapter:
        known = {"smoke": {"runs": 2}, "full": {"runs": 40, "steps": 9}}.get(profile, {})
        base = {"steps": 3, "rates": [0.1, 0.5], "runs": 4, "device": "cpu", "needs": ["02_other"], "profile": profile}
        base["output_dir"] = f"results/{profile}/01_toy"
        return Chapter("01_toy", base | known | values)

    def run(self, profile: str = "laptop", **values: Any) -> Chapter:
        """The whole chapter."""
        chapter = self.open(profile, **values)
        table = chapter.table("curves", study.curves, chapter.settings(study.CurveSettings))
        chapter.table("ends", study.ends, table)
        settings = chapter.settings(study.CountSettings)
        chapter.several(("runs", "total"), study.counted, settings)
        chapter.claims(study.claims, settings)
        chapter.colophon()
        return chapter

    def file(self, name: str, profile: str = "laptop") -> Path:
        return self.root / "results" / profile / "01_toy" / name


@pytest.fixture
def book(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Book]:
    monkeypatch.chdir(tmp_path)
    # the toy study stands where a study of the project would
    monkeypatch.setattr(closure, "PACKAGES", (*closure.PACKAGES, "toy_study"))
    (tmp_path / "toy_study.py").write_text(Path(study.__file__).read_text())
    study.CALLS.clear()
    threads = torch.get_num_threads()
    with pd.option_context("display.float_format", None, "display.max_colwidth", 50):
        yield Book(tmp_path)
    torch.set_num_threads(threads)


def test_a_table_is_computed_once_and_then_read(book: Book) -> None:
    first = book.run()
    assert study.CALLS == ["curves", "ends", "counted"]
    again = book.run()
    assert study.CALLS == ["curves", "ends", "counted"]
    for name, table in first.tables.items():
        pd.testing.assert_frame_equal(again.tables[name], table)
    assert sorted(path.name for path in book.file("").iterdir()) == [
        "claims.json", "curves.parquet", "ends.parquet", "full_claims.json", "runs.parquet", "total.parquet",
    ]  # fmt: skip


def test_a_changed_parameter_computes_only_what_depends_on_it(book: Book) -> None:
    book.run()
    study.CALLS.clear()
    book.run(runs=5)
    assert study.CALLS == ["counted"]
    study.CALLS.clear()
    book.run(runs=5, steps=4)
    assert study.CALLS == ["curves", "ends"]
    # what was made for the same values is found wherever it lies
    study.CALLS.clear()
    book.run(output_dir="results/custom/01_toy-abc", runs=5, steps=4)
    assert study.CALLS == []


def test_a_table_with_the_content_it_had_leaves_what_follows_alone(book: Book) -> None:
    book.run()
    text = (book.root / "toy_study.py").read_text()
    (book.root / "toy_study.py").write_text(text.replace("CALLS: list", "OTHER = 1\nCALLS: list"))
    study.CALLS.clear()
    book.run()
    assert study.CALLS == ["curves", "ends", "counted"], "all stand in the module that changed"


def test_harmed_foreign_and_rescued_tables(book: Book) -> None:
    book.run()
    study.CALLS.clear()
    path = book.file("runs.parquet")
    path.write_bytes(path.read_bytes()[:-40])
    book.file("curves.parquet").write_bytes(book.file("ends.parquet").read_bytes())
    book.run()
    assert study.CALLS == ["curves", "counted"]
    rescued = book.root / "results" / "laptop" / ".tables" / "01_toy"
    rescued.mkdir(parents=True)
    for table in book.file("").glob("*.parquet"):
        table.rename(rescued / table.name)
    study.CALLS.clear()
    book.run()
    assert study.CALLS == []


def test_force_computes_every_table_again(book: Book, monkeypatch: pytest.MonkeyPatch) -> None:
    book.run()
    monkeypatch.setenv("SPARSENN_AFRESH", "1")
    study.CALLS.clear()
    book.run()
    assert study.CALLS == ["curves", "ends", "counted"]


def test_own_values_are_a_custom_run_and_test_no_claim(book: Book) -> None:
    assert book.run().profile == "laptop"
    assert read_claims(book.file(""))[0]["verdict"] == "reproduced"
    assert book.run(device="auto").profile == "laptop", "where it runs is not what it runs"
    chapter = book.run(runs=50)
    assert chapter.profile == "custom"
    (claim,) = read_claims(book.file(""))
    assert (claim["profile"], claim["verdict"]) == ("custom", "not tested at this profile")
    assert book.open("mine").profile == "custom"


def test_claims_of_the_full_tables_stand_beside_those_of_the_run(book: Book) -> None:
    book.run()
    assert json.loads(book.file("full_claims.json").read_text()) == []
    book.run("full")
    assert not book.file("full_claims.json", "full").exists()
    study.CALLS.clear()
    chapter = book.run()
    assert study.CALLS == []
    assert chapter.full.age == ""
    (claim,) = read_claims(book.file(""), "full_claims.json")
    assert (claim["profile"], claim["measured"]["count"], claim["age"]) == ("full", 40, "")
    assert "over 40 runs" in claim["statement"]
    assert len(chapter.full.tables["runs"]) == 40
    assert chapter.full.settings(study.CountSettings).runs == 40


def test_old_full_tables_are_shown_with_their_age(book: Book, monkeypatch: pytest.MonkeyPatch) -> None:
    book.run("full")
    (book.root / "params" / "full" / "01_toy.yaml").write_text("runs: 41\nsteps: 9\n")
    chapter = book.run()
    assert chapter.full.age.startswith("made with other settings")
    assert chapter.full.age.endswith("(runs, total)")
    assert read_claims(book.file(""), "full_claims.json")[0]["age"] == chapter.full.age
    (book.root / "params" / "full" / "01_toy.yaml").write_text("runs: 40\nsteps: 9\n")
    text = (book.root / "toy_study.py").read_text()
    (book.root / "toy_study.py").write_text(text + "\nOTHER = 1\n")
    monkeypatch.setenv("SPARSENN_STORED_ONLY", "1")
    study.CALLS.clear()
    full = book.run("full")
    assert study.CALLS == []
    assert len(full.tables["runs"]) == 40
    (claim,) = read_claims(book.file("", "full"))
    assert claim["age"].startswith("made by older code, 20")
    book.file("ends.parquet", "full").unlink()
    with pytest.raises(InputError, match=r"results/full/01_toy/ends\.parquet: no such table; --compute makes it"):
        book.run("full")


def test_claims_that_cannot_read_old_full_tables_say_nothing_of_them(book: Book) -> None:
    full = book.run("full")
    path = book.file("runs.parquet", "full")
    origin = full.tables["runs"].attrs["provenance"]
    write_table(full.tables["runs"].rename(columns={"value": "amount"}), path, origin)
    with pytest.raises(KeyError):
        book.run()
    older = origin | {"identity": origin["identity"] | {"code": "older"}}
    write_table(full.tables["runs"].rename(columns={"value": "amount"}), path, older)
    chapter = book.run()
    assert chapter.full.age.startswith("made by older code")
    assert read_claims(book.file(""), "full_claims.json") == []


def test_the_device_is_filled_in_and_does_not_count(book: Book) -> None:
    chapter = book.run()
    assert chapter.tables["total"]["device"].tolist() == ["cpu"]
    if not torch.cuda.is_available():
        assert book.open(device="auto").device == "cpu"
        with pytest.raises(InputError, match="device: cuda is asked for and not available"):
            book.open(device="cuda")


def test_data_files_count_and_are_named_in_full(book: Book) -> None:
    for content, calls in (("a\n1\n", 1), ("a\n1\n", 1), ("a\n2\n", 2)):
        (book.root / "notebooks" / "data" / "toy_recorded.csv").write_text(content)
        book.open().table("recorded", study.recorded)
        assert len(study.CALLS) == calls
    with pytest.raises(InputError, match=r"reads the data file 'hidden\.csv' without naming it in full"):
        book.open().table("hidden", study.hidden_file)


def test_provenance_says_what_made_the_table(book: Book) -> None:
    book.run()
    origin = read_table(book.file("runs.parquet")).attrs["provenance"]
    assert origin["table"] == "runs"
    assert origin["identity"]["function"] == "toy_study.counted:runs"
    assert origin["parameters"]["runs"] == 4
    assert origin["device"]
    assert origin["seconds"] >= 0


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"steps": 0}, r"notebooks/01_toy.py: steps: 0 is outside \[1, 100\]"),
        ({"rates": [0.1, 2.0]}, "rates, entry 2: 2.0 is outside"),
        ({"runs": "many"}, "runs: 'many' is a str, not an int"),
        ({"device": "gpu"}, "device: 'gpu' is not one of auto, cpu, cuda"),
    ],
)
def test_parameters_are_checked_in_plain_papermill_too(book: Book, values: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        book.open(**values)


def test_settings_are_filled_by_name_and_refused_in_one_line(book: Book) -> None:
    chapter = book.open()
    assert chapter.settings(study.CurveSettings) == study.CurveSettings(3, (0.1, 0.5))
    assert chapter.settings(study.CurveSettings, steps=7).steps == 7
    with pytest.raises(InputError, match="CurveSettings has no field stps; its fields: steps, rates"):
        chapter.settings(study.CurveSettings, stps=7)
    with pytest.raises(InputError, match="no parameter is named unknown"):
        chapter.settings(make_dataclass("Odd", [("unknown", int)]))


def test_a_table_twice_and_a_wrong_result_are_refused(book: Book) -> None:
    chapter = book.open()
    settings = chapter.settings(study.CountSettings)
    chapter.several(("runs", "total"), study.counted, settings)
    with pytest.raises(InputError, match="'runs' is made twice"):
        chapter.table("runs", study.recorded)
    with pytest.raises(InputError, match="no name for a table"):
        chapter.table("a/b", study.recorded)
    with pytest.raises(InputError, match=r"counted gave tables runs, total, not the table\(s\) other"):
        chapter.table("other", study.counted, settings)


def test_another_chapters_table_must_be_needed_and_there(book: Book) -> None:
    other = book.root / "results" / "laptop" / "02_other"
    chapter = book.run()
    with pytest.raises(InputError, match="no such file"):
        chapter.needed("02_other", "runs")
    os.renames(book.file("runs.parquet"), other / "runs.parquet")
    assert len(chapter.needed("02_other", "runs")) == 4
    (other / "runs.parquet").write_bytes(b"PAR1")
    with pytest.raises(InputError, match="; `sparsenn run 02_other --profile laptop --force` makes it again"):
        chapter.needed("02_other", "runs")
    with pytest.raises(InputError, match="'03_third' is not in the parameters cell's `needs`"):
        chapter.needed("03_third", "runs")


def test_a_headline_is_marked_in_its_figure(book: Book) -> None:
    chapter = book.open()
    figure = go.Figure(layout={"meta": {"alt": "words"}})
    chapter.show(figure, headline="toy.half")
    assert figure.layout.meta == {"alt": "words", "headline": "toy.half"}
