"""Every SELECT of the live stream: which jobs moved, which events are new. Called by `stream.py` in a thread."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, orm, select

from goldsmith.jobs.states import ACTIVE, JobState
from goldsmith.jobs.tables import Job, JobEvent

WAITING = [JobState.QUEUED.value, *(state.value for state in ACTIVE)]
MAX_EVENTS = 2000


@dataclass(frozen=True)
class JobChange:
    """A job as a listener sees it."""

    job_id: str
    domain: str
    subject_id: str | None
    kind: str
    state: str
    attempt: int
    stage: str | None
    progress: float
    message: str

    def to_dict(self) -> dict[str, Any]:
        """What is sent."""
        return {
            "id": self.job_id,
            "kind": self.kind,
            "subject_id": self.subject_id,
            "state": self.state,
            "attempt": self.attempt,
            "stage": self.stage,
            "progress": self.progress,
            "message": self.message,
        }


def moving(session: orm.Session, also: Collection[str] = ()) -> dict[str, JobChange]:
    """Every job that waits or is at work, and those named in `also`."""
    columns = select(
        Job.id,
        Job.domain,
        Job.subject_id,
        Job.kind,
        Job.state,
        Job.attempt,
        Job.stage,
        Job.progress,
        Job.message,
    )
    rows = session.execute(columns.where(Job.state.in_(WAITING) | Job.id.in_(list(also))))
    return {row.id: JobChange(*row) for row in rows}


def last_event_id(session: orm.Session) -> int:
    """The highest id of an event; 0 when there is none."""
    return session.scalar(select(func.max(JobEvent.id))) or 0


def events_after(session: orm.Session, event_id: int) -> list[tuple[JobEvent, str]]:
    """Events with a higher id, of all jobs, with the domain of each."""
    query = select(JobEvent, Job.domain).join(Job, Job.id == JobEvent.job_id).where(JobEvent.id > event_id)
    return [(event, domain) for event, domain in session.execute(query.order_by(JobEvent.id).limit(MAX_EVENTS))]
