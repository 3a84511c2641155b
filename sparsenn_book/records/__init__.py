"""Records: measured numbers with their intervals, claims with computed verdicts, tables with provenance.

Knows no science. Tables are in `records.tables`, apart, so that claims and the command line need not wait for pandas.
"""

from sparsenn_book.records.claims import Claim, Interval, Verdict, quoted, read_claims, write_claims
from sparsenn_book.records.estimates import Estimate, exact, mean_interval, median_interval, wilson
from sparsenn_book.records.provenance import provenance

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
    "wilson",
    "write_claims",
]
