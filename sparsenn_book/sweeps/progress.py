"""How far a sweep is: counts, and the time left."""

from __future__ import annotations

import time
from collections import Counter

from sparsenn_book.records.words import duration
from sparsenn_book.runner.terminal import Terminal
from sparsenn_book.sweeps.execute import Outcome

MOST_LINES = 20
"""Lines that tell of failures; a sweep of thousands may fail in thousands of runs."""
STEPS = 10
"""Lines that tell how far a sweep is where there is no terminal."""


class Progress:
    """Tells of outcomes as they come: of `total` runs, `done` were there before and `ahead` are to do."""

    def __init__(self, name: str, total: int, done: int, ahead: int, terminal: Terminal) -> None:
        self.counts: Counter[str] = Counter()
        self._name, self._total, self._done, self._ahead, self._terminal = name, total, done, ahead, terminal
        self._began = time.monotonic()
        self._computed = 0
        self.say = terminal.say

    def begin(self) -> None:
        """Show how far it is from now on."""
        self._began = time.monotonic()
        self._terminal.progress(self._name, self.line())

    def take(self, outcome: Outcome) -> None:
        """Count an outcome and tell of it."""
        self.counts["done" if outcome.status == "there" else outcome.status] += 1
        self._computed += outcome.status in ("done", "failed")
        told = sum(self.counts[status] for status in ("failed", "lost", "stop"))
        if outcome.message and told <= MOST_LINES:
            self._terminal.say(outcome.message)
        if told == MOST_LINES + 1:
            self._terminal.say("more failures are not told here; --status counts them")
        finished = self.counts.total()
        if not self._terminal.live and finished * STEPS // self._ahead > (finished - 1) * STEPS // self._ahead:
            self._terminal.say(f"{self._name}: {self.line()}")
        self._terminal.progress(self._name, self.line())

    def end(self) -> None:
        """Take the changing line away."""
        self._terminal.progress(self._name, "")

    def line(self) -> str:
        """`7 of 12 done, 1 failed, 3 min left`."""
        left = self._ahead - self.counts.total()
        parts = [f"{self._done + self.counts['done']} of {self._total} done"]
        parts += [f"{self.counts[status]} {status}" for status in ("failed", "lost") if self.counts[status]]
        if self._computed and left:
            parts.append(f"{duration((time.monotonic() - self._began) / self._computed * left)} left")
        return ", ".join(parts)
