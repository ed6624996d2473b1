"""What is looked up, asked and written for a conquest that is executed here: values, and what its place does."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from goldsmith.connect.types import Fetched, Scope, Wish

Message = dict[str, str]


@dataclass(frozen=True)
class Subject:
    """An eidos or a candidate: as far as a prompt may use it."""

    id: str
    """As it was asked for."""
    values: Mapping[str, Any]
    """Our word, or the name of a query's column → what stands there; nothing that is null."""
    external_id: str = ""
    """What a conquest keeps of a candidate."""


@dataclass(frozen=True)
class Wanted:
    """What a conquest is to be about. Whose it is stands there, or the eidos says it."""

    eidos_id: str
    candidate_ids: Sequence[str]
    philosopher: str | None = None
    domain: str | None = None
    is_tuned: bool = field(default=False, kw_only=True)
    """Whether a fine-tuned model is to answer."""

    @property
    def scope(self) -> Scope | None:
        """Whose, where both halves were said."""
        return Scope(self.philosopher, self.domain) if self.philosopher and self.domain else None


@dataclass(frozen=True)
class LookedUp:
    """What is there, and can be written."""

    scope: Scope
    eidos: Subject
    first: Subject
    """The first of the candidates; all of them are there."""
    notes: tuple[str, ...] = ()
    """What will not be kept, in sentences."""


@dataclass(frozen=True)
class Question:
    """What a model is asked about a candidate, without the examples."""

    text: str
    system_text: str | None = None
    title: str | None = None

    @property
    def num_characters(self) -> int:
        """Of both texts."""
        return len(self.text) + len(self.system_text or "")


@dataclass(frozen=True)
class Conquest:
    """A conquest that was executed, as it is written."""

    key: str
    """Ours. It is written once, however often that is asked."""
    scope: Scope
    eidos_id: str
    subject_id: str
    kind: str
    prompt: Mapping[str, Any]
    answer: Mapping[str, Any]
    started_at: datetime
    completed_at: datetime
    execution_ms: int | None = None
    tuned_model_id: str | None = None
    title: str | None = None
    system_text: str | None = None


@dataclass(frozen=True)
class Subjects:
    """An eidos with some of the candidates; who is not there is in none of them."""

    eidos: Subject | None
    candidates: Mapping[str, Subject] = field(default_factory=dict)


class ConquestPlace(Protocol):
    """Where eidos, candidates and conquests live. Whose they are stands in every question to it."""

    name: str
    title: str

    def look_up(self, wanted: Wanted) -> LookedUp:
        """Whether all of it is there and conquests can be written. Raises SubjectNotFound, WhoseNotSaid, RoleMayNot."""
        ...

    def subjects(self, scope: Scope, eidos_id: str, candidate_ids: Collection[str]) -> Subjects:
        """Those of them that are the scope's."""
        ...

    def fetch(self, wish: Wish) -> Fetched:
        """Good answers, the newest star first."""
        ...

    def store(self, conquest: Conquest) -> str:
        """Write a conquest with its prompt and its answer, all or nothing, once; returns its id."""
        ...
