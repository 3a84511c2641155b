"""Results on disk: complete, or not there.

A result is made in `<space>/.attempts/` and published by one rename to `<space>/<name>/`. A result that is there
already is first renamed to `<space>/.old/<name>`; whoever comes after a crash between the two renames puts it back.
Everything else under a dot is left over from a crash when nobody holds the result's lock, and is cleared.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sparsenn_book.records.files import sync
from sparsenn_book.sources.policy import RESCUED


class Interrupted(Exception):
    """The user wants to stop."""


@dataclass(frozen=True)
class ResultFolder:
    """The place of one result: `space` is the folder of its profile, `name` the folder of the result in it."""

    space: Path
    name: str

    @property
    def folder(self) -> Path:
        """Where the published result lies."""
        return self.space / self.name

    @property
    def failures(self) -> Path:
        """Failed attempts, one folder each, named by their time."""
        return self.space / ".failed" / self.name

    @property
    def _aside(self) -> Path:
        return self.space / ".old" / self.name

    @contextmanager
    def locked(self, stopped: Callable[[], bool], waiting: Callable[[], None]) -> Iterator[None]:
        """Hold the result, so that one run at a time works on it; the system lets go when the process dies.

        Calls `waiting` once if another process holds it. `Interrupted` if `stopped()` while waiting.
        """
        path = self.space / ".locks" / self.name
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w") as handle:
            if not _try_lock(handle.fileno()):
                waiting()
                # Polled, as a thread that blocks in flock could not be stopped by Ctrl-C.
                while not _try_lock(handle.fileno()):
                    if stopped():
                        raise Interrupted
                    time.sleep(0.1)
            self._recover()
            yield

    def tidy(self) -> None:
        """Put things right after a crash, unless a run is at work on this result."""
        path = self.space / ".locks" / self.name
        if not path.exists():
            return
        try:
            handle = path.open("w")
        except OSError:  # where nothing can be written, results can be looked at all the same
            return
        with handle:
            if _try_lock(handle.fileno()):
                self._recover()

    def new_attempt(self) -> Path:
        """An empty folder to work in."""
        attempts = self.space / ".attempts"
        attempts.mkdir(parents=True, exist_ok=True)
        attempt = Path(tempfile.mkdtemp(prefix=f"{self.name}.", dir=attempts))
        attempt.chmod(0o755)  # mkdtemp makes folders that only their owner can read
        return attempt

    def publish(self, attempt: Path) -> None:
        """Make a finished attempt the result, in place of an older one. Only under the lock."""
        for path in attempt.rglob("*"):
            sync(path)
        sync(attempt)
        if os.path.lexists(self.folder):  # a link that leads nowhere too
            self._aside.parent.mkdir(exist_ok=True)
            os.rename(self.folder, self._aside)
        os.rename(attempt, self.folder)
        sync(self.space)
        _remove(self._aside)
        _remove(self.space / RESCUED / self.name)

    def keep_failure(self, attempt: Path, when: str) -> Path:
        """Move a failed attempt to where failures are kept, and say where."""
        self._rescue(attempt)
        self.failures.mkdir(parents=True, exist_ok=True)
        kept = self.failures / when
        os.rename(attempt, kept)
        return kept

    def discard(self, attempt: Path) -> None:
        """Remove an attempt that was interrupted, but for the tables that it had finished."""
        self._rescue(attempt)
        _remove(attempt)

    def _rescue(self, attempt: Path) -> None:
        safe = self.space / RESCUED / self.name
        for table in attempt.glob("*.parquet"):
            safe.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(table, safe / table.name)

    def _recover(self) -> None:
        if os.path.lexists(self._aside):
            if os.path.lexists(self.folder):
                _remove(self._aside)
            else:
                os.rename(self._aside, self.folder)
        for attempt in (self.space / ".attempts").glob(f"{self.name}.*"):
            self.discard(attempt)


def _try_lock(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _remove(folder: Path) -> None:
    if folder.is_symlink():  # what it leads to is somebody's own
        folder.unlink()
    # A kernel that outlives its killed runner for a moment may still add a file while the folder goes.
    for _ in range(5):
        shutil.rmtree(folder, ignore_errors=True)
        if not folder.exists():
            return
        time.sleep(0.2)
    shutil.rmtree(folder)
