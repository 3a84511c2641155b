"""The study of compression: layers made smaller by the multi-task lasso, next to simpler ways at equal width.

Source: the public repository joeshenouda/vv-spaces-nn-width, its README, scripts and recorded file names.
"""

from sparsenn_book.studies.compression import comparison, figures, lessons, networks, sentences, study
from sparsenn_book.studies.compression.claims import claims
from sparsenn_book.studies.compression.settings import ComparisonSettings, DescentSettings, WholeSettings

__all__ = [
    "ComparisonSettings",
    "DescentSettings",
    "WholeSettings",
    "claims",
    "comparison",
    "figures",
    "lessons",
    "networks",
    "sentences",
    "study",
]
