"""Which starred rows are learned and which are the exam. Pure; the service stores what comes out, once and for ever.

A row that has a side keeps it; only new rows are placed, so that each stratum comes as close to the share as they
allow, to within one row, and all strata together closer still. The order in which rows are handed in never matters.
"""

import hashlib
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from goldsmith.stars.types import Candidate, Side, SideCounts

EXAM_SHARE = 0.2
"""The part of the stars that is held back, unless somebody chose another."""

FEWEST_STARS = 5
"""With fewer stars than this there is no exam."""

GOOD_START_STARS = 100
"""About as many are a good start for a training; said to people, and asked for by nothing."""


@dataclass
class _Stratum:
    """One stratum while its new rows are being placed."""

    name: str
    new_rows: list[str]
    """Row keys; the first ones become exam rows."""
    num_exam_decided: int
    quota: Fraction
    """How many exam rows the share asks for, not rounded."""
    num_exam_new: int = 0

    @property
    def missing(self) -> Fraction:
        return self.quota - self.num_exam_decided - self.num_exam_new

    @property
    def can_take_one(self) -> bool:
        return self.missing > 0 and self.num_exam_new < len(self.new_rows)


def decide_sides(
    candidates: Sequence[Candidate],
    known: Mapping[str, Side],
    existing_counts_per_stratum: Mapping[str, SideCounts],
    *,
    share: float = EXAM_SHARE,
) -> dict[str, Side]:
    """The sides of the rows that have none yet, by row key.

    `known` holds the sides already decided, at least of those candidates that have one; `existing_counts_per_stratum`
    counts all rows that have one. Within a stratum the rows with the smallest SHA-256 of their key become exam rows.
    """
    if not 0 <= share < 1:
        raise ValueError(f"The share of the exam must be from 0 to below 1, not {share}.")
    new = _strata_of_new_rows(candidates, known)
    num_decided = sum(counts.total for counts in existing_counts_per_stratum.values())
    num_stars = num_decided + len(new)
    if num_stars < FEWEST_STARS:
        return dict.fromkeys(sorted(new), Side.learn)
    exact_share = Fraction(share).limit_denominator(10_000)
    strata = _strata(new, existing_counts_per_stratum, exact_share)
    for stratum in strata:
        stratum.num_exam_new = min(len(stratum.new_rows), max(0, math.floor(stratum.missing)))
    num_exam_decided = sum(counts.exam for counts in existing_counts_per_stratum.values())
    wanted = math.floor(exact_share * num_stars + Fraction(1, 2))
    _share_out(strata, wanted - num_exam_decided - sum(stratum.num_exam_new for stratum in strata))
    return _sides(strata)


def _strata_of_new_rows(candidates: Iterable[Candidate], known: Mapping[str, Side]) -> dict[str, str]:
    """Row key → stratum. Equal rows that were answered differently go by the first stratum in the alphabet."""
    new: dict[str, str] = {}
    for candidate in candidates:
        if candidate.row_key not in known:
            new[candidate.row_key] = min(candidate.stratum, new.get(candidate.row_key, candidate.stratum))
    return new


def _strata(new: Mapping[str, str], existing: Mapping[str, SideCounts], share: Fraction) -> list[_Stratum]:
    rows: dict[str, list[str]] = {}
    for row_key in sorted(new, key=_place):
        rows.setdefault(new[row_key], []).append(row_key)
    strata = []
    for name, new_rows in rows.items():
        counts = existing.get(name, SideCounts())
        quota = share * (counts.total + len(new_rows))
        strata.append(_Stratum(name, new_rows, counts.exam, quota))
    return strata


def _share_out(strata: Iterable[_Stratum], num_left: int) -> None:
    """Give the exam rows that rounding down left over to the strata that miss most of one, at most one to each."""
    open_strata = [stratum for stratum in strata if stratum.can_take_one]
    open_strata.sort(key=lambda stratum: (-stratum.missing, _place(stratum.name)))
    for stratum in open_strata[: max(0, num_left)]:
        stratum.num_exam_new += 1


def _sides(strata: Iterable[_Stratum]) -> dict[str, Side]:
    sides = {}
    for stratum in strata:
        for position, row_key in enumerate(stratum.new_rows):
            sides[row_key] = Side.exam if position < stratum.num_exam_new else Side.learn
    return dict(sorted(sides.items()))


def _place(text: str) -> str:
    """Where something stands in an order that nobody can choose."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
