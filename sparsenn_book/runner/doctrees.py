"""What the last build without a warning has read and written, kept so that the next one does so only where it differs.

Sphinx reads pages into trees, and writes trees as HTML. What both depend on beside the pages' own files is in a key:
settings, contents, extensions, the library with its docstrings, installed versions. With another key, or after damage,
nothing is kept. Which pages are written again, since menus depend on all, the extension `kept_pages` decides. A page
that was kept was read without a warning, and would be again; of a build that fails nothing is kept.
"""

from __future__ import annotations

import hashlib
import shutil
import sysconfig
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sparsenn_book.runner import docstrings

KEY = "key"


def key_of(source: Path, changing: tuple[str, ...], code: Path) -> str:
    """What must be equal for trees to be kept: the staged `source` but for its folders `changing`, the folder `code` of
    the library that pages describe, what makes pages of it, and what is installed.
    """
    # names hold versions: `sphinx-7.4.7.dist-info`
    installed = sorted(path.name for path in Path(sysconfig.get_path("purelib")).glob("*.dist-info"))
    content = hashlib.sha256(repr(installed).encode())
    files = [path for path in source.rglob("*") if path.relative_to(source).parts[0] not in changing]
    for path in sorted([*files, *code.rglob("*.py"), Path(docstrings.__file__), Path(__file__)]):
        if path.is_file():
            content.update(f"{path.name} {hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return content.hexdigest()


@contextmanager
def with_doctrees(folder: Path, source: Path, key: str) -> Iterator[Path]:
    """The folder to build in: its `source/` equals the staged one, and of an equal `key` it holds what the last build
    has made, but for `_static`: pages name the files that Sphinx finds there with checksums, and must not find more
    than in a build from scratch.

    It is kept if the block ends without an exception. One process at a time, which the caller sees to.
    """
    mark, made = folder / KEY, folder / "_build"
    if not (mark.is_file() and mark.read_text(encoding="utf-8") == f"{key} {_digest(made)}"):
        shutil.rmtree(folder, ignore_errors=True)
    mark.unlink(missing_ok=True)
    shutil.rmtree(made / "html" / "_static", ignore_errors=True)
    _mirror(source, folder / "source")
    try:
        yield folder
        mark.write_text(f"{key} {_digest(made)}", encoding="utf-8")
    finally:
        if not mark.exists():
            shutil.rmtree(folder, ignore_errors=True)


def _digest(folder: Path) -> str:
    """sha256 over names and contents of all files in a folder."""
    found = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        found.update(f"{path.relative_to(folder)} {hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return found.hexdigest()


def _mirror(source: Path, own: Path) -> None:
    """Make the files of `own` those of `source`; files of equal bytes keep their time, by which Sphinx goes."""
    wanted = {path.relative_to(source) for path in source.rglob("*") if path.is_file()}
    for path in [path.relative_to(own) for path in own.rglob("*") if path.is_file()]:
        if path not in wanted:
            (own / path).unlink()
    for path in wanted:
        there = own / path
        if not (there.exists() and there.read_bytes() == (source / path).read_bytes()):
            there.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source / path, there)
