"""Figures of the chapter, each from its rows."""

from sparsenn_book.studies.l1_phases.figures.diagrams import diagram, outcomes, ways
from sparsenn_book.studies.l1_phases.figures.paths import kept, lifelines, refits, slopes
from sparsenn_book.studies.l1_phases.figures.trees import maps, tree

__all__ = ["diagram", "kept", "lifelines", "maps", "outcomes", "refits", "slopes", "tree", "ways"]
