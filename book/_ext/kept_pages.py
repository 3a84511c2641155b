"""Sphinx extension: only pages that would be written otherwise than in the last build are written.

A page's HTML is made from its own tree and from what Sphinx knows of all pages: titles, menus, numbers, labels,
citations. While the latter is what it was, pages that were read again are written; else all are. Sphinx's own rule,
times of files, leaves old titles in menus; and the search index, which it takes up from what browsers get, would lose
entries of pages that are not written.
"""

import hashlib
import json
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.builders.html import StandaloneHTMLBuilder
from sphinx.environment import BuildEnvironment

SHARED = (
    "titles", "longtitles", "tocs", "toc_num_entries", "toc_secnumbers", "toc_fignumbers", "toctree_includes",
    "images", "dlfiles", "domaindata",
)  # fmt: skip
"""Where Sphinx keeps what a page may show of others; menus come from `_toc.yml` too, with which no tree is kept."""
INDEX, WORDS = ("_titles", "_filenames", "_all_titles", "_index_entries"), ("_mapping", "_title_mapping")
"""What the search index knows of pages, and of words: the pages that have them."""


class KeptPages(StandaloneHTMLBuilder):
    """The HTML builder; what it must know of the last build is in `written.json` beside the trees."""

    def get_outdated_docs(self) -> Iterator[str]:
        yield self.config.root_doc  # so that files beside the pages are written even if no page is to be

    def write(
        self, build_docnames: Iterable[str] | None, updated_docnames: Sequence[str], method: Any = "update"
    ) -> None:
        self.written = Path(self.doctreedir) / "written.json"
        self.shared = shared(self.env)
        last = json.loads(self.written.read_text(encoding="utf-8")) if self.written.exists() else {}
        self.index = last.get("index", {})
        if last.get("shared") != self.shared:
            self.index, build_docnames = {}, None
            for path in Path(self.outdir).iterdir():
                if path.name != "_static":  # which is of this build
                    shutil.rmtree(path) if path.is_dir() else path.unlink()
        super().write(build_docnames, updated_docnames, method)

    def load_indexer(self, docnames: Iterable[str]) -> None:
        for name, known in self.index.items():
            setattr(self.indexer, name, {key: set(of) for key, of in known.items()} if name in WORDS else known)
        self.indexer.prune(set(self.env.all_docs) - set(docnames))

    def dump_search_index(self) -> None:
        for name in WORDS:  # without those that no page has any more
            words = getattr(self.indexer, name)
            setattr(self.indexer, name, {word: pages for word, pages in words.items() if pages})
        # Sphinx sorts all but this
        self.indexer._index_entries = dict(sorted(self.indexer._index_entries.items()))
        super().dump_search_index()
        index = {name: getattr(self.indexer, name) for name in INDEX}
        index |= {name: {word: sorted(pages) for word, pages in getattr(self.indexer, name).items()} for name in WORDS}
        self.written.write_text(json.dumps({"shared": self.shared, "index": index}), encoding="utf-8")


def shared(env: BuildEnvironment) -> str:
    """A digest of what pages may show of others."""
    return hashlib.sha256(repr([plain(getattr(env, name)) for name in SHARED]).encode()).hexdigest()


def plain(value: Any) -> Any:
    """A value whose `repr` is the same for equal contents; lists are in the order of reading, which is no content."""
    if isinstance(value, nodes.Node):
        return value.pformat()
    if isinstance(value, Mapping):
        return sorted((repr(key), plain(entry)) for key, entry in value.items())
    if isinstance(value, Set | list):
        return sorted(repr(plain(entry)) for entry in value)
    if isinstance(value, tuple):
        return [plain(entry) for entry in value]
    return plain(vars(value)) if hasattr(value, "__dict__") else repr(value)


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_builder(KeptPages, override=True)
    return {"parallel_read_safe": True, "parallel_write_safe": False}
