"""Sphinx extension: docstrings of the library, which are plain text with names in backticks, as Sphinx reads them."""

from typing import Any

from sphinx.application import Sphinx

from sparsenn_book.runner.docstrings import as_rst


def setup(app: Sphinx) -> dict[str, bool]:
    app.setup_extension("sphinx.ext.autodoc")
    app.connect("autodoc-process-docstring", rewrite)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def rewrite(app: Sphinx, what: str, name: str, thing: Any, options: Any, lines: list[str]) -> None:
    lines[:] = [*as_rst("\n".join(lines)).splitlines(), ""]
