"""Docstrings as reStructuredText: they are plain text with names in single backticks, and formulas such as |w|^2.

Read as they stand, formulas would be markup: `|w|` a substitution, `*` emphasis, a last `_` a link.
"""

from __future__ import annotations

import itertools
import re
import textwrap
from collections.abc import Sequence

MARKUP = re.compile(r"([\\*|_<>])")
NAME = re.compile(r"[A-Za-z_][\w.]*")
ITEM = re.compile(r"(?:-|\d+\.) +(?=\S)")
COLUMNS = re.compile(r"(?P<term>[\w\"(][\w\", ()]*?) {2,}(?P<text>\S.*)")
"""A line of a table of names: the name, two spaces or more, what it is."""


def as_rst(docstring: str) -> str:
    """A docstring as reStructuredText. A name in backticks becomes a link where it is documented, other text code.

    Paragraphs, lists with `-` or numbers, tables of names (each line a name, two spaces or more, and what it is) and
    indented code stay what they are.
    """
    blocks = [part for part in re.split(r"\n\s*\n", textwrap.dedent(docstring).strip("\n")) if part.strip()]
    found: list[str] = []
    for code, neighbours in itertools.groupby(blocks, _is_code):
        together = list(neighbours)
        found += ["::", *together] if code else [_block(block.splitlines()) for block in together]
    return "\n\n".join(found)


def inline(text: str) -> str:
    """A line with its markup: what is in backticks is code or a name, everything else is as it is written."""
    outside = re.split(r"(`[^`]+`)", text)
    return "".join(_code(part[1:-1]) if part.startswith("`") and len(part) > 1 else _plain(part) for part in outside)


def first_sentence(docstring: str) -> str:
    """What stands before the first full stop that ends a sentence, or the first paragraph."""
    paragraph = " ".join(re.split(r"\n\s*\n", docstring.strip())[0].split())
    return re.split(r"(?<=[a-z0-9)\]`]\.)(?<!e\.g\.)(?<!i\.e\.) (?=[A-Z`])", paragraph)[0]


def _is_code(block: str) -> bool:
    return all(line.startswith("    ") for line in block.splitlines())


def _block(lines: Sequence[str]) -> str:
    if ITEM.match(lines[0]):
        return _items(lines)
    if COLUMNS.fullmatch(lines[0]):
        return _terms(lines)
    return inline(" ".join(line.strip() for line in lines))


def _items(lines: Sequence[str]) -> str:
    """A list; a line that starts none continues the item above."""
    found: list[str] = []
    for line in lines:
        item = ITEM.match(line)
        if item:
            found.append(item[0] + line[item.end() :])
        else:
            found[-1] += f" {line.strip()}"
    return "\n".join(_marked(item) for item in found)


def _marked(item: str) -> str:
    marker = ITEM.match(item)
    assert marker
    return marker[0] + inline(item[marker.end() :])


def _terms(lines: Sequence[str]) -> str:
    """Names and what they are, as a definition list; a line that starts with spaces continues the one above."""
    found: list[tuple[str, str]] = []
    for line in lines:
        row = COLUMNS.fullmatch(line)
        if row:
            found.append((row["term"], row["text"]))
        elif found:
            found[-1] = (found[-1][0], f"{found[-1][1]} {line.strip()}")
    return "\n".join(f"``{term}``\n    {inline(text)}" for term, text in found)


def _code(text: str) -> str:
    """A name is looked up among what is documented; other code is literal."""
    return f":py:obj:`{text}`\\ " if NAME.fullmatch(text) else f"``{text}``\\ "


def _plain(text: str) -> str:
    # a dunder or a name with a trailing underscore is no link, a lone backtick no role
    return MARKUP.sub(r"\\\1", text).replace("`", r"\`")
