"""What the database says about jobs at large."""

from datetime import timedelta

from sqlalchemy import update

from goldsmith.jobs import queries, queue
from goldsmith.jobs.queue import NewJob
from goldsmith.jobs.tables import Job, JobEvent
from goldsmith.jobs.types import StopRequest
from goldsmith.people.types import Person
from goldsmith.storage import clock
from goldsmith.storage.database import Database

PATIENCE_S = 45.0
LONG_AGO = timedelta(seconds=60)


def is_nobody_at_work(database: Database) -> bool:
    with database.reading() as session:
        return queries.is_nobody_at_work(session, patience_s=PATIENCE_S)


def add(database: Database, person: Person, *, is_old: bool = False) -> str:
    with database.transaction() as session:
        job = queue.add(session, NewJob("light", "A job", {}), by=person)
        if is_old:
            job.created_at = clock.now() - LONG_AGO
            session.execute(update(JobEvent).where(JobEvent.job_id == job.id).values(at=clock.now() - LONG_AGO))
        return job.id


def test_without_jobs_nobody_is_missed(database: Database) -> None:
    assert not is_nobody_at_work(database)


def test_a_job_that_waits_a_moment_is_no_reason_to_worry_and_one_that_waits_long_is(
    database: Database, person: Person
) -> None:
    add(database, person)
    assert not is_nobody_at_work(database)
    add(database, person, is_old=True)
    assert is_nobody_at_work(database)


def test_an_old_job_that_was_just_queued_again_is_given_its_time(database: Database, person: Person) -> None:
    job_id = add(database, person, is_old=True)
    with database.transaction() as session:
        job = session.get_one(Job, job_id)
        queue.ask_to_stop(session, job, StopRequest.CANCEL)
        queue.again(session, job, "asked for again")
    assert not is_nobody_at_work(database)


def test_a_long_queue_behind_a_job_that_is_watched_is_no_reason_to_worry(database: Database, person: Person) -> None:
    first = add(database, person, is_old=True)
    add(database, person, is_old=True)
    with database.transaction() as session:
        queue.claim(session, machine="here", slot=None)
    assert not is_nobody_at_work(database)
    with database.transaction() as session:
        job = session.get_one(Job, first)
        job.lease_until = clock.now() - LONG_AGO
    assert is_nobody_at_work(database)
