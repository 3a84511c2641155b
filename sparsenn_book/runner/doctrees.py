"""What the last build without a warning has read, kept so that the next one reads only the chapters that changed.

Sphinx reads pages into trees, and writes trees as HTML. Trees are kept, HTML is not: links, menus and the search index
depend on all pages. What reading depends on beside a page's own file is in a key: settings, contents, extensions, the
library with its docstrings, installed versions. With another key all pages are read. A page that was kept was read
without a warning, and would be again; of a build that fails nothing is kept.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sysconfig
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

KEY = "key"


def key_of(source: Path, changing: tuple[str, ...], code: Path) -> str:
    """What must be equal for trees to be kept: the staged `source` but for its folders `changing`, the folder `code` of
    the library that pages describe, and what is installed.
    """
    # names hold versions: `sphinx-7.4.7.dist-info`
    installed = sorted(path.name for path in Path(sysconfig.get_path("purelib")).glob("*.dist-info"))
    content = hashlib.sha256(repr(installed).encode())
    files = [path for path in source.rglob("*") if path.relative_to(source).parts[0] not in changing]
    for path in sorted([*files, *code.rglob("*.py")]):
        if path.is_file():
            content.update(f"{path.name} {hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return content.hexdigest()


@contextmanager
def with_doctrees(folder: Path, source: Path, key: str) -> Iterator[Path]:
    """The folder to build in: its `source/` equals the staged one, and of an equal `key` it holds the last trees.

    They are kept if the block ends without an exception. One process at a time, which the caller sees to.
    """
    mark, html = folder / KEY, folder / "_build" / "html"
    if not (mark.is_file() and mark.read_text(encoding="utf-8") == key):
        shutil.rmtree(folder, ignore_errors=True)
    mark.unlink(missing_ok=True)
    shutil.rmtree(html, ignore_errors=True)
    _mirror(source, folder / "source")
    try:
        yield folder
        mark.write_text(key, encoding="utf-8")
    finally:
        if not mark.exists():
            shutil.rmtree(folder, ignore_errors=True)


def _mirror(source: Path, own: Path) -> None:
    """Make the files of `own` those of `source`; files of equal bytes keep their time, by which Sphinx goes.

    Pages in no folder take in generated text, so they count as changed each time.
    """
    wanted = {path.relative_to(source) for path in source.rglob("*") if path.is_file()}
    for path in [path.relative_to(own) for path in own.rglob("*") if path.is_file()]:
        if path not in wanted:
            (own / path).unlink()
    for path in wanted:
        there = own / path
        if there.exists() and there.read_bytes() == (source / path).read_bytes():
            if there.parent == own:
                os.utime(there)
            continue
        there.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source / path, there)
