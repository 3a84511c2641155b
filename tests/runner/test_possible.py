"""What a run needs is looked at before it starts: whole data files and the device that is asked for."""

from __future__ import annotations

import hashlib

import pandas as pd
import pytest

from sparsenn_book.records.tables import write_table
from sparsenn_book.runner.possible import SUMS, recorded_sums


def refused(toy, *arguments: str) -> str:
    status, out, err = toy(*arguments)
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert not list(toy.project.results.glob("*/.attempts"))
    return err


@pytest.mark.parametrize("arguments", [["run", "toy"], ["book"]])
def test_a_data_file_that_is_gone_or_harmed_is_named_before_anything_starts(toy, arguments: list[str]) -> None:
    whole = "a,b\n1,2\n"
    sums = {"recorded.csv": hashlib.sha256(whole.encode()).hexdigest(), "named_nowhere.csv": "0" * 64}
    toy.write(f"notebooks/data/{SUMS}", "".join(f"{content}  {name}\n" for name, content in sums.items()))
    assert "notebooks/data/recorded.csv: no such file; `git checkout" in refused(toy, *arguments)
    toy.write("notebooks/data/recorded.csv", whole[:5])
    assert "notebooks/data/recorded.csv: not the file whose sha256 stands in" in refused(toy, *arguments)


def test_cuda_where_there_is_none_is_refused(toy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    message = "device: cuda is asked for and not available here"
    assert message in refused(toy, "run", "toy", "-p", "device", "cuda")
    toy.write("params/laptop/01_toy.yaml", "device: cuda\n")
    assert f"01_toy (laptop): {message}" in refused(toy, "book")


def test_a_chapter_that_reads_what_is_not_there_is_refused_before_it_starts(toy) -> None:
    text = (toy.project.root / "notebooks" / "01_toy.py").read_text(encoding="utf-8")
    device = 'device: str = "auto"  # one of auto, cpu, cuda; where\n'
    assert device in text
    toy.write("notebooks/02_reader.py", text.replace(device, device + 'needs: list[str] = ["01_toy"]\n'))
    toy.write("params/laptop/02_reader.yaml", "profile: laptop\n")
    said = refused(toy, "run", "reader")
    assert "02_reader (laptop): it reads those of 01_toy, and results/laptop/01_toy has no tables" in said
    assert "`sparsenn run 01_toy --profile laptop` makes them" in said
    folder = toy.project.results / "laptop" / "01_toy"
    folder.mkdir(parents=True)
    write_table(pd.DataFrame({"x": [1.0]}), folder / "rows.parquet", {})
    assert toy("run", "reader")[0] == 0


def test_the_sums_are_those_of_all_committed_data_files(project) -> None:
    files = [path for path in project.data.iterdir() if path.name not in (SUMS, "README.md")]
    assert recorded_sums(project) == {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
