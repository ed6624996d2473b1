"""Jobs as an address names them, and what a person may ask of one. Every step's pages and API use it."""

from typing import Annotated

from fastapi import Depends
from sqlalchemy import orm

from goldsmith.jobs import queries, queue
from goldsmith.jobs.errors import JobNotFound
from goldsmith.jobs.tables import Job
from goldsmith.people.types import Person
from goldsmith.web.dependencies import CurrentPerson, ReadSession, Session


def job_for(session: orm.Session, job_id: str, person: Person) -> Job:
    """The job, when it belongs to the person's organisation. Raises JobNotFound."""
    job = queries.one(session, job_id)
    if job.domain != person.domain:
        raise JobNotFound(f"There is no job {job_id}.")
    return job


def go_on(session: orm.Session, job: Job, person: Person) -> None:
    """Queue a job again that is over. Raises MoveNotAllowed."""
    queue.again(session, job, f"asked for again by {person.name}")


def _read_job(session: ReadSession, person: CurrentPerson, job_id: str) -> Job:
    return job_for(session, job_id, person)


def _changing_job(session: Session, person: CurrentPerson, job_id: str) -> Job:
    return job_for(session, job_id, person)


ReadJob = Annotated[Job, Depends(_read_job)]
"""The job of the address, in the reading session of the request."""
ChangingJob = Annotated[Job, Depends(_changing_job)]
"""The job of the address, in the writing session of the request."""
