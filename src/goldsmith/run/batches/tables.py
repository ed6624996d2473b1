"""Tables of batches: what was asked for, and every request with what came back for it."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from goldsmith.run.batches.types import BatchStatus
from goldsmith.storage.database import Owned, Table


class Batch(Table, Owned):
    """A file of requests that are asked without hurry. Its moments say where it stands."""

    __tablename__ = "batches"
    __table_args__ = (Index("ix_batches_is_over_expires_at", "is_over", "expires_at"),)

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    endpoint: Mapped[str] = mapped_column(String(64))
    input_file_id: Mapped[str] = mapped_column(String(64))
    """The file may be forgotten; its bytes stay, under `input_sha256`."""
    input_name: Mapped[str]
    input_sha256: Mapped[str] = mapped_column(String(64))
    completion_window: Mapped[str] = mapped_column(String(16))
    """How long it may take: 24h."""
    labels: Mapped[dict[str, Any]]
    """What the caller wants to be given back: OpenAI's metadata."""
    output_expires_after_s: Mapped[int | None]
    job_id: Mapped[str | None] = mapped_column(String(64), index=True)
    """The job that is at work on it, or was the last."""
    models: Mapped[list[Any]]
    """The models that its requests name, in the order in which they are asked."""
    num_requests: Mapped[int] = mapped_column(default=0)
    num_answered: Mapped[int] = mapped_column(default=0)
    """Counted when it is over; until then it stands in the requests, as `num_failed` does."""
    num_failed: Mapped[int] = mapped_column(default=0)
    faults: Mapped[list[Any]]
    """Why it failed: {code, message, line, param}."""
    output_file_id: Mapped[str | None] = mapped_column(String(64))
    error_file_id: Mapped[str | None] = mapped_column(String(64))
    prompt_tokens: Mapped[int | None] = mapped_column(BigInteger)
    answer_tokens: Mapped[int | None] = mapped_column(BigInteger)
    is_over: Mapped[bool] = mapped_column(default=False)
    expires_at: Mapped[datetime]
    in_progress_at: Mapped[datetime | None]
    finalizing_at: Mapped[datetime | None]
    completed_at: Mapped[datetime | None]
    failed_at: Mapped[datetime | None]
    expired_at: Mapped[datetime | None]
    cancelling_at: Mapped[datetime | None]
    cancelled_at: Mapped[datetime | None]

    @property
    def status(self) -> BatchStatus:
        """Where it stands."""
        moments = (
            (self.completed_at, BatchStatus.COMPLETED),
            (self.failed_at, BatchStatus.FAILED),
            (self.expired_at, BatchStatus.EXPIRED),
            (self.cancelled_at, BatchStatus.CANCELLED),
            (self.cancelling_at, BatchStatus.CANCELLING),
            (self.finalizing_at, BatchStatus.FINALIZING),
            (self.in_progress_at, BatchStatus.IN_PROGRESS),
        )
        return next((status for moment, status in moments if moment is not None), BatchStatus.VALIDATING)


class BatchedRequest(Table):
    """One line of a batch's file. What it asks stays in the file; what came back stands here."""

    __tablename__ = "batch_requests"
    __table_args__ = (
        UniqueConstraint("batch_id", "line"),
        UniqueConstraint("batch_id", "custom_id"),
        Index("ix_batch_requests_to_ask", "batch_id", "state", "model_id", "line"),
    )

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    batch_id: Mapped[str] = mapped_column(ForeignKey("batches.id"))
    line: Mapped[int]
    custom_id: Mapped[str]
    model_id: Mapped[str] = mapped_column(String(64))
    start_byte: Mapped[int] = mapped_column(BigInteger)
    num_bytes: Mapped[int]
    state: Mapped[str] = mapped_column(String(16))
    """`waiting`, `answered` or `failed`."""
    status_code: Mapped[int | None]
    response: Mapped[str | None] = mapped_column(Text)
    """What came back, as JSON; also what an engine said against it."""
    error: Mapped[str | None] = mapped_column(Text)
    prompt_tokens: Mapped[int | None]
    answer_tokens: Mapped[int | None]
    served_by: Mapped[str | None] = mapped_column(String(64))
    """The engine."""
    num_tries: Mapped[int] = mapped_column(default=0)
    at: Mapped[datetime | None]
