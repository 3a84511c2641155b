"""Records: measured numbers with their intervals, claims with computed verdicts, tables with provenance.

Knows no science. pandas, pyarrow and scipy are imported when a function needs them.
"""

from sparsenn_book.records.claims import Claim, Interval, Verdict, quoted, read_claims, write_claims
from sparsenn_book.records.estimates import Estimate, exact, mean_interval, median_interval, wilson
from sparsenn_book.records.provenance import provenance
from sparsenn_book.records.tables import read_table, write_table

__all__ = [
    "Claim",
    "Estimate",
    "Interval",
    "Verdict",
    "exact",
    "mean_interval",
    "median_interval",
    "provenance",
    "quoted",
    "read_claims",
    "read_table",
    "wilson",
    "write_claims",
    "write_table",
]
