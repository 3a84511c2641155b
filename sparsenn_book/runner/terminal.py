"""What the command line shows while notebooks run: lines that stay, and on a terminal one line that changes."""

from __future__ import annotations

import shutil
import sys
import threading
import time


class Terminal:
    """Prints from several threads without mixing them up. `live`: on a terminal, where a line may change."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.live = sys.stdout.isatty()
        self._tasks: dict[str, tuple[float, str]] = {}
        self._drawn = ""

    def say(self, line: str) -> None:
        """Print a line that stays."""
        with self._lock:
            self._draw("")
            sys.stdout.write(line + "\n")
            self._draw(self._line())

    def progress(self, task: str, text: str) -> None:
        """Show how far a task is; no text takes the task off. Not on a terminal: one line when it starts, no more.

        Cheap enough to be called many times a second, which keeps the seconds running.
        """
        with self._lock:
            if not text:
                self._tasks.pop(task, None)
            else:
                if task not in self._tasks and not self.live:
                    sys.stdout.write(f"{task}: started\n")
                    sys.stdout.flush()
                began, _ = self._tasks.get(task, (time.monotonic(), ""))
                self._tasks[task] = (began, text)
            self._draw(self._line())

    def _line(self) -> str:
        now = time.monotonic()
        parts = [f"{task}: {text}, {now - began:.0f} s" for task, (began, text) in self._tasks.items()]
        return "  ".join(parts)[: shutil.get_terminal_size().columns - 1]

    def _draw(self, line: str) -> None:
        if self.live and line != self._drawn:
            sys.stdout.write(f"\r\x1b[K{line}")
            self._drawn = line
        sys.stdout.flush()
