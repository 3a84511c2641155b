"""Claims: what was said, what was recorded, what is measured here, and a verdict that follows from these.

A claim is about one number. What was said, and what we say, are each the closed interval of values for which the
statement is true; the measurement is an interval too. The verdict compares intervals and nothing else:

| said by others | the measured interval                        | verdict                      |
|----------------|----------------------------------------------|------------------------------|
| any            | none, from too few runs, smoke or custom run | not tested at this profile   |
| an interval    | inside what was said                         | reproduced                   |
| an interval    | apart from what was said, inside ours        | corrected                    |
| an interval    | apart from what was said, otherwise          | refuted                      |
| nothing        | inside ours                                  | stated here                  |
| nothing        | apart from ours                              | refuted                      |
| any            | across an edge of the interval in question   | undecided                    |

"Stated here" does not mean new: whether others said it before was not searched.

A wide measurement decides nothing, in anyone's favour. A measurement is never "inside" a single point unless it is
exact: a number quoted to three digits is an interval, which `quoted` gives.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

from sparsenn_book.records.estimates import Estimate
from sparsenn_book.records.files import read_json, write_json
from sparsenn_core.errors import InputError

Verdict = Literal["reproduced", "corrected", "refuted", "stated here", "undecided", "not tested at this profile"]
Interval = tuple[float, float]

FILE = "claims.json"
FULL_CLAIMS = "full_claims.json"  # those of the committed full tables, beside those of another profile
NO_EVIDENCE = ("smoke", "custom")  # shows only that a notebook executes; has other settings than the claim is about


@dataclass(frozen=True)
class Claim:
    """One finding of a chapter.

    `key` is chapter.name ("l1.relu-optimum"); `statement` one sentence; `source` who said it and where; `recorded` the
    text of what the study recorded, if it did; `measured` what was found here (None: not measured at this profile);
    `said` the closed interval of values for which the claim as said is true (None: nobody said it); `ours` the same
    for the claim as stated here; below `enough` runs a measurement is no evidence; a `headline` stands on the book's
    first page. Ends may be infinite.
    """

    key: str
    statement: str
    source: str
    recorded: str | None = None
    measured: Estimate | None = None
    said: Interval | None = None
    ours: Interval | None = None
    enough: int = 1
    headline: bool = False
    check: bool = False
    prior: bool = False

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[a-z0-9_]+(\.[a-z0-9_-]+)+", self.key):
            raise InputError(f"claim {self.key!r}: a key is chapter.name in small letters, e.g. 'l1.relu-optimum'")
        for name in ("statement", "source"):
            text = getattr(self, name)
            if not text.strip() or "\n" in text:
                raise InputError(f"claim {self.key}: {name} {text!r} is not one line of text")
        if self.said is None and self.ours is None:
            raise InputError(f"claim {self.key}: neither `said` nor `ours` is given, so nothing can be tested")
        for name in ("said", "ours"):
            object.__setattr__(self, name, _interval(self.key, name, getattr(self, name)))
        if isinstance(self.enough, bool) or not isinstance(self.enough, int) or self.enough < 1:
            raise InputError(f"claim {self.key}: enough {self.enough!r} is not a whole number of at least 1")
        if self.said is not None and (self.check or self.prior):
            raise InputError(f"claim {self.key}: `check` and `prior` are for claims of this book; this one was said")

    def verdict(self, profile: str) -> Verdict:
        """What the measurement says of the claim at a profile; the table is at the top of this file."""
        measured = self.measured
        if measured is None or measured.count < self.enough or profile in NO_EVIDENCE:
            return "not tested at this profile"
        if self.said is not None:
            if _inside(measured, self.said):
                return "reproduced"
            if not _apart(measured, self.said):
                return "undecided"
            return "corrected" if self.ours is not None and _inside(measured, self.ours) else "refuted"
        assert self.ours is not None  # __post_init__ refuses a claim without either
        if _inside(measured, self.ours):
            return "stated here"
        return "refuted" if _apart(measured, self.ours) else "undecided"


def quoted(text: str) -> Interval:
    """The values that a number may have which is quoted as `text`: half a unit of its last digit to each side.

    `quoted("9.169e-5")` is (9.1685e-05, 9.1695e-05), and `quoted("8")` is (7.5, 8.5).
    """
    try:
        number = Decimal(text)
        half = Decimal((0, (5,), int(number.as_tuple().exponent) - 1))
    except (ArithmeticError, ValueError):
        raise InputError(f"quoted: {text!r} is not a number as one writes it, e.g. '9.169e-5'") from None
    return float(number - half), float(number + half)


def write_claims(claims: Iterable[Claim], folder: str | Path, profile: str, *, file: str = FILE, age: str = "") -> Path:
    """Write `folder/claims.json`: a list with every field of each claim, the profile, the verdict at it, and the `age`
    of the tables it is from: empty if they are as today's code makes them, else in words.

    Infinite ends are null, as JSON has no infinity. `InputError` for a key that comes twice.
    """
    rows: list[dict[str, Any]] = []
    for claim in claims:
        if any(row["key"] == claim.key for row in rows):
            raise InputError(f"claim {claim.key!r} is stated twice")
        rows.append(_as_json(claim, profile) | {"age": age})
    path = Path(folder) / file
    write_json(path, rows)
    return path


def read_claims(folder: str | Path, file: str = FILE) -> list[dict[str, Any]]:
    """The list that `write_claims` wrote, in its order. `InputError` if the file is missing or broken, or if a verdict
    does not follow from the fields beside it.
    """
    path = Path(folder) / file
    try:
        rows = read_json(path)
        for row in rows:
            found = _from_json(row).verdict(row["profile"])
            if row["verdict"] != found:
                raise InputError(f"{row['key']}: verdict {row['verdict']!r} is not what follows, {found!r}")
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except KeyError as error:
        raise InputError(f"{path}: a claim without {error}") from None
    except (ValueError, TypeError, AttributeError) as error:
        raise InputError(f"{path}: not a list of claims: {error}") from None
    return list(rows)


def _as_json(claim: Claim, profile: str) -> dict[str, Any]:
    row = asdict(claim) | {"profile": profile, "verdict": claim.verdict(profile)}
    for name in ("said", "ours"):
        if row[name] is not None:
            row[name] = [_finite_or_none(end) for end in row[name]]
    if row["measured"] is not None:
        row["measured"] |= {name: _finite_or_none(row["measured"][name]) for name in ("low", "high")}
    return row


def _from_json(row: dict[str, Any]) -> Claim:
    fields = {name: value for name, value in row.items() if name not in ("profile", "verdict", "age")}
    for name in ("said", "ours"):
        if fields[name] is not None:
            fields[name] = _open_ends(*fields[name])
    if fields["measured"] is not None:
        low, high = _open_ends(fields["measured"]["low"], fields["measured"]["high"])
        fields["measured"] = Estimate(**(fields["measured"] | {"low": low, "high": high}))
    return Claim(**fields)


def _open_ends(low: float | None, high: float | None) -> Interval:
    return (-math.inf if low is None else low, math.inf if high is None else high)


def _finite_or_none(end: float) -> float | None:
    return end if math.isfinite(end) else None


def _interval(key: str, name: str, ends: Any) -> Interval | None:
    if ends is None:
        return None
    try:
        low, high = (float(end) for end in ends)
    except (TypeError, ValueError):
        raise InputError(f"claim {key}: {name} {ends!r} is not a pair of numbers (low, high)") from None
    if not low <= high:
        raise InputError(f"claim {key}: {name} [{low}, {high}] is empty; the lower end comes first")
    return low, high


def _inside(measured: Estimate, ends: Interval) -> bool:
    return ends[0] <= measured.low and measured.high <= ends[1]


def _apart(measured: Estimate, ends: Interval) -> bool:
    return measured.high < ends[0] or measured.low > ends[1]
