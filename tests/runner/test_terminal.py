"""What the command line shows while notebooks run."""

from __future__ import annotations

import sys

import pytest

from sparsenn_book.runner.terminal import Terminal


def test_without_a_terminal_a_task_starts_once_and_lines_stay(capsys: pytest.CaptureFixture[str]) -> None:
    terminal = Terminal()
    for text in ("starting", "cell 1/5", "cell 2/5", ""):
        terminal.progress("01_toy", text)
    terminal.say("01_toy: done")
    assert capsys.readouterr().out == "01_toy: started\n01_toy: done\n"


def test_on_a_terminal_one_line_changes(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "40")
    terminal = Terminal()
    for text in ("cell 1/5", "cell 1/5", "cell 2/5"):
        terminal.progress("01_toy", text)
    terminal.progress("02_other", "cell 1/9")
    terminal.say("a line that stays")
    terminal.progress("01_toy", "")
    terminal.progress("02_other", "")
    shown = capsys.readouterr().out.split("\r\x1b[K")
    both = "01_toy: cell 2/5, 0 s  02_other: cell 1/9, 0 s"[:39]
    assert shown == [
        "", "01_toy: cell 1/5, 0 s", "01_toy: cell 2/5, 0 s", both, "a line that stays\n", both,
        "02_other: cell 1/9, 0 s", "",
    ]  # fmt: skip
