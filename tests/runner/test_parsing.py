"""Syntax trees are made in several threads at once."""

from __future__ import annotations

import ast
import gc
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from sparsenn_book.sources.parsing import parsed

TEXT = Path(__file__).read_text(encoding="utf-8")


@pytest.fixture
def crowded() -> Iterator[None]:
    """Threads take turns all the time, and the garbage collector runs Python code while a tree is made."""
    interval, threshold = sys.getswitchinterval(), gc.get_threshold()

    def callback(phase: str, info: dict[str, int]) -> None:
        """Python code, at which another thread may go on."""

    sys.setswitchinterval(1e-6)
    gc.set_threshold(50)
    gc.callbacks.append(callback)
    yield
    gc.callbacks.remove(callback)
    gc.set_threshold(*threshold)
    sys.setswitchinterval(interval)


@pytest.mark.usefixtures("crowded")
def test_threads_that_parse_at_once_get_their_trees() -> None:
    expected, found = ast.dump(ast.parse(TEXT)), []

    def work() -> None:
        # without a lock about one of twenty trees failed here, on CPython 3.11
        for _ in range(60):
            found.append(parsed(TEXT))

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 180
    assert {ast.dump(tree) for tree in found[::30]} == {expected}


def test_what_is_no_python_is_refused_as_ever() -> None:
    with pytest.raises(SyntaxError):
        parsed("a b")
