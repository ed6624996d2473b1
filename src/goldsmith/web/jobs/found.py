"""The job that an address names, and the SELECT that only the activity pages need."""

from typing import Annotated

from fastapi import Depends
from sqlalchemy import orm, select

from goldsmith.jobs import queries, queue
from goldsmith.jobs.errors import JobNotFound, MoveNotAllowed
from goldsmith.jobs.states import JobState
from goldsmith.jobs.tables import Job, JobEvent
from goldsmith.people.types import Person
from goldsmith.web.dependencies import CurrentPerson, ReadSession, Session


def job_for(session: orm.Session, job_id: str, person: Person) -> Job:
    """The job, when it belongs to the person's organisation. Raises JobNotFound."""
    job = queries.one(session, job_id)
    if job.domain != person.domain:
        raise JobNotFound(f"There is no job {job_id}.")
    return job


def go_on(session: orm.Session, job: Job, person: Person) -> None:
    """Queue a job again that is over. One that is at work is left to its supervisor. Raises MoveNotAllowed."""
    session.refresh(job, with_for_update=True)
    if not JobState(job.state).is_over:
        raise MoveNotAllowed(f"{job.title} is {job.state}; only what is over can be queued again.")
    queue.again(session, job, f"asked for again by {person.name}")


def newest_events(session: orm.Session, job_id: str, limit: int) -> list[JobEvent]:
    """The last events, in the order in which they were recorded."""
    query = select(JobEvent).where(JobEvent.job_id == job_id).order_by(JobEvent.id.desc()).limit(limit)
    return list(session.scalars(query))[::-1]


def _read_job(session: ReadSession, person: CurrentPerson, job_id: str) -> Job:
    return job_for(session, job_id, person)


def _changing_job(session: Session, person: CurrentPerson, job_id: str) -> Job:
    return job_for(session, job_id, person)


ReadJob = Annotated[Job, Depends(_read_job)]
"""The job of the address, in the reading session of the request."""
ChangingJob = Annotated[Job, Depends(_changing_job)]
"""The job of the address, in the writing session of the request."""
