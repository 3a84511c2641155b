"""The claims of the book as entries of the ledger: each as it stands at a copy's profile and as full tables have it.

A claim is a dictionary with the fields of `sparsenn_book.records.Claim`, its verdict, profile and age, as `claims.json`
holds them; `notebook`, added on reading, names the chapter's notebook.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sparsenn_book.records.claims import FILE, read_claims
from sparsenn_book.sources.policy import makes_again
from sparsenn_core.errors import InputError

Claim = Mapping[str, Any]
FULL = "full"
NOT_TESTED = "not tested at this profile"


@dataclass(frozen=True)
class Entry:
    """One claim: as it stands at this copy's profile, and as the committed full tables have it; either may be None."""

    here: Claim | None
    full: Claim | None

    @property
    def claim(self) -> Claim:
        """The claim as it is stated first."""
        found = self.here or self.full
        assert found is not None
        return found

    @property
    def is_check(self) -> bool:
        """Whether it is a check of this book's computations rather than a finding."""
        return bool(self.claim.get("check"))

    @property
    def judged(self) -> Claim:
        """The claim whose verdict counts: at full scale where it was tested there, else at this copy's profile."""
        tested = [claim for claim in (self.full, self.here) if claim and claim["verdict"] != NOT_TESTED]
        return tested[0] if tested else self.claim


def claims_of(folder: Path, profile: str, file: str = FILE) -> list[dict[str, Any]]:
    """The claims of one executed notebook, from `folder/claims.json`; none where the notebook stated none.

    Raises `InputError` for a broken file, a verdict that does not follow from its fields, or another profile's claim.
    """
    if not (folder / file).exists():
        return []
    try:
        claims = read_claims(folder, file)
    except InputError as error:
        raise InputError(f"{error}; {makes_again(folder.name, folder.parent.name)}") from None
    for claim in claims:
        if claim["profile"] != profile:
            raise InputError(f"{folder}: claim {claim['key']!r} is of profile {claim['profile']!r}, not {profile!r}")
    return [{**claim, "notebook": folder.name} for claim in claims]


def entries(claims: Sequence[Claim], committed: Sequence[Claim] = ()) -> list[Entry]:
    """Claims of this copy's profile, each with that of the full tables of the same key, in the order of the chapters.

    Raises `InputError` for a key that two chapters use.
    """
    here, full = _by_key(claims), _by_key(committed)
    found = [Entry(here.get(key), full.get(key)) for key in {**here, **full}]
    return sorted(found, key=lambda entry: str(entry.claim["notebook"]))


def differs(here: Claim, full: Claim) -> bool:
    """Whether the full profile states the claim in other words or with another interval, as its settings differ."""
    return any(here[name] != full[name] for name in ("statement", "recorded", "said", "ours"))


def _by_key(claims: Sequence[Claim]) -> dict[str, Claim]:
    found: dict[str, Claim] = {}
    for claim in claims:
        if claim["key"] in found:
            first = found[claim["key"]]["notebook"]
            raise InputError(f"claim {claim['key']!r} is stated by {first} and again by {claim['notebook']}")
        found[claim["key"]] = claim
    return found
