"""Plain YAML 1.2: lists, mappings, texts, numbers and truth values, as most people read them.

YAML 1.1 takes 010 for 8, 1:30 for 90, `on` for true and 1e-5 for text. What could call for another reading, or for
work, is refused: tags, anchors and aliases, directives, a key that comes twice.
"""

from __future__ import annotations

from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.constructor import SafeConstructor
from ruamel.yaml.error import YAMLError
from ruamel.yaml.events import CollectionEndEvent, CollectionStartEvent, DocumentStartEvent, Event
from ruamel.yaml.nodes import ScalarNode

DEEPEST = 10  # a parameter file needs two; the library takes a time that grows with the square, and then the stack
LONGEST = 100  # characters of a reason, which may quote the text


class BrokenYaml(Exception):
    """Text that is no plain YAML: the reason in one line, and the line, from 1, where it is known."""

    def __init__(self, reason: str, line: int | None = None) -> None:
        self.line = line
        super().__init__(" ".join(reason.split())[:LONGEST])


class _Constructor(SafeConstructor):
    def text(self, node: ScalarNode) -> str:
        return str(self.construct_scalar(node))


# YAML 1.2 knows no dates.
_Constructor.add_constructor("tag:yaml.org,2002:timestamp", _Constructor.text)


def parse(text: str) -> Any:
    """The value that a YAML document spells, None for an empty one. `BrokenYaml` if it is none."""
    try:
        depth = 0
        for event in _reader().parse(text):
            _check(event)
            depth += isinstance(event, CollectionStartEvent) - isinstance(event, CollectionEndEvent)
            if depth > DEEPEST:
                raise BrokenYaml("nested too deeply", event.start_mark.line + 1)
        return _reader().load(text)
    except YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise BrokenYaml(str(getattr(error, "problem", None) or error), mark.line + 1 if mark else None) from None
    except (ValueError, LookupError) as error:
        # A scalar that looks like a number to the library and is none, or one of thousands of digits.
        raise BrokenYaml(f"not a number ({error})") from None


def _reader() -> YAML:
    reader = YAML(typ="safe", pure=True)
    reader.version = (1, 2)
    reader.Constructor = _Constructor
    return reader


def _check(event: Event) -> None:
    anchor, tag = getattr(event, "anchor", None), getattr(event, "tag", None)
    refused = f"an anchor or alias ({anchor})" if anchor else f"a tag ({tag})" if tag else ""
    if isinstance(event, DocumentStartEvent) and (event.version or event.tags):
        refused = "a directive (%)"
    if refused:
        raise BrokenYaml(f"{refused} has no place here", event.start_mark.line + 1)
