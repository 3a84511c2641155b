"""One run of a sweep: what it computes, where it lies, and whether it is there. A run is plain data and travels.

    results/sweeps/<sweep>/<run>/             a finished run: its files, and run.json with the sha256 of each
    results/sweeps/<sweep>/collected.parquet  the rows of all finished runs
    results/sweeps/<sweep>/.attempts/         runs under way, or what a crash left: <run>.<host>-<process>-<random>
    results/sweeps/<sweep>/.failed/<run>/     failed attempts, with traceback
    results/sweeps/<sweep>/.by_key/           links to the tables of finished runs, which other runs may need
    results/sweeps/<sweep>/.aside/            what lay in a run's place and was not that run

No lock is taken, as a file system that several machines share may not honour it. All that is asked of it is that a
folder is renamed as a whole, and never onto one that holds files.
"""

from __future__ import annotations

import errno
import os
import secrets
import shutil
import socket
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from sparsenn_book.records.files import sync
from sparsenn_book.records.tables import read_provenance
from sparsenn_book.runner.freshness import RECORD, hashes, read_record
from sparsenn_book.sources.policy import BY_KEY
from sparsenn_book.sources.profiles import SWEEPS
from sparsenn_book.sources.project import Project

ID_DIGITS = 16  # of 64: a million runs share one with a chance of 3e-8, and then the second is refused, not mistaken
TRIES = 5
"""Times that what lies in a run's place is moved aside before giving up; once, unless somebody puts it there again."""
IN_THE_WAY = (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR)

State = Literal["done", "failed", "damaged", "waiting"]


@dataclass(frozen=True)
class Run:
    """A run of `sweep` in the project at `root`: a `notebook`, or a table `function` of that full name, which a
    `module` defines; the others are empty; with all `parameters`.

    `key` is its identity, as hexadecimal sha256; `source` the digest of all source, data and libraries that it was
    planned with; `table` the table of it that is gathered, with the parameters `varied` beside.
    """

    root: str
    sweep: str
    notebook: str
    function: str
    module: str
    parameters: dict[str, Any]
    table: str
    key: str
    source: str
    varied: dict[str, Any] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """The name of its folder."""
        return self.key[:ID_DIGITS]

    @property
    def project(self) -> Project:
        """The checkout it belongs to."""
        return Project(Path(self.root))

    @property
    def space(self) -> Path:
        """The folder of the sweep's results."""
        return self.project.results / SWEEPS / self.sweep

    @property
    def folder(self) -> Path:
        """Where the finished run lies."""
        return self.space / self.id

    @property
    def failures(self) -> Path:
        """Its failed attempts."""
        return self.space / ".failed" / self.id

    def new_attempt(self) -> Path:
        """An empty folder to work in, whose name says where from: host, process, and a random part."""
        return _own(self.space / ".attempts", self.id)

    def wrong(self) -> str:
        """What is wrong with what lies in its place, in a few words; empty if it is this run, whole."""
        record = read_record(self.folder)
        if record is None:
            return f"no {RECORD} that can be read"
        made = record.get("files")
        if record.get("key") != self.key:
            return "the record of another run"
        if not isinstance(made, dict) or not made:
            return f"{RECORD} names no files"
        found = hashes(self.folder, (self.folder / name for name in made if ".." not in Path(name).parts))
        harmed = [name for name, content in made.items() if found.get(name) != content]
        return f"{harmed[0]} is gone or not the file that was made" if harmed else ""

    def state(self) -> State:
        """Whether it is there, as the files say. Reads all of a finished run's files."""
        if os.path.lexists(self.folder):
            return "damaged" if self.wrong() else "done"
        failed = any((read_record(path) or {}).get("key") == self.key for path in self.failures.glob("*"))
        return "failed" if failed else "waiting"

    def publish(self, attempt: Path) -> bool:
        """Make a finished attempt the run. False if another was first: then that one stays and this one goes."""
        _to_disk(attempt)
        for _ in range(TRIES):
            try:
                os.rename(attempt, self.folder)
            except OSError as error:
                if error.errno not in IN_THE_WAY:
                    raise
            else:
                sync(self.space)
                self._link_tables()
                return True
            if not self.wrong():
                remove(attempt)
                return False
            self._set_aside()
        raise OSError(errno.EEXIST, "something else comes there again and again", str(self.folder))

    def keep_failure(self, attempt: Path) -> Path:
        """Move a failed attempt to where failures are kept, and say where."""
        _to_disk(attempt)
        self.failures.mkdir(parents=True, exist_ok=True)
        kept = self.failures / attempt.name.partition(".")[2]
        os.rename(attempt, kept)
        sync(self.failures)
        return kept

    def tidy(self) -> None:
        """Remove attempts at this run, which is done: whoever is still at one finds it done when his folder is gone."""
        for attempt in (self.space / ".attempts").glob(f"{self.id}.*"):
            remove(attempt)

    def _link_tables(self) -> None:
        """Let other runs of the sweep find this run's tables by their keys, so that none is computed twice."""
        links = self.space / BY_KEY
        links.mkdir(exist_ok=True)
        for table in self.folder.glob("*.parquet"):
            key = read_provenance(table).get("key")
            if key:
                # Another run may have linked a table of that key: then either will do.
                with suppress(FileExistsError):
                    (links / f"{key}.parquet").symlink_to(Path("..") / self.id / table.name)

    def _set_aside(self) -> None:
        aside = _own(self.space / ".aside", self.id)
        try:
            os.rename(self.folder, aside / self.id)
        except FileNotFoundError:  # another run has moved it
            remove(aside)


def remove(folder: Path) -> None:
    """Remove a folder of ours; what a process that dies just now still adds to it may stay."""
    shutil.rmtree(folder, ignore_errors=True)


def _own(place: Path, name: str) -> Path:
    folder = place / f"{name}.{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}"
    folder.mkdir(parents=True)
    return folder


def _to_disk(folder: Path) -> None:
    for path in folder.rglob("*"):
        if path.is_file() or path.is_dir():
            sync(path)
    sync(folder)
