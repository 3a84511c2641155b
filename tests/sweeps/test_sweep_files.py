"""Sweep files: what they mean, and that bad ones are refused in one line before anything is written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sweep_toy import HEAD, LEVELS, Call, SweepToy

from sparsenn_book.sources.project import Project
from sparsenn_book.sweeps.planning import plan
from sparsenn_book.sweeps.runs import Run
from sparsenn_book.sweeps.slurm import read_options
from sparsenn_book.sweeps.sweep_file import find, names
from sparsenn_core.errors import InputError


def runs_of(toy: SweepToy, text: str) -> list[Run]:
    """The runs of a sweep file."""
    toy.write("params/sweeps/own.yaml", text)
    return plan(toy.project, find(toy.project, "own"))


def test_grid_and_zip_are_combined_in_the_order_of_the_file(toy: SweepToy) -> None:
    text = (
        HEAD + "fixed: {most: 7}\ngrid: {seed: [1, 2], strength: [1, 2.5]}\nzip: {few: [0, 3], strengths: [[1], [2]]}\n"
    )
    runs = runs_of(toy, text)
    assert [tuple(run.varied.values()) for run in runs] == [
        (seed, strength, few, strengths)
        for seed in (1, 2)
        for strength in (1.0, 2.5)
        for few, strengths in ((0, [1.0]), (3, [2.0]))
    ]
    for run in runs:
        rest = {"most": 7, "device": "auto", "profile": "laptop"}
        assert run.parameters == rest | run.varied
        assert type(run.parameters["strength"]) is float
    assert len({run.id for run in runs}) == 8
    assert all(len(run.id) == 16 and run.key.startswith(run.id) for run in runs)


def test_a_run_is_named_by_all_its_values_however_they_were_given(toy: SweepToy) -> None:
    def only(text: str) -> str:
        (run,) = runs_of(toy, HEAD + text)
        return run.key

    plain = only("")
    # The profile has strength 1.0, the notebook seed 0; where it runs makes no difference.
    assert only("fixed: {strength: 1}") == only("grid: {seed: [0]}") == only("fixed: {device: cpu}") == plain
    assert only("fixed: {seed: 1}") == only("zip: {seed: [1]}") != plain
    toy.write("params/laptop/01_toy.yaml", "strength: 2\n")
    assert only("") == only("fixed: {strength: 2}") != plain
    toy.write("params/laptop/01_toy.yaml", "strength: 1\n")
    assert only("") == plain
    source = toy.project.notebooks / "01_toy.py"
    source.write_text(source.read_text().replace("# # A toy", "# # Another"))
    assert only("") == plain
    source.write_text(source.read_text().replace("seed * strength", "seed - strength"))
    assert only("") != plain


def test_a_function_takes_what_a_notebook_declares_at_its_profile(project: Project) -> None:
    (run,) = plan(project, find_text(project, "notebook: rebound\nprofile: smoke\n" + LEVELS.splitlines()[0]))
    assert run.function == "sparsenn_book.studies.rebound.scaling.levels"
    assert run.table == "levels"
    assert run.parameters == {
        "dimensions": [2, 25, 25, 1], "biases": "tiny", "seed": 42, "spectrum_runs": 2, "scaling_rate": 1e-5,
        "scaling_epochs": 100,
    }  # fmt: skip
    # By the face of its room it is the same function.
    (alone,) = plan(project, find_text(project, LEVELS))
    assert alone.key != run.key
    (again,) = plan(project, find_text(project, LEVELS.replace("seed: 1,", "seed: 1, device: cpu,")))
    assert again.key == alone.key


def find_text(project: Project, text: str) -> Any:
    """What a sweep file of that text says."""
    from sparsenn_book.sources.plain_yaml import parse as parse_yaml
    from sparsenn_book.sweeps.sweep_file import parse

    return parse("own", "params/sweeps/own.yaml", parse_yaml(text))


def test_every_sweep_of_the_book_can_be_planned(project: Project) -> None:
    there = names(project)
    assert {"l1_study", "rebound_noise", "bounds_grid", "sparse_layers_grid"} <= set(there)
    for name in there:
        runs = plan(project, find(project, name))
        assert len(runs) > 1, name
        assert all(run.varied for run in runs)


BAD = [
    ("", "names neither a notebook nor a function"),
    ("notebook: toy\n", "table: which of the notebook's tables is gathered?"),
    ("notebook: toi\ntable: rows\n", "unknown notebook 'toi'"),
    ("notebok: toy\n", "unknown entry 'notebok'; did you mean 'notebook'?"),
    ("notebook: [toy]\ntable: rows\n", "notebook: ['toy'] is no text"),
    (HEAD + "profile: laptob\n", "unknown profile 'laptob'; did you mean 'laptop'?"),
    (LEVELS + "profile: laptop\n", "profile: it is a notebook that has profiles"),
    (HEAD + "fixed: 3\n", "fixed: 3 is no mapping"),
    (HEAD + "fixed: {sed: 3}\n", "fixed: unknown parameter of 01_toy 'sed'; did you mean 'seed'?"),
    (HEAD + "fixed: {seed: x}\n", "fixed: seed: 'x' is a str, not an int"),
    (HEAD + "fixed: {output_dir: x}\n", "fixed: output_dir is filled in by the runner"),
    (HEAD + "fixed: {profile: x}\n", "fixed: profile is filled in by the runner"),
    (HEAD + "grid: {seed: 3}\n", "grid: seed: 3 is no list of values"),
    (HEAD + "grid: {seed: []}\n", "grid: seed: [] is no list of values"),
    (HEAD + "grid: {seed: [1, 2, 3000]}\n", "grid, entry 3: seed: 3000 is outside [0, 1000]"),
    (HEAD + "grid: {seed: [1, 2, 1]}\n", "run 3 (seed 1): computes the same as another run"),
    (HEAD + "grid: {device: [cpu, cuda]}\n", "run 2 (device 'cuda'): computes the same as another run"),
    (HEAD + "grid: {strengths: [[1], [2, 2]]}\n", "grid, entry 2: strengths, entry 2: 2.0 is given twice"),
    (HEAD + "grid: {few: [1, 9]}\nfixed: {most: 5}\n", "run 2 (few 9): few: 9 is larger than most, which is 5"),
    (HEAD + "grid: {seed: [1]}\nfixed: {seed: 1}\n", "seed stands under fixed and under grid"),
    (HEAD + "zip: {seed: [1, 2], few: [1]}\n", "zip: entries go together one by one, but seed has 2, few has 1"),
    (HEAD + f"grid: {{seed: {list(range(1000))}, few: {list(range(101))}}}\n", "asks for 101000 runs; 100000 is the"),
    (HEAD.replace("rows", "'{sead}'"), "table: unknown parameter 'sead'; did you mean 'seed'?"),
    (HEAD.replace("rows", "a/b"), "table: 'a/b' is no name of a table"),
    (HEAD.replace("rows", "'{strength}'"), "table: '1.0' is no name of a table"),
    (HEAD + "seed: [1,\n", "line 4: broken YAML"),
    ("- 1\n", "holds a list"),
    ("function: os.system\n", "function: 'os.system' is no function of sparsenn_core or sparsenn_book"),
    ("function: sparsenn_book.studies.rebound.scaling.level\n", "unknown function 'level'; did you mean 'levels'?"),
    ("function: sparsenn_book.nowhere.levels\n", "ModuleNotFoundError: No module named 'sparsenn_book.nowhere'"),
    ("function: sparsenn_book.__main__.main\n", "sparsenn_book.__main__.main: makes no table"),
    ("function: sparsenn_book.studies.l1_path.judged\n", "tables is a pandas.DataFrame; settings and plain values"),
    (LEVELS.replace("seed: 1, ", ""), "run 1: seed: has no default, and no value is given"),
    (LEVELS.replace("seed: 1, ", "sead: 1, "), "unknown parameter of sparsenn_book.studies.rebound.scaling.levels"),
    (LEVELS.replace("seed: 1", "seed: 1.5"), "fixed: seed: 1.5 is a float, not an int"),
]


@pytest.mark.parametrize(("text", "said"), BAD, ids=[said[:40] for _, said in BAD])
@pytest.mark.parametrize("more", [[], ["--status"]])
def test_a_bad_file_is_refused_in_a_line(toy: SweepToy, call: Call, text: str, said: str, more: list[str]) -> None:
    path = toy.write("params/sweeps/own.yaml", text)
    status, out, err = call("own", *more)
    assert (status, out) == (2, "")
    assert said in err
    assert err.startswith(f"error: {toy.project.shown(path)}")
    assert err.count("\n") == 1
    assert not toy.project.results.exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["elevn"], "params/sweeps/: unknown sweep 'elevn'"),
        (["Big"], "params/sweeps/Big.yaml: a sweep is named in small letters"),
        (
            ["own", "--on", "slurn"],
            "--on: 'slurn' is not one of serial, local, local:N, tcp://HOST:PORT, slurm; did you",
        ),
        (["own", "--on", "local:0"], "--on: 'local:0' is not one of"),
        (["own", "--on", "tcp://here"], "--on: 'tcp://here' is not one of"),
        (["own", "--on", "serial", "--jobs", "3"], "--jobs"),
    ],
)
def test_a_bad_call_is_refused_in_a_line(toy: SweepToy, call: Call, arguments: list[str], said: str) -> None:
    toy.write("params/sweeps/own.yaml", HEAD)
    toy.write("params/sweeps/Big.yaml", HEAD)
    status, out, err = call(*arguments)
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert said in err
    assert not toy.project.results.exists()


@pytest.mark.parametrize("missing", ["distributed", "dask_jobqueue"])
def test_without_dask_other_engines_say_what_to_install(
    toy: SweepToy, call: Call, monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    import importlib.util

    toy.write("params/sweeps/own.yaml", HEAD)
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == missing else found(name))
    on = "slurm" if missing == "dask_jobqueue" else "local"
    status, _, err = call("own", "--on", on)
    assert (status, err) == (
        2,
        f"error: --on {on}: needs Dask, which `pip install .[cluster]` brings; serial needs nothing\n",
    )


OPTIONS = [
    ("jobs: 0\n", "jobs: 0 is outside [1, 10000]"),
    ("job: 1\n", "unknown option of Slurm 'job'; did you mean 'jobs'?"),
    ("memory: 4 gigabytes\n", "memory: '4 gigabytes' is not written like 4GB"),
    ("walltime: 90\n", "walltime: 90 is an int, not a str"),
    ("walltime: an hour\n", "walltime: 'an hour' is not written like 01:30:00"),
    ("job_extra_directives: --gres=gpu:1\n", "'--gres=gpu:1' is a str, not a list[str]"),
]


@pytest.mark.parametrize(("text", "said"), OPTIONS)
def test_a_bad_option_of_slurm_is_named(toy: SweepToy, text: str, said: str) -> None:
    toy.write("params/slurm.yaml", text)
    with pytest.raises(InputError) as refused:
        read_options(toy.project)
    assert str(refused.value).startswith("params/slurm.yaml: ")
    assert said in str(refused.value)


def test_options_of_slurm_have_defaults(toy: SweepToy, project: Project) -> None:
    assert read_options(toy.project)["jobs"] == 4
    assert read_options(project) == read_options(toy.project)
    with pytest.raises(InputError, match=r"none\.yaml: no such file"):
        read_options(toy.project, Path("none.yaml"))
