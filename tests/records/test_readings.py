"""What is kept of source files is what they say today, whatever became of the file that it is kept in."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from sparsenn_book.records import readings
from sparsenn_book.records.readings import Kept, Reading, read, reading_of

TEXT = '"""Words."""\nfrom sparsenn_core.lasso import path as p\nimport numpy\nA = "data.csv"  # why\n'


class Parsed:
    """Counts how often a source is parsed."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.count = 0
        monkeypatch.setattr(readings, "reading_of", self)

    def __call__(self, text: str) -> Reading:
        self.count += 1
        return reading_of(text)


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> Parsed:
    return Parsed(monkeypatch)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A file that keeps the reading of TEXT."""
    kept = Kept(tmp_path / "build" / "readings.json")
    kept.reading(TEXT.encode())
    kept.save()
    assert kept.place is not None
    return kept.place


def test_a_reading_says_what_the_source_says() -> None:
    found = reading_of(TEXT)
    assert found.names == ("sparsenn_core.lasso.path", "numpy")
    assert found.handed_on == (("p", "sparsenn_core.lasso.path"),)
    assert found.strings == {"Words.", "data.csv"}
    assert found.statements == 'from sparsenn_core.lasso import path as p\nimport numpy\nA = "data.csv"'


@pytest.mark.parametrize("text", [TEXT, "", 'A = "\\ud800", "ü", "\\0"\n', "# -*- coding: utf-8 -*-\n"])
def test_what_is_kept_is_what_was_read_and_is_not_parsed_again(tmp_path: Path, parsed: Parsed, text: str) -> None:
    for _ in range(2):
        kept = Kept(tmp_path / "readings.json")
        assert kept.reading(text.encode()) == reading_of(text)
        kept.save()
    assert parsed.count == 1


def harm(place: Path, how: str) -> None:
    """Damage a kept file in one way."""
    content = place.read_bytes()
    changed = {
        "cut": content[:-20],
        "empty": b"",
        "no text": b"\xff\0" * 9,
        "one letter": content.replace(b"data.csv", b"data.CSV"),
        "another reader": b"x" + content[1:],
        "no readings": b"\n".join([*content.split(b"\n")[:2], b"[]"]),
    }
    assert changed[how] != content
    place.write_bytes(changed[how])


@pytest.mark.parametrize("how", ["cut", "empty", "no text", "one letter", "another reader", "no readings"])
def test_a_damaged_file_is_passed_over_and_written_anew(place: Path, parsed: Parsed, how: str) -> None:
    whole = place.read_bytes()
    harm(place, how)
    kept = Kept(place)
    assert kept.reading(TEXT.encode()) == reading_of(TEXT)
    assert parsed.count == 1
    kept.save()
    assert place.read_bytes() == whole


@pytest.mark.parametrize("recent", [0, readings.RECENT])
def test_a_changed_file_of_equal_size_and_time_is_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, recent: int
) -> None:
    monkeypatch.setattr(readings, "RECENT", recent)
    path, kept = tmp_path / "module.py", Kept(None)
    path.write_text("A = 1\n")
    before = path.stat()
    assert read(path, kept).statements == "A = 1"
    time.sleep(0 if recent else 0.05)  # longer than a tick of a file system's clock
    path.write_text("A = 2\n")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert (path.stat().st_mtime_ns, path.stat().st_size) == (before.st_mtime_ns, before.st_size)
    assert read(path, kept).statements == "A = 2"


def test_processes_that_read_different_files_keep_both(place: Path, parsed: Parsed) -> None:
    first, second = Kept(place), Kept(place)
    for kept, text in ((first, "A = 1\n"), (second, "A = 2\n")):
        kept.reading(text.encode())
    first.save()
    second.save()
    parsed.count = 0
    for text in (TEXT, "A = 1\n", "A = 2\n"):
        Kept(place).reading(text.encode())
    assert parsed.count == 0


def test_of_too_many_those_stay_that_are_asked_for(
    place: Path, parsed: Parsed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readings, "MOST", 1)
    kept = Kept(place)
    kept.reading(b"A = 1\n")
    kept.save()
    parsed.count = 0
    Kept(place).reading(b"A = 1\n")
    assert parsed.count == 0
    Kept(place).reading(TEXT.encode())
    assert parsed.count == 1


def test_a_place_that_cannot_be_written_does_not_matter(tmp_path: Path) -> None:
    (tmp_path / "build").write_text("no folder")
    kept = Kept(tmp_path / "build" / "readings.json")
    assert kept.reading(TEXT.encode()) == reading_of(TEXT)
    kept.save()
    with pytest.raises(SyntaxError):
        kept.reading(b"A = (\n")
