"""What the chapter says of its tables: rows in, Markdown out. Typed words explain, numbers come from the rows."""

from sparsenn_book.studies.rebound.sentences.causes import (
    closed_form,
    counted,
    ledger,
    rebound_map,
    rise_table,
    scale_table,
    stopping,
)
from sparsenn_book.studies.rebound.sentences.experiments import (
    experiment_a,
    experiment_b,
    law_table,
    raw,
    scaling_of_c,
    variants_of_b,
)
from sparsenn_book.studies.rebound.sentences.parameters import (
    distance_table,
    margins,
    pruned,
    pruning_table,
    spectrum,
    symmetry,
)
from sparsenn_book.studies.rebound.sentences.summary import (
    answer,
    learned,
    source,
)
from sparsenn_book.studies.rebound.sentences.words import (
    marked,
)

__all__ = [
    "answer",
    "closed_form",
    "counted",
    "distance_table",
    "experiment_a",
    "experiment_b",
    "law_table",
    "learned",
    "ledger",
    "margins",
    "marked",
    "pruned",
    "pruning_table",
    "raw",
    "rebound_map",
    "rise_table",
    "scale_table",
    "scaling_of_c",
    "source",
    "spectrum",
    "stopping",
    "symmetry",
    "variants_of_b",
]
