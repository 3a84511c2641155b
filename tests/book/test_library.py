"""The pages on the library: every public name of every room, described by its docstring."""

from __future__ import annotations

import importlib
import inspect
import re
from pathlib import Path

import docutils.core
import pytest
import small_book
from docutils.parsers.rst import roles
from small_book import SmallBook

import sparsenn_core
from sparsenn_book.runner import docstrings, library, pages

CORE = Path(sparsenn_core.__file__).parent
ROOMS = sorted(path.stem for path in CORE.iterdir() if not path.name.startswith(("_", ".")))
MADE = library.library()


def public(room: str) -> list[str]:
    """What a module hands on: `__all__`, or where it has none what it defines."""
    module = importlib.import_module(f"sparsenn_core.{room}")
    own = [name for name, value in vars(module).items() if getattr(value, "__module__", "") == module.__name__]
    return list(getattr(module, "__all__", [name for name in own if not name.startswith("_")]))


def page_of(room: str) -> str:
    """The page that a module is on."""
    return room if room in MADE else library.GROUND


@pytest.mark.parametrize("room", ROOMS)
def test_every_public_name_is_read_from_the_source_with_its_kind(room: str) -> None:
    module = importlib.import_module(f"sparsenn_core.{room}")
    found = library.public(Path(str(module.__file__)), module.__name__)
    assert [one.name for one in found] == public(room)
    for one in found:
        value = getattr(module, one.name)
        kind = "function" if inspect.isfunction(value) else "class" if inspect.isclass(value) else "data"
        assert one.kind == ("exception" if kind == "class" and issubclass(value, Exception) else kind)
        assert one.docstring
        if kind != "data":
            assert one.docstring == inspect.getdoc(value)


@pytest.mark.parametrize("room", ROOMS)
def test_a_page_has_every_name_once_by_kind_in_the_order_of_all(room: str) -> None:
    page = MADE[page_of(room)]
    if len(ROOMS) > len(MADE) and page_of(room) == library.GROUND:
        page = page.split(f"automodule:: sparsenn_core.{room}\n")[1].split("automodule::")[0]
    described = re.findall(r"^\.\. (?:auto\w+|py:data):: (\w+)$", page, re.MULTILINE)
    assert sorted(described) == sorted(public(room))
    for kind in ("function", "class"):
        names = re.findall(rf"^\.\. auto{kind}:: (\w+)$", page, re.MULTILINE)
        assert names == [name for name in public(room) if name in names]


def test_a_new_name_is_on_its_page_by_itself(tmp_path: Path) -> None:
    room = tmp_path / "sparsenn_core" / "masks"
    room.mkdir(parents=True)
    (room / "__init__.py").write_text(
        '"""Masks."""\nfrom sparsenn_core.masks.one import WIDTH, learn as learned\n__all__ = ["WIDTH", "learned"]\n'
    )
    (room / "one.py").write_text('WIDTH = 3\n"""How wide."""\n\n\ndef learn():\n    """Learn |w|."""\n')
    page = library.library(tmp_path)["masks"]
    for text in ("# Masks", ".. autofunction:: learned", ".. py:data:: WIDTH\n   :value: 3\n\n   How wide."):
        assert text in page
    assert r"masks.learned`: Learn \|w\|." in page


@pytest.mark.parametrize("room", ROOMS)
def test_the_built_pages_describe_every_name_and_no_address_in_memory(room: str, built: SmallBook) -> None:
    html = (built.html / pages.LIBRARY / f"{page_of(room)}.html").read_text()
    for name in public(room):
        assert html.count(f'id="sparsenn_core.{room}.{name}"') == 1
    assert " at 0x" not in html


def test_fields_of_a_dataclass_are_shown_once_and_methods_with_their_docstring(built: SmallBook) -> None:
    html = (built.html / pages.LIBRARY / "training.html").read_text()
    assert html.count('id="sparsenn_core.training.Fit.best_loss"') == 0
    assert 'id="sparsenn_core.training.Ensemble.__call__"' in html
    penalties = (built.html / pages.LIBRARY / "penalties.html").read_text()
    assert 'id="sparsenn_core.penalties.Penalty.value"' in penalties
    assert 'id="sparsenn_core.penalties.L1.value"' not in penalties  # it has no docstring of its own


def rendered(text: str) -> str:
    """A docstring as HTML; a message of docutils is an error."""
    roles.register_local_role("py:obj", roles.code_role)
    parts = docutils.core.publish_parts(
        docstrings.as_rst(text), writer_name="html5", settings_overrides={"halt_level": 2, "report_level": 2}
    )
    return re.sub(r"</?span[^>]*>", "", parts["body"])


@pytest.mark.parametrize(
    "text",
    [
        "strength * sum |w| + ||v_k||_2 * w_, **both** <x> [1]_ and a lone ` tick",
        r"a back\slash, *args and **kwargs",
        "1. is no list, |unless| it is one_",
    ],
)
def test_formulas_are_text_as_they_are_written(text: str) -> None:
    shown = re.sub(r"<[^>]*>", "", rendered(f"Say: {text}"))
    for written, escaped in (("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&")):
        shown = shown.replace(written, escaped)
    assert shown.strip() == f"Say: {text}"


def test_names_and_code_in_backticks_are_code() -> None:
    text = docstrings.as_rst("See `fit`'s `Data.shared(x, y)`, (`w`) and `a|b*`.")
    assert text == r"See :py:obj:`fit`\ 's ``Data.shared(x, y)``\ , (:py:obj:`w`\ ) and ``a|b*``\ ."
    shown = re.sub("<[^>]*>", "", rendered("See `fit`'s `Data.shared(x, y)`, (`w`) and `a|b*`."))
    assert shown.strip() == "See fit's Data.shared(x, y), (w) and a|b*."


def test_lists_tables_of_names_and_code_keep_their_form() -> None:
    shown = rendered(
        "- one `a`\n  goes on\n- two\n\n1. a\n2. b\n\nname    what it is\n        and more\nof_run, rows  other\n"
        "\n    x = |y|\n\n      z"
    )
    assert shown.count("<li>") == 4
    assert shown.count("<dt>") == 2
    assert "what it is and more" in shown
    assert "x = |y|\n\n  z" in shown


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("One thing. Another.", "One thing."),
        ("For e.g. `this` one. Then", "For e.g. `this` one."),
        ("First line\ngoes on.\n\nNext", "First line goes on."),
        ("[n, ...] -> [R]. `More`", "[n, ...] -> [R]."),
    ],
)
def test_the_first_sentence_ends_at_its_full_stop(text: str, sentence: str) -> None:
    assert docstrings.first_sentence(text) == sentence


def test_guides_stand_with_the_library_after_the_chapters() -> None:
    toc = pages.contents(["01_a", "90_recipes"], ["training"])
    assert [part["caption"] for part in toc["parts"]] == ["Chapters", "The library", "About the book"]
    assert [page["file"] for page in toc["parts"][1]["chapters"]] == ["notebooks/90_recipes", "library/training"]
    assert (small_book.BOOK.parent / "notebooks" / "90_recipes.py").is_file()
