"""Files that are whole or not there: a disk that is full is told with the file it was full for."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from sparsenn_book.records.files import naming, sync, write_json, written_whole


def test_a_full_disk_names_the_file_and_leaves_the_old_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "run.json"
    write_json(path, {"old": 1})

    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match=r"No space left on device: '.*run\.json'"):
        write_json(path, {"new": 2})
    assert path.read_text() == '{\n  "old": 1\n}\n'
    assert list(tmp_path.iterdir()) == [path]
    with pytest.raises(OSError, match=r"No space left on device: '.*run\.json'"):
        sync(path)


def test_an_error_that_names_a_file_keeps_it(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="gone"), naming(tmp_path / "other"):
        (tmp_path / "gone").read_bytes()
    with pytest.raises(OSError, match=r"^an error of no number$"), naming(tmp_path / "other"):
        raise OSError("an error of no number")
    with pytest.raises(ValueError, match="half"), written_whole(tmp_path / "new"):
        raise ValueError("half")
    assert list(tmp_path.iterdir()) == []
