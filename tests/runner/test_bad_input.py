"""What a hurried user types: one line, exit status 2, nothing written, no waiting."""

from __future__ import annotations

import subprocess
import sys

import pytest
from sources_of_trouble import COMMANDS, FILES

from sparsenn_book.records.closure import INSTALLED
from sparsenn_book.sources.plain_yaml import parse


def refused(toy, *arguments: str) -> str:
    before = toy.files()
    status, _, err = toy(*arguments)
    assert status == 2
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert len(err) <= 300
    assert toy.files() == before
    return err


@pytest.mark.parametrize(("arguments", "message"), COMMANDS, ids=[message for _, message in COMMANDS])
def test_a_bad_command_is_refused(toy, arguments: list[str], message: str) -> None:
    assert message in refused(toy, *arguments)


@pytest.mark.parametrize(("text", "message"), FILES, ids=[message for _, message in FILES])
def test_a_bad_parameter_file_is_refused_by_run_and_book(toy, text: str, message: str) -> None:
    toy.write("params/laptop/01_toy.yaml", text)
    for arguments in (["run", "toy"], ["book"]):
        err = refused(toy, *arguments)
        assert "params/laptop/01_toy.yaml" in err
        assert message in err


@pytest.mark.parametrize(
    ("text", "value"),
    [("010", 10), ("0o10", 8), ("1e-5", 1e-5), ("1E2", 100.0), ("-1.5", -1.5), ("yes", "yes"), ("1:30", "1:30"),
     ("2026-01-01", "2026-01-01"), ("null", None), ("true", True), ("[1, [a, 2.]]", [1, ["a", 2.0]]), ("", None),
     ("a: {b: 1}", {"a": {"b": 1}})],
)  # fmt: skip
def test_yaml_is_read_as_most_people_do(text: str, value: object) -> None:
    found = parse(text)
    assert found == value
    assert type(found) is type(value)


def test_help_is_no_error(toy) -> None:
    for arguments in ([], ["--help"], ["run", "--help"]):
        status, out, err = toy(*arguments)
        assert (status, err) == (0, "")
        assert "Usage: python -m sparsenn_book" in out


def test_bytes_that_are_no_text_are_refused(toy) -> None:
    (toy.project.params / "laptop" / "01_toy.yaml").write_bytes(b"\xff\xfe\x00")
    assert "broken YAML: not UTF-8 text (byte 0)" in refused(toy, "run", "toy")
    (toy.project.notebooks / "01_toy.py").write_bytes(b"\xff")
    assert "not UTF-8" in refused(toy, "run", "toy")


def test_a_missing_parameter_file_is_refused(toy) -> None:
    (toy.project.params / "laptop" / "01_toy.yaml").unlink()
    assert "params/laptop/01_toy.yaml: no such file" in refused(toy, "run", "toy")
    assert "params/laptop/01_toy.yaml: no such file" in refused(toy, "book")


def test_a_parameter_file_without_a_notebook_stops_the_book(toy) -> None:
    toy.write("params/laptop/02_toy.yaml", "")
    assert "params/laptop/02_toy.yaml: unknown notebook '02_toy'; did you mean '01_toy'?" in refused(toy, "book")


def test_a_notebook_that_cannot_start_stops_the_book_before_any_runs(toy) -> None:
    toy.add("02_other")
    toy.write("params/laptop/02_other.yaml", "steps: none\n")
    assert "02_other.yaml: steps: 'none' is a str" in refused(toy, "book")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('# %% tags=["parameters"]', "# %%", "no cell is tagged parameters"),
        ("# %%\nimport", '# %% tags=["parameters"]\nimport', "2 cells are tagged parameters"),
        ('profile: str = "laptop"', "", "must declare `profile: str"),
        ('output_dir: str = "results/own/01_toy"', "output_dir: int = 1", "must declare `output_dir: str"),
        ("bias: bool = False", "bias = False", "notebooks/01_toy.py, line 19: only `name: type = value`"),
    ],
)
def test_a_broken_notebook_is_refused_with_its_line(toy, old: str, new: str, message: str) -> None:
    path = toy.project.notebooks / "01_toy.py"
    path.write_text(path.read_text().replace(old, new))
    assert message in refused(toy, "run", "toy")


def test_a_name_without_a_number_is_refused(toy) -> None:
    toy.write("notebooks/helper.py", "")
    assert "notebooks/helper.py: a notebook is named NN_name.py" in refused(toy, "list")


def test_an_ambiguous_name_is_refused(toy) -> None:
    toy.add("02_toy")
    assert "could be 01_toy or 02_toy" in refused(toy, "run", "toy")


def test_outside_a_checkout(toy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir("/")
    assert "not inside a checkout" in refused(toy, "list")


def test_the_command_line_does_not_wait_for_heavy_libraries(toy) -> None:
    code = (
        "import sys\nfrom sparsenn_book.__main__ import main\n"
        "try: main(sys.argv[1:])\nexcept SystemExit: pass\n"
        "heavy = ('torch', 'pandas', 'papermill', 'jupytext', 'nbformat', 'scipy')\n"
        "print([name for name in heavy if name in sys.modules])"
    )
    for arguments in (["list"], ["run", "toy", "-p", "steps", "0"]):
        command = [sys.executable, "-P", "-c", code, *arguments]
        done = subprocess.run(command, env={"PYTHONPATH": str(INSTALLED)}, capture_output=True, text=True, check=True)
        assert done.stdout.splitlines()[-1] == "[]"
