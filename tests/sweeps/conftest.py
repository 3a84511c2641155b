"""The project of these tests, and what its twelve runs give when nobody disturbs them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sweep_toy import Call, SweepToy, Undisturbed

from sparsenn_book.__main__ import main


@pytest.fixture
def toy(tmp_path: Path) -> Iterator[SweepToy]:
    made = SweepToy(tmp_path)
    yield made
    made.end()


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Undisturbed:
    """`twelve`, run one after another in a project of its own."""
    made = SweepToy(tmp_path_factory.mktemp("undisturbed"))
    made.go()
    status, out, err = made("twelve")
    assert (status, err) == (0, "")
    assert "collected: results/sweeps/twelve/collected.parquet, 24 rows from 12 of 12 runs" in out
    assert (len(made.runs()), made.begun(), made.attempts()) == (12, 12, [])
    return Undisturbed(made.collected(), made.project.results)


@pytest.fixture
def call(toy: SweepToy, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    """The command line in this process; what it would execute counts as lost."""
    monkeypatch.chdir(toy.project.root)

    def called(*arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()
        with pytest.raises(SystemExit) as left:
            main(["sweep", *arguments])
        out, err = capsys.readouterr()
        return int(left.value.code or 0), out, err

    return called
