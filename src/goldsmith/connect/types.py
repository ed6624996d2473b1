"""What every source of stars says and is asked. A source reads; what comes in is written by `service.py`."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

MAX_LIMIT = 100_000


@dataclass(frozen=True)
class Scope:
    """Whose stars: a person (by e-mail) of an organisation (by domain). Part of every question to a source."""

    philosopher: str
    domain: str


@dataclass(frozen=True)
class Wish:
    """Which good answers are wanted, the newest star first."""

    scope: Scope
    conquest_type: str | None = None
    limit: int | None = None
    """How many usable ones; what is left out does not count."""
    min_rating: int | None = None
    """From 1 to 5; a star without a rating counts as 5."""
    since: datetime | None = None
    """Only what was starred or changed at or after this moment."""
    system_text: str | None = None
    """The system message of answers with which the source has kept none; None: as it was chosen before."""


@dataclass(frozen=True)
class SourceItem:
    """One good answer, with what leads back to it."""

    external_id: str
    prompt: str
    answer: str
    system_text: str | None = None
    """What it was asked with; None where the source has not kept it."""
    kind: str | None = None
    subject_id: str | None = None
    rating: int | None = None
    starred_at: datetime | None = None


@dataclass(frozen=True)
class LeftOut:
    """A star that cannot be used."""

    external_id: str
    reason: str
    """A key of `LEFT_OUT`."""


LEFT_OUT: Mapping[str, str] = {
    "no_prompt": "without a prompt",
    "no_answer": "without an answer",
    "other_scope": "of somebody else, or gone",
    "repeated": "rated twice",
}
"""Why a star is left out, as it stands behind a number of conquests."""


@dataclass(frozen=True)
class Fetched:
    """What a source gave."""

    items: Sequence[SourceItem] = ()
    left_out: Sequence[LeftOut] = field(default=())
    starred: Collection[str] = frozenset()
    """The ids of everything in the scope that has its star in that moment, wanted or not."""

    @property
    def counts(self) -> dict[str, int]:
        """How many were left out, by reason."""
        reasons = [each.reason for each in self.left_out]
        return {reason: reasons.count(reason) for reason in LEFT_OUT if reason in reasons}


class WriteState(StrEnum):
    """What became of a mark that belongs into a source."""

    planned = "planned"
    """Recorded, and not done yet; it is tried again."""
    done = "done"
    same = "same"
    """It stood so already."""
    conflict = "conflict"
    """Somebody has changed it in the source; nothing was overwritten."""
    superseded = "superseded"
    """A later mark of the same answer came before it was done."""
    gone = "gone"
    """It is not in the source any more."""


@dataclass(frozen=True)
class Said:
    """What somebody says here about an answer of a source."""

    external_id: str
    is_star: bool
    by: str
    at: datetime
    note: str | None = None
    correction: str | None = None


class TwoWay(Protocol):
    """A source that takes what is said here."""

    name: str
    title: str

    def standing(self, scope: Scope, external_id: str) -> dict[str, Any] | None:
        """How it stands there now; None when it is gone."""
        ...

    def wanted(self, before: Mapping[str, Any], said: Said, earlier: Mapping[str, Any] | None) -> dict[str, Any]:
        """How it should stand; `earlier` is how it stood before the mark that is taken back."""
        ...

    def put(self, scope: Scope, external_id: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> WriteState:
        """Change it in one transaction, unless it stands otherwise than `before`."""
        ...


class Source(Protocol):
    """Another application's stars."""

    @property
    def name(self) -> str:
        """One word, as it is kept beside what came from there."""
        ...

    @property
    def title(self) -> str:
        """As people call it."""
        ...

    def fetch(self, wish: Wish) -> Fetched:
        """The good answers that are wanted."""
        ...

    def why_none(self, wish: Wish, fetched: Fetched) -> str:
        """The nearest reason why nothing came, in a sentence or two."""
        ...
