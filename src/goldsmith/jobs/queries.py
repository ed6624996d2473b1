"""Every SELECT on jobs, and the wait for one."""

import time
from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import and_, exists, func, not_, or_, select
from sqlalchemy.orm import Session

from goldsmith.jobs.costs import Cost
from goldsmith.jobs.errors import JobNotFound
from goldsmith.jobs.states import ACTIVE, JobState
from goldsmith.jobs.tables import Job, JobEvent
from goldsmith.jobs.types import JobView
from goldsmith.storage import clock
from goldsmith.storage.database import Database

WAIT_S = 10.0
IN_LINE = (Job.priority.desc(), Job.id)
"""The order in which jobs are claimed."""


def one(session: Session, job_id: str) -> Job:
    """The job. Raises JobNotFound."""
    job = session.get(Job, job_id)
    if job is None:
        raise JobNotFound(f"There is no job {job_id}.")
    return job


def page(
    session: Session,
    *,
    domain: str,
    kind: str | None = None,
    states: Sequence[JobState] = (),
    before: str | None = None,
    limit: int = 50,
) -> list[Job]:
    """Jobs, newest first; `before` is the last id of the page before."""
    query = select(Job).where(Job.domain == domain).order_by(Job.id.desc()).limit(limit)
    if kind:
        query = query.where(Job.kind == kind)
    if states:
        query = query.where(Job.state.in_([state.value for state in states]))
    if before:
        query = query.where(Job.id < before)
    return list(session.scalars(query))


def active(session: Session, machine: str) -> list[Job]:
    """Jobs that this machine has claimed and not ended."""
    states = [state.value for state in ACTIVE]
    return list(session.scalars(select(Job).where(Job.state.in_(states), Job.machine == machine).order_by(Job.id)))


def has_waiting(session: Session, *, needs_slot: bool) -> bool:
    """Whether a job waits that needs a slot, or one that needs none."""
    waiting = exists().where(Job.state == JobState.QUEUED.value, Job.needs_slot == needs_slot)
    return bool(session.scalar(select(waiting)))


def is_nobody_at_work(session: Session, *, patience_s: float) -> bool:
    """Whether jobs lie untouched: nobody renews the lease of one that runs, or none runs and one waits for so long.

    True of a database whose supervisors are all gone; a busy one may take the longer of the two to be noticed.
    """
    limit = clock.now() - timedelta(seconds=patience_s)
    states = [state.value for state in ACTIVE]
    kept = exists().where(Job.state.in_(states), Job.lease_until >= limit)
    has_news = exists().where(JobEvent.job_id == Job.id, JobEvent.at >= limit)  # queued again, for instance
    waits = and_(Job.state == JobState.QUEUED.value, Job.created_at < limit, not_(has_news))
    left = exists().where(or_(Job.state.in_(states), waits))
    return bool(session.scalar(select(and_(left, not_(kept)))))


def newest_of(session: Session, subject_id: str, kind: str | None = None) -> Job | None:
    """The newest job about a thing."""
    query = select(Job).where(Job.subject_id == subject_id).order_by(Job.id.desc()).limit(1)
    return session.scalar(query.where(Job.kind == kind) if kind else query)


def all_of(session: Session, subject_id: str, *, limit: int = 50) -> list[Job]:
    """The jobs about a thing, newest first."""
    return list(session.scalars(select(Job).where(Job.subject_id == subject_id).order_by(Job.id.desc()).limit(limit)))


def machine_s(session: Session, subject_id: str) -> float:
    """Seconds in which this machine was at a thing. Each of its jobs says at its end how many it is by then."""
    results = session.scalars(select(Job.result).where(Job.subject_id == subject_id))
    return max((Cost.of_result(result).machine_s for result in results), default=0.0)


def events(session: Session, job_id: str, *, after: int = 0, limit: int = 1000) -> list[JobEvent]:
    """A job's events in the order in which they were recorded, behind the event with the id `after`."""
    query = select(JobEvent).where(JobEvent.job_id == job_id, JobEvent.id > after).order_by(JobEvent.id).limit(limit)
    return list(session.scalars(query))


def newest_events(session: Session, job_id: str, *, limit: int) -> list[JobEvent]:
    """The last events, in the order in which they were recorded."""
    query = select(JobEvent).where(JobEvent.job_id == job_id).order_by(JobEvent.id.desc()).limit(limit)
    return list(session.scalars(query))[::-1]


def events_of_kind(session: Session, job_id: str, kind: str) -> list[JobEvent]:
    """Everything of this kind that a job's programs reported, in the order in which it was recorded."""
    query = select(JobEvent).where(JobEvent.job_id == job_id, JobEvent.kind == kind).order_by(JobEvent.id)
    return list(session.scalars(query))


def last_seq(session: Session, job_id: str, *, attempt: int, source: str) -> int:
    """The highest number of an applied event of one source of one attempt; 0 when there is none."""
    query = select(func.max(JobEvent.seq)).where(
        JobEvent.job_id == job_id, JobEvent.attempt == attempt, JobEvent.source == source
    )
    return session.scalar(query) or 0


def place_in_queue(session: Session, job: Job) -> int:
    """1 for the job that is next among those that wait for a slot."""
    is_ahead = or_(Job.priority > job.priority, and_(Job.priority == job.priority, Job.id < job.id))
    query = select(func.count()).where(Job.state == JobState.QUEUED.value, Job.needs_slot == job.needs_slot, is_ahead)
    return 1 + (session.scalar(query) or 0)


def line(session: Session) -> list[Job]:
    """What waits for a slot, of every organisation, in the order in which it is claimed."""
    waiting = select(Job).where(Job.state == JobState.QUEUED.value, Job.needs_slot)
    return list(session.scalars(waiting.order_by(*IN_LINE)))


def in_slots(session: Session) -> list[Job]:
    """What holds a slot now, of every organisation and on every machine."""
    states = [state.value for state in ACTIVE]
    return list(session.scalars(select(Job).where(Job.state.in_(states), Job.slot.is_not(None)).order_by(Job.id)))


def wait(database: Database, job_id: str, *, timeout_s: float = WAIT_S) -> Job:
    """The job as soon as it is over, or as it stands after `timeout_s`; no transaction stays open in between."""
    end = time.monotonic() + timeout_s
    while True:
        with database.reading() as session:
            job = one(session, job_id)
            if JobState(job.state).is_over or time.monotonic() > end:
                return job
        time.sleep(0.1)


def view(job: Job) -> JobView:
    """The job as a value for its programs."""
    return JobView(
        id=job.id,
        kind=job.kind,
        subject_id=job.subject_id,
        attempt=job.attempt,
        stage=job.stage,
        lease_number=job.lease_number,
        domain=job.domain,
        created_by=job.created_by,
        params=job.params,
        slot=job.slot,
    )
