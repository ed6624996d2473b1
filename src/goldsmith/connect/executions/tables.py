"""Tables of executions: what was asked for, and what came of each candidate."""

from datetime import datetime
from typing import Any

from sqlalchemy import Float, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from goldsmith.storage.database import Owned, Table


class ConquestExecution(Table, Owned):
    """One request: a model asked about one candidate or many. Its job does the work; `state` is the job's."""

    __tablename__ = "conquest_executions"
    __table_args__ = (UniqueConstraint("domain", "idempotency_key"),)

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    idempotency_key: Mapped[str | None]
    fingerprint: Mapped[str] = mapped_column(String(64))
    """Of the request, so that a key that comes with another one is found out."""
    source: Mapped[str] = mapped_column(String(32))
    philosopher: Mapped[str] = mapped_column(String(320))
    source_domain: Mapped[str]
    """The organisation as the source calls it; `domain` is the one that asked."""
    eidos_id: Mapped[str]
    conquest_type: Mapped[str] = mapped_column(String(64))
    model_id: Mapped[str] = mapped_column(String(64))
    model_name: Mapped[str]
    is_tuned: Mapped[bool]
    was_live: Mapped[bool]
    """Whether the model answered when it was asked for; else it was brought live first."""
    num_examples: Mapped[int]
    """How many good answers were wanted as examples before the question."""
    max_tokens: Mapped[int]
    temperature: Mapped[float] = mapped_column(Float)
    num_candidates: Mapped[int]
    job_id: Mapped[str | None] = mapped_column(String(64), index=True)
    state: Mapped[str] = mapped_column(String(16))
    notes: Mapped[list[Any]]
    """What is not kept in the source, in sentences."""
    finished_at: Mapped[datetime | None]


class ConquestResult(Table):
    """What came of one candidate: kept here as soon as the model answered, and then in the source."""

    __tablename__ = "conquest_results"
    __table_args__ = (
        UniqueConstraint("execution_id", "position"),
        Index("ix_conquest_results_state", "execution_id", "state", "position"),
    )

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    execution_id: Mapped[str] = mapped_column(ForeignKey(ConquestExecution.id))
    position: Mapped[int]
    candidate_id: Mapped[str]
    state: Mapped[str] = mapped_column(String(16))
    """A member of `ResultState`."""
    asked: Mapped[dict[str, Any] | None]
    """The prompt, the system message, the examples' ids, and the candidate as the source calls it."""
    text: Mapped[str] = mapped_column(Text, default="")
    prompt_tokens: Mapped[int | None]
    answer_tokens: Mapped[int | None]
    duration_ms: Mapped[float | None] = mapped_column(Float)
    finish_reason: Mapped[str | None] = mapped_column(String(32))
    error: Mapped[str | None] = mapped_column(Text)
    conquest_id: Mapped[str | None]
    """As the source calls it, once it is kept there."""
    at: Mapped[datetime | None]
