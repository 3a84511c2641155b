"""The one helper of every notebook: parameters, tables that are computed once, figures, sentences, claims, colophon."""

from sparsenn_book.chapter.chapter import Chapter

__all__ = ["Chapter"]
