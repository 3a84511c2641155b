"""Saving a fit in the middle, so that an interrupted one goes on as if nothing had happened."""

from __future__ import annotations

import errno
import hashlib
import io
import os
import re
import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import torch

from sparsenn_core.errors import InputError
from sparsenn_core.training.identity import Identity, difference

if sys.platform != "win32":
    import fcntl

HEADER = b"sparsenn checkpoint 3\n"
"""Followed by the sha256 of the rest in 64 letters and an end of line."""

NO_LOCKS = {errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS}
"""What file systems without locks answer."""


@dataclass(frozen=True)
class Checkpoint:
    """Where a fit saves its whole state, and every how many epochs.

    If the file exists when a fit starts, the fit goes on from it; the result is bit for bit that of an uninterrupted
    fit (on CPU). A file made by another fit is refused with what differs, be it network, weights, data or settings;
    only the number of epochs may grow. Functions count by their code and what they close over, generators by their
    state: give them as they were when the fit first started, or give a function a name (`named`). The file is written
    beside and renamed, so a kill leaves the older one. While a fit runs it holds a lock beside the file, PATH.lock,
    where the system has locks.
    """

    path: Path | str
    every: int = 50

    def __post_init__(self) -> None:
        if type(self.every) is not int or self.every < 1:
            raise InputError(f"a checkpoint every {self.every!r} epochs is not possible; give a whole number from 1")
        if not isinstance(self.path, str | Path):
            raise InputError(f"the path of a checkpoint is a text or a Path, not {self.path!r}")
        # now, so that it stays where it is when the working folder changes
        path = Path(self.path).resolve()
        if path.is_dir():
            raise InputError(
                f"the checkpoint {self.path} is a folder; name a file, such as {Path(self.path) / 'fit.pt'}"
            )
        if not path.parent.is_dir():
            raise InputError(f"the folder of the checkpoint {self.path} does not exist")
        object.__setattr__(self, "path", path)

    @contextmanager
    def held(self) -> Iterator[None]:
        """For as long as a fit runs: no other one, here or in another process, may hold the same file."""
        path = Path(self.path)
        lock = path.with_name(f"{path.name}.lock")
        file = _locked(lock, path)
        if file is None:
            yield
            return
        with file:
            try:
                _remove_partial(path)
                yield
            finally:
                # before it is given free, so that nobody else's is removed
                lock.unlink(missing_ok=True)

    def save(self, identity: Identity, state: dict[str, Any]) -> None:
        """Write `state` (tensors, numbers, strings, lists and dicts of them; its "epoch" is needed)."""
        payload = io.BytesIO()
        torch.save({"identity": dict(identity), **state}, payload)
        digest = hashlib.sha256(payload.getbuffer()).hexdigest().encode()
        path = Path(self.path)
        beside = path.with_name(f"{path.name}.{secrets.token_hex(8)}.partial")
        try:
            with beside.open("xb") as file:
                for part in (HEADER, digest, b"\n", payload.getbuffer()):
                    file.write(part)
                file.flush()
                os.fsync(file.fileno())
            beside.replace(path)
        finally:
            beside.unlink(missing_ok=True)

    def load(self, identity: Identity, epochs: int) -> dict[str, Any] | None:
        """The saved state of the fit `identity` to train for `epochs`, or None where there is none yet."""
        path = Path(self.path)
        if not path.exists():
            return None
        payload = io.BytesIO(_payload(path))
        try:
            state: dict[str, Any] = torch.load(payload, map_location="cpu", weights_only=True)
        except Exception as error:
            raise InputError(f"{path} is not a readable checkpoint ({type(error).__name__}); move it away") from error
        differs = difference(state["identity"], identity)
        if differs:
            raise InputError(f"{path} was made by a fit with {differs}; move it away")
        if state["epoch"] > epochs:
            raise InputError(f"{path} is at epoch {state['epoch']}, and {epochs} were asked for; move it away")
        return state


def _payload(path: Path) -> bytes:
    """What follows the header of a checkpoint, every bit as it was written."""
    with path.open("rb") as file:
        header, digest, payload = file.read(len(HEADER)), file.read(65), file.read()
    if header != HEADER:
        raise InputError(f"{path} is not a readable checkpoint, or one of an older version; move it away")
    if digest != hashlib.sha256(payload).hexdigest().encode() + b"\n":
        raise InputError(f"{path} is not a readable checkpoint: it is damaged; move it away")
    return payload


def _remove_partial(path: Path) -> None:
    """Remove what fits that were killed while they saved have left beside `path`."""
    for file in path.parent.iterdir():
        if re.fullmatch(re.escape(path.name) + r"\.[0-9a-f]{16}\.partial", file.name):
            file.unlink(missing_ok=True)


def _locked(lock: Path, path: Path) -> IO[bytes] | None:
    """The file `lock`, open and locked; None where there are no locks. Refused where another fit holds it."""
    if sys.platform == "win32":
        return None
    while True:
        try:
            file = lock.open("ab")
        except OSError as error:
            raise InputError(f"{path} cannot be written ({lock.name}: {error.strerror})") from error
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            file.close()
            if error.errno in NO_LOCKS:
                return None
            raise InputError(f"{path} is in use by another fit; wait for it, or name another file") from error
        with suppress(FileNotFoundError):
            # another file if its holder removed it after we opened it
            if os.path.samestat(lock.stat(), os.fstat(file.fileno())):
                return file
        file.close()
