"""Python source as a syntax tree, safe to ask for from several threads."""

from __future__ import annotations

import ast
import threading

_ONE_AT_A_TIME = threading.RLock()


def parsed(text: str) -> ast.Module:
    """`ast.parse`, one thread at a time; `SyntaxError` as there.

    CPython counts how deep a tree goes for all threads together until 3.13 (cpython issue 106905): where the garbage
    collector lets another thread in while a tree is made, both end in a `SystemError`. Notebooks that run at once are
    planned in threads.
    """
    with _ONE_AT_A_TIME:
        return ast.parse(text)
