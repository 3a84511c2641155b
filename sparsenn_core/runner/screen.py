"""What the command line shows while notebooks run: lines that stay, and on a terminal one line that changes."""

from __future__ import annotations

import shutil
import sys
import threading
import time


class Screen:
    """Prints from several threads without mixing them up."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._live = sys.stdout.isatty()
        self._shown: dict[str, tuple[float, str]] = {}

    def say(self, line: str) -> None:
        """Print a line that stays."""
        with self._lock:
            self._clear()
            sys.stdout.write(line + "\n")
            self._draw()

    def progress(self, task: str, text: str) -> None:
        """Show how far a task is; no text takes the task off. Not on a terminal: one line when it starts, no more."""
        with self._lock:
            began, _ = self._shown.get(task, (time.monotonic(), ""))
            if not text:
                self._shown.pop(task, None)
            else:
                if task not in self._shown and not self._live:
                    sys.stdout.write(f"{task}: started\n")
                self._shown[task] = (began, text)
            self._clear()
            self._draw()

    def _clear(self) -> None:
        if self._live:
            sys.stdout.write("\r\x1b[K")

    def _draw(self) -> None:
        if self._live and self._shown:
            now = time.monotonic()
            parts = [f"{task}: {text}, {now - began:.0f} s" for task, (began, text) in self._shown.items()]
            sys.stdout.write("  ".join(parts)[: shutil.get_terminal_size().columns - 1])
        sys.stdout.flush()
