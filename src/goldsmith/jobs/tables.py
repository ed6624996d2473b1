"""Tables of jobs and their events. Only `queue.py` writes states."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, Float, ForeignKey, Index, Integer, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, validates

from goldsmith.jobs.states import ACTIVE, JobState
from goldsmith.storage import clock
from goldsmith.storage.database import Owned, Table, UtcTime
from goldsmith.storage.text import storable

_STATES = ", ".join(f"'{state.value}'" for state in JobState)
_ACTIVE = text("state IN ({}) AND slot IS NOT NULL".format(", ".join(f"'{state.value}'" for state in ACTIVE)))


class Job(Table, Owned):
    """Something long that was asked for."""

    __tablename__ = "jobs"
    __table_args__ = (
        CheckConstraint(f"state IN ({_STATES})", name="state"),
        Index("uq_jobs_one_in_a_slot", "machine", "slot", unique=True, sqlite_where=_ACTIVE, postgresql_where=_ACTIVE),
        Index("ix_jobs_state_id", "state", "id"),
        Index("ix_jobs_created_by_finished_at", "created_by", "finished_at"),
    )

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    kind: Mapped[str] = mapped_column(String(64), index=True)
    title: Mapped[str] = mapped_column(String(255))
    subject_id: Mapped[str | None] = mapped_column(String(64), index=True)
    params: Mapped[dict[str, Any]]
    state: Mapped[str] = mapped_column(String(16), default=JobState.QUEUED.value)
    because: Mapped[str] = mapped_column(Text, default="")
    attempt: Mapped[int] = mapped_column(Integer, default=1)
    num_deaths: Mapped[int] = mapped_column(Integer, default=0)
    """Attempts in a row that died without getting further."""
    needs_slot: Mapped[bool] = mapped_column(default=False)
    wanted_slot: Mapped[str | None] = mapped_column(String(32))
    """The slot that was chosen for it; None: whichever is free first."""
    priority: Mapped[int] = mapped_column(Integer, default=0)
    """Higher goes first, equal ones by age. Only `line.py` gives anything but 0."""
    slot: Mapped[str | None] = mapped_column(String(32))
    machine: Mapped[str | None] = mapped_column(String(255))
    stage: Mapped[str | None] = mapped_column(String(64))
    stage_outcome: Mapped[str | None] = mapped_column(String(16))
    progress: Mapped[float] = mapped_column(Float, default=0.0)
    message: Mapped[str] = mapped_column(Text, default="")
    lease_number: Mapped[int] = mapped_column(Integer, default=0)
    lease_until: Mapped[datetime | None]
    pid: Mapped[int | None]
    pid_started_at: Mapped[float | None] = mapped_column(Float)
    pid_booted_at: Mapped[float | None] = mapped_column(Float)
    stop_requested: Mapped[str | None] = mapped_column(String(16))
    stop_sent_at: Mapped[datetime | None]
    failure: Mapped[dict[str, Any] | None]
    result: Mapped[dict[str, Any] | None]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]

    @validates("title", "because", "message")
    def _storable(self, _column: str, value: str) -> str:
        return storable(value)  # it may be what a program said


class JobEvent(Table):
    """Something that happened to a job; never changed. `source` is `queue` or the name of a stage."""

    __tablename__ = "job_events"
    __table_args__ = (UniqueConstraint("job_id", "attempt", "source", "seq"),)

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    job_id: Mapped[str] = mapped_column(ForeignKey("jobs.id"), index=True)
    attempt: Mapped[int]
    source: Mapped[str] = mapped_column(String(64))
    seq: Mapped[int]
    kind: Mapped[str] = mapped_column(String(64))
    data: Mapped[dict[str, Any]]
    at: Mapped[datetime] = mapped_column(UtcTime(), default=clock.now)


class DismissedNotice(Table):
    """That a person has seen how an attempt of a job ended. What has no row here and is not old is still to be seen."""

    __tablename__ = "dismissed_notices"

    person_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    job_id: Mapped[str] = mapped_column(ForeignKey("jobs.id"), primary_key=True)
    attempt: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[datetime] = mapped_column(UtcTime(), default=clock.now)
