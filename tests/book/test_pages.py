"""The built pages as files: what they refer to, what they say, what they leave out."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import page_checks as checks
import small_book
from small_book import SmallBook

from sparsenn_book.records.provenance import device_name
from sparsenn_book.runner import pages


def plotly_figures() -> ModuleType:
    """The Sphinx extension, which is no package."""
    spec = importlib.util.spec_from_file_location("plotly_figures", small_book.BOOK / "_ext" / "plotly_figures.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_nothing_comes_from_another_host(built: SmallBook) -> None:
    assert checks.external_references(built.html) == []


def test_the_check_finds_every_kind_of_external_reference(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text(
        '<script src="https://a.org/x.js"></script><link rel="stylesheet" href="//b.org/y.css">'
        '<img src="http://c.org/z.png"><script>load("https://d.org/w.js")</script>'
        '<p style="background: url(https://e.org/v.png)"><style>@import "https://f.org/u.css";</style>'
        '<a href="https://g.org">a link is no reference</a><script type="application/json">"http://h.org"</script>'
    )
    (tmp_path / "b.css").write_text("/* https://i.org */ a { background: url('//j.org/t.png') }")
    found = " ".join(checks.external_references(tmp_path))
    assert [name for name in "abcdefghij" if f"{name}.org" in found] == list("abcdefj")


def test_pages_name_profile_claims_and_versions_and_no_machine(built: SmallBook) -> None:
    index = (built.html / "index.html").read_text()
    assert index.count('class="verdict ') == 2
    assert f'href="notebooks/{small_book.NAME}.html"' in index
    assert "<strong>laptop</strong> profile" in index
    ledger = (built.html / "ledger.html").read_text()
    assert "Of 5 claims that others made, 1 is reproduced, 1 is corrected, 1 is refuted, 1 is undecided and" in ledger
    assert ledger.count('id="claim-small-') == 6
    status = (built.html / "status.html").read_text()
    for text in ("A small chapter", "2.4.6", device_name("cpu"), "laptop", "0123456789", "full scale: of today"):
        assert text in status
    for path in built.html.rglob("*"):
        if path.suffix in (".html", ".ipynb", ".md", ".txt"):
            assert str(built.project.root) not in path.read_text(), path


def test_formulas_are_set_and_links_lead_somewhere(built: SmallBook) -> None:
    assert checks.raw_tex(built.html) == []
    assert checks.broken_links(built.html) == []
    chapter = (built.html / "notebooks" / f"{small_book.NAME}.html").read_text()
    assert r"\(\lambda = 0.001\)" in chapter  # from a sentence that the chapter computed
    assert 'href="../ledger.html#claim-small-optimum"' in chapter


def test_the_check_finds_raw_tex_and_broken_links(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text(
        r"<p>shows $\nu$ raw</p><p>and \(x\), then \lambda<br> and $p &lt; 1$</p><p>$5 here</p><p>and $6 there</p>"
        r'<span class="math notranslate">\(\mu\)</span><pre>$\pi$</pre><code>\alpha</code><script>"\beta"</script>'
        '<a href="#gone">1</a><a href="b.html#x">2</a><a href="c.html">3</a><a href="https://d.org#e">4</a>'
    )
    (tmp_path / "b.html").write_text('<p id="x">fine</p><a href="a.html">5</a>')
    found = " ".join(checks.raw_tex(tmp_path))
    assert all(text in found for text in (r"$\nu$", r"\(", r"\)", r"\lambda", "$p < 1$"))
    assert not any(text in found for text in ("mu", "pi", "alpha", "beta", "5", "6"))
    assert checks.broken_links(tmp_path) == ["a.html: #gone", "a.html: c.html"]


def test_parameters_are_folded_as_the_head_lists_them(built: SmallBook) -> None:
    chapter = (built.html / "notebooks" / f"{small_book.NAME}.html").read_text()
    assert "Values on this page" not in chapter
    assert "steps = 30" not in chapter
    assert '<details class="chapter-head">' in chapter


def test_plotly_is_loaded_only_where_there_is_a_figure(built: SmallBook) -> None:
    loading = [path.name for path in checks.pages_of(built.html) if "plotly.min.js" in path.read_text()]
    assert loading == ["index.html", f"{small_book.NAME}.html"]
    filtered = [path.name for path in checks.pages_of(built.html) if "ledger.js" in path.read_text()]
    assert filtered == ["ledger.html"]
    assert (built.html / "_static" / "plotly.min.js").stat().st_size > 1e6


def test_a_figure_cannot_break_out_of_its_element() -> None:
    evil = "</script><script>alert(1)</script>"
    content = {"data": [{"name": evil}], "layout": {"title": {"text": evil}, "meta": {"alt": f'"{evil}'}}}
    text = plotly_figures().figure(content)
    assert text.count("<script") == text.count("</script") == 1
    assert "alert(1)" in text


def test_captions_keep_plotlys_few_tags_and_formulas() -> None:
    html = plotly_figures().caption_html("a<sub>1</sub> <img src=x> & $x < 1$")
    assert "a<sub>1</sub> &lt;img src=x&gt; &amp; " in html
    assert r"\(x &lt; 1\)" in html


def test_contents_follow_the_notebooks() -> None:
    toc = pages.contents(["01_a", "02_b"])
    assert [c["file"] for c in toc["parts"][0]["chapters"]] == ["notebooks/01_a", "notebooks/02_b"]
    for page in pages.AFTERWORD:
        assert (small_book.BOOK / f"{page}.md").is_file()


def test_the_title_is_the_first_heading_of_level_one() -> None:
    cells = [
        {"cell_type": "code", "source": "# not this"},
        {"cell_type": "markdown", "source": "(label)=\n\n# The title\n\n## below"},
    ]
    assert pages.title({"cells": cells}, "fallback") == "The title"
    assert pages.title({"cells": cells[:1]}, "fallback") == "fallback"
