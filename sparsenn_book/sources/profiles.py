"""Profiles: for each notebook one flat YAML of parameters, `params/<profile>/<notebook>.yaml`."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from sparsenn_book.sources.notebooks import FILLED_IN, NEEDS, Source, names
from sparsenn_book.sources.parameters import Parameter, as_number, defaults, shown
from sparsenn_book.sources.plain_yaml import BrokenYaml, parse
from sparsenn_book.sources.project import Project
from sparsenn_book.sources.rules import check_jointly
from sparsenn_core.errors import InputError, unknown

CUSTOM = "custom"  # where runs with one's own parameters go, hence no name for a profile
SWEEPS = "sweeps"  # where sweep files and the results of sweeps go, likewise


def profiles(project: Project) -> list[str]:
    """The profiles there are, cheapest first where they have the usual names."""
    found = [path.name for path in project.params.iterdir() if path.is_dir() and path.name not in (CUSTOM, SWEEPS)]
    usual = ["smoke", "laptop", "full"]
    return sorted(found, key=lambda name: (usual.index(name) if name in usual else len(usual), name))


def check_profile(project: Project, profile: str) -> None:
    """`InputError` if there is no such profile."""
    known = profiles(project)
    if profile not in known:
        raise unknown("profile", profile, known, where=project.shown(project.params) + "/")


def check_complete(project: Project, profile: str) -> None:
    """`InputError` unless the profile names exactly the notebooks that there are."""
    check_profile(project, profile)
    known = names(project)
    for path in sorted((project.params / profile).iterdir()):
        if path.suffix != ".yaml" or path.stem not in known:
            raise unknown("notebook", path.stem, known, where=project.shown(path))
    for name in known:
        _existing(project, profile, name)


def resolve(project: Project, source: Source, profile: str, own: Iterable[tuple[str, str]] = ()) -> dict[str, Any]:
    """All parameters of a notebook at a profile but `output_dir`: its defaults, the profile's file, then `own`.

    `own` are names and texts from the command line. `InputError` names file, key, value and the nearest right one.
    """
    values = at_profile(project, source, profile)
    given: dict[str, Any] = {}
    for name, text in own:
        parameter = allowed(source, name, "-p")
        if name in given:
            raise InputError(f"-p: {name} is given twice")
        given[name] = parameter.check(parse_option(parameter, text), "-p")
    values |= given
    where = project.shown(_path(project, profile, source.name))
    check_jointly(source.parameters, values, f"{where}{' with -p' if given else ''}")
    return values


def at_profile(project: Project, source: Source, profile: str) -> dict[str, Any]:
    """All parameters of a notebook but `output_dir`: its defaults, then the profile's file; each checked by itself."""
    check_profile(project, profile)
    path = _existing(project, profile, source.name)
    where = project.shown(path)
    values = defaults(source.parameters.values()) | {"profile": profile}
    for name, value in read_yaml(path, where).items():
        # Plain papermill can know the profile from the file alone, so it may stand there, but not another one.
        if name == "profile":
            if value != profile:
                raise InputError(f"{where}: profile: {shown(value)} stands in the folder of profile {profile!r}")
            continue
        values[name] = allowed(source, name, where).check(value, where)
    return {name: value for name, value in values.items() if name != "output_dir"}


def read_yaml(path: Path, where: str) -> dict[str, Any]:
    """A flat mapping from a YAML file; an empty file is an empty mapping. `InputError` with the line if broken."""
    try:
        values = parse(path.read_text(encoding="utf-8"))
    except UnicodeDecodeError as error:
        raise InputError(f"{where}: broken YAML: not UTF-8 text (byte {error.start})") from None
    except BrokenYaml as error:
        line = f", line {error.line}" if error.line else ""
        raise InputError(f"{where}{line}: broken YAML: {error}") from None
    if values is None:
        return {}
    if not isinstance(values, dict):
        raise InputError(f"{where}: holds a {type(values).__name__}, not lines of `name: value`")
    return {str(name): value for name, value in values.items()}


def parse_option(parameter: Parameter, text: str) -> Any:
    """A value from the command line: YAML, but 1e-5 is a number and what is meant as text need not be quoted."""
    try:
        value = parse(text)
    except BrokenYaml as error:
        if parameter.kind == "str":
            return text
        raise InputError(f"-p: {parameter.name}: {shown(text)} is broken YAML: {error}") from None
    if parameter.kind == "str":
        return value if isinstance(value, str) else text
    if parameter.kind == "float":
        return _number(value)
    if parameter.kind == "list[float]" and isinstance(value, list):
        return [_number(entry) for entry in value]
    return value


def _number(value: Any) -> Any:
    number = as_number(value) if isinstance(value, str) else None
    return value if number is None else number


def allowed(source: Source, name: str, where: str) -> Parameter:
    """The parameter of that name, if a file or a person may set it. `InputError` that starts with `where` if not."""
    if name in FILLED_IN and name in source.parameters:
        raise InputError(
            f"{where}: {name} is filled in by the runner" + "; choose it with --profile" * (name == "profile")
        )
    if name == NEEDS:
        raise InputError(f"{where}: {name} says what the chapter reads and is set in the notebook alone")
    if name not in source.parameters:
        known = [known for known in source.parameters if known not in (*FILLED_IN, NEEDS)]
        raise unknown(f"parameter of {source.name}", name, known, where=where)
    return source.parameters[name]


def _existing(project: Project, profile: str, name: str) -> Path:
    path = _path(project, profile, name)
    if not path.is_file():
        raise InputError(f"{project.shown(path)}: no such file; every profile needs one (empty: all defaults)")
    return path


def _path(project: Project, profile: str, name: str) -> Path:
    return project.params / profile / f"{name}.yaml"
