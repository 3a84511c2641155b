"""The generated pages and settings of the book, as text: status, table of contents, configuration."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Mapping, Sequence
from typing import Any

Notebook = Mapping[str, Any]

MADE_WITH = ("papermill", "jupytext", "jupyter-book", "myst-nb", "sphinx", "plotly")
LIBRARY = "library"
"""Folder of the pages on the library, which are made from its docstrings."""
GUIDES = "90"
"""Notebooks named from this number on are guides to the library: they state no claims and stand in its part."""
AFTERWORD = ("ledger", "status", "making", "references")
"""Pages after the chapters, in order."""
TODAY, NO_FULL = "of today's code", "none that today's claims can read"


def title(notebook: Notebook, fallback: str) -> str:
    """A chapter's title: the first heading of level one in its text, else `fallback`."""
    for cell in notebook["cells"]:
        if cell["cell_type"] == "markdown":
            for line in cell["source"].splitlines():
                if line.startswith("# "):
                    return str(line[2:].strip())
    return fallback


def contents(notebooks: Sequence[str], described: Sequence[str] = ()) -> dict[str, Any]:
    """The table of contents for jupyter-book: the first page, the chapters in order, the library, the book itself.

    `notebooks` are names; those from `GUIDES` on stand with the pages on the library, named in `described`.
    """
    chapters = [{"file": f"notebooks/{name}"} for name in notebooks if name < GUIDES]
    guides = [{"file": f"notebooks/{name}"} for name in notebooks if name >= GUIDES]
    rooms = [{"file": f"{LIBRARY}/{name}"} for name in described]
    parts: list[dict[str, Any]] = [
        {"caption": "Chapters", "numbered": True, "chapters": chapters},
        {"caption": "The library", "chapters": [*guides, *rooms]},
        {"caption": "About the book", "chapters": [{"file": page} for page in AFTERWORD]},
    ]
    return {"format": "jb-book", "root": "index", "parts": [part for part in parts if part["chapters"]]}


def configuration(base: Mapping[str, Any], profile: str) -> dict[str, Any]:
    """The book's settings with the profile named on every page, and above every page where it is no evidence."""
    sphinx = dict(base["sphinx"])
    settings = dict(sphinx["config"])
    theme = dict(settings["html_theme_options"])
    theme["extra_footer"] = f"Made with the <strong>{profile}</strong> profile."
    if profile == "smoke":
        theme["announcement"] = "Smoke profile: seconds-long runs that show that everything works. Never evidence."
    return {**base, "sphinx": {**sphinx, "config": {**settings, "html_theme_options": theme}}}


def status(
    chapters: Mapping[str, Notebook],
    runs: Mapping[str, Mapping[str, Any]],
    profile: str,
    ages: Mapping[str, Mapping[str, str]] | None = None,
) -> str:
    """The status page's generated part: what was executed, when, on what, in how many seconds, with which versions.

    `chapters` maps each notebook to its executed document, `runs` to its provenance where it wrote one; papermill's
    own clock gives date and seconds where a run is silent. `ages` says of each notebook how old the tables are that it
    shows: "here" those of this copy, "full" the committed ones; empty if they are as today's code makes them.
    """
    lines = [f"Every chapter of this copy was executed with the **`{profile}`** profile.", ""]
    if not chapters:
        return "\n".join([*lines, "There is no chapter yet.", ""])
    lines += [":::{list-table}", ":header-rows: 1", ":class: status", ""]
    lines += ["* - Chapter", "  - Executed (UTC)", "  - Seconds", "  - Device", "  - Code", "  - Tables"]
    total = 0.0
    for name, notebook in chapters.items():
        clock = notebook["metadata"]["papermill"]
        run = runs.get(name, {})
        seconds = float(run.get("seconds") or clock.get("duration") or 0.0)
        total += seconds
        date = str(run.get("start") or clock.get("end_time") or "")[:16].replace("T", " ")
        lines += [f"* - [{title(notebook, name)}](notebooks/{name}.ipynb)", f"  - {date}", f"  - {seconds:.1f}"]
        lines += [f"  - {run.get('device') or 'not stated'}", f"  - {_code(run)}"]
        lines += ["  - keeps none" if name >= GUIDES else f"  - {_age((ages or {}).get(name, {}), profile)}"]
    lines += [":::", "", f"Together {total:.1f} seconds. Tables that were there already were read, not computed.", ""]
    return "\n".join([*lines, "## Versions", "", *_versions(runs)])


def _code(run: Mapping[str, Any]) -> str:
    """The commit of the source that a run used, and whether the checkout differed from it."""
    code = run.get("code")
    commit = str(code.get("commit") or "")[:10] if isinstance(code, Mapping) else ""
    if not commit:
        return "not stated"
    return f"`{commit}`" + (", with changes" if code and code.get("dirty") else "")


def _age(ages: Mapping[str, str], profile: str) -> str:
    """How old the tables are that a chapter shows, in a few words."""
    here = "this copy: " + (ages.get("here") or TODAY)
    if profile == "full":
        return here
    full = ages.get("full")
    return f"{here}; full scale: {NO_FULL if full is None else full or TODAY}"


def _versions(runs: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Libraries that computed, as the runs say, and libraries that made the pages, as installed."""
    found: dict[str, set[str]] = {}
    for run in runs.values():
        for library, version in (run.get("versions") or {}).items():
            found.setdefault(library, set()).add(str(version))
    lines = [":::{list-table}", ":header-rows: 1", ":class: status", "", "* - Library", "  - Version", "  - Used for"]
    for library, versions in found.items():
        lines += [f"* - {library}", f"  - {', '.join(sorted(versions))}", "  - numbers"]
    for library in MADE_WITH:
        if library not in found:
            lines += [f"* - {library}", f"  - {importlib.metadata.version(library)}", "  - pages"]
    return [*lines, ":::", ""]
