"""Sphinx extension: nothing in the built book comes from another host.

MathJax is copied out of the wheel `sphinx-mathjax-offline`, which cannot be imported by its name; jupyter-book always
loads sphinx-thebe, which writes an external address into each page although the book has no live code.
"""

import importlib.metadata
import shutil
from pathlib import Path

from sphinx.application import Sphinx

MATHJAX = "tex-svg-full.js"
THEBE_WRITERS = ("init_thebe_core", "update_thebe_context")


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("builder-inited", copy_mathjax)
    for listeners in app.events.listeners.values():
        for listener in list(listeners):
            handler = listener.handler
            if handler.__module__ == "sphinx_thebe" and handler.__name__ in THEBE_WRITERS:
                listeners.remove(listener)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def copy_mathjax(app: Sphinx) -> None:
    wheel = importlib.metadata.distribution("sphinx-mathjax-offline")
    [script] = [file for file in wheel.files or [] if file.name == MATHJAX]
    static = Path(app.outdir) / "_static"
    static.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(Path(wheel.locate_file(script)), static / MATHJAX)
