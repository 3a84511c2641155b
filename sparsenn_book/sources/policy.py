"""What the runner tells the chapters that it executes, by environment variables, and where they meet on disk."""

STORED_ONLY = "SPARSENN_STORED_ONLY"
"""1: show the tables that are kept, whatever their age, and compute none (`book --profile full`)."""
AFRESH = "SPARSENN_AFRESH"
"""1: compute every table again, kept or not (`run --force`)."""
RESCUED = ".tables"
"""Folder of a profile's results with the finished tables of runs that failed or were stopped."""
BY_KEY = ".by_key"
"""Folder of a sweep's results with a link to each table of its runs, named by the table's key."""


def makes_again(notebook: str, profile: str) -> str:
    """How a result that is damaged is made again, for the end of a refusal."""
    return f"`sparsenn run {notebook} --profile {profile} --force` makes it again"
