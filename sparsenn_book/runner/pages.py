"""The generated pages and settings of the book, as text: status, table of contents, configuration."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Mapping, Sequence
from typing import Any

Notebook = Mapping[str, Any]

MADE_WITH = ("papermill", "jupytext", "jupyter-book", "myst-nb", "sphinx", "plotly")
AFTERWORD = ("status", "making", "references")
"""Pages after the chapters, in order."""


def title(notebook: Notebook, fallback: str) -> str:
    """A chapter's title: the first heading of level one in its text, else `fallback`."""
    for cell in notebook["cells"]:
        if cell["cell_type"] == "markdown":
            for line in cell["source"].splitlines():
                if line.startswith("# "):
                    return str(line[2:].strip())
    return fallback


def contents(chapters: Sequence[str]) -> dict[str, Any]:
    """The table of contents for jupyter-book: the ledger, the chapters in order, the pages on the book itself."""
    parts: list[dict[str, Any]] = [{"caption": "About the book", "chapters": [{"file": page} for page in AFTERWORD]}]
    if chapters:
        studies = [{"file": f"notebooks/{name}"} for name in chapters]
        parts.insert(0, {"caption": "Chapters", "numbered": True, "chapters": studies})
    return {"format": "jb-book", "root": "index", "parts": parts}


def configuration(base: Mapping[str, Any], profile: str) -> dict[str, Any]:
    """The book's settings with the profile named on every page, and above every page where it is no evidence."""
    sphinx = dict(base["sphinx"])
    settings = dict(sphinx["config"])
    theme = dict(settings["html_theme_options"])
    theme["extra_footer"] = f"Made with the <strong>{profile}</strong> profile."
    if profile == "smoke":
        theme["announcement"] = "Smoke profile: seconds-long runs that show that everything works. Never evidence."
    return {**base, "sphinx": {**sphinx, "config": {**settings, "html_theme_options": theme}}}


def status(chapters: Mapping[str, Notebook], runs: Mapping[str, Mapping[str, Any]], profile: str) -> str:
    """The status page's generated part: what was executed, when, on what, in how many seconds, with which versions.

    `chapters` maps each notebook to its executed document, `runs` to its provenance where it wrote one. Papermill's
    own clock gives date and seconds where a run is silent.
    """
    lines = [f"Every chapter of this copy was executed with the **`{profile}`** profile.", ""]
    if not chapters:
        return "\n".join([*lines, "There is no chapter yet.", ""])
    lines += [":::{list-table}", ":header-rows: 1", ":class: status", ""]
    lines += ["* - Chapter", "  - Executed (UTC)", "  - Seconds", "  - Device", "  - Code"]
    total = 0.0
    for name, notebook in chapters.items():
        clock = notebook["metadata"]["papermill"]
        seconds = float(clock.get("duration") or 0.0)
        total += seconds
        run = runs.get(name, {})
        date = str(clock.get("end_time") or run.get("date") or "")[:16].replace("T", " ")
        lines += [f"* - [{title(notebook, name)}](notebooks/{name}.ipynb)", f"  - {date}", f"  - {seconds:.1f}"]
        lines += [f"  - {run.get('device') or 'not stated'}", f"  - {_code(run)}"]
    lines += [":::", "", f"Together {total:.1f} seconds.", "", "## Versions", ""]
    return "\n".join([*lines, *_versions(runs)])


def _code(run: Mapping[str, Any]) -> str:
    """The state of the library that a run used: hash of its source, commit, and whether the checkout differed."""
    code = run.get("code")
    if not isinstance(code, Mapping):
        return "not stated"
    source, commit = str(code.get("source") or "")[:12], str(code.get("commit") or "")[:10]
    changed = ", with changes" if code.get("dirty") else ""
    return f"`{source}`" + (f" (commit `{commit}`{changed})" if commit else "")


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
