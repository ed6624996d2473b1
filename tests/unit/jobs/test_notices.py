"""A notice is a job of one's own that ended, until one has seen it."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy.orm import Session
from tests.factories import MakeDatabase, make_job, make_person

from goldsmith.jobs import notices, queue
from goldsmith.jobs.states import JobState
from goldsmith.jobs.tables import Job
from goldsmith.jobs.types import JobFailure, StopRequest
from goldsmith.people.types import Person
from goldsmith.storage import clock

FAILURE = JobFailure("oom", "It ran out of memory.", "Use fewer rows.")


@pytest.fixture
def session(make_database: MakeDatabase) -> Iterator[Session]:
    with make_database().transaction() as session:
        yield session


@pytest.fixture
def ada(session: Session) -> Person:
    return make_person(session)


def running(session: Session, by: Person, kind: str = "training", *, for_s: float = 60) -> Job:
    job = make_job(session, by=by, kind=kind)
    queue.claim(session, machine="m", slot=None)
    queue.move(session, job, JobState.RUNNING, "its program was started")
    job.started_at = clock.now() - timedelta(seconds=for_s)
    return job


def ended(session: Session, by: Person, kind: str = "training", *, for_s: float = 60) -> Job:
    job = running(session, by, kind, for_s=for_s)
    queue.finish(session, job)
    return job


def test_what_ended_is_told_until_it_is_dismissed(session: Session, ada: Person) -> None:
    first, second = ended(session, ada), ended(session, ada, "run")
    assert {job.id for job in notices.unread(session, by=ada)} == {first.id, second.id}
    assert notices.dismiss(session, by=ada, job_ids=[first.id]) == 1
    assert [job.id for job in notices.unread(session, by=ada)] == [second.id]
    assert notices.dismiss(session, by=ada) == 1
    assert notices.unread(session, by=ada) == []
    assert notices.dismiss(session, by=ada) == 0


def test_everybody_hears_of_their_own(session: Session, ada: Person) -> None:
    other = make_person(session, "Bob")
    job = ended(session, other)
    assert notices.unread(session, by=ada) == []
    assert notices.dismiss(session, by=ada, job_ids=[job.id]) == 0
    assert len(notices.unread(session, by=other)) == 1


def test_what_runs_and_what_one_stopped_oneself_is_no_news(session: Session, ada: Person) -> None:
    running(session, ada)
    queue.ask_to_stop(session, make_job(session, by=ada), StopRequest.CANCEL)
    assert notices.unread(session, by=ada) == []


def test_what_was_short_is_told_only_when_it_failed(session: Session, ada: Person) -> None:
    ended(session, ada, for_s=2)
    assert notices.unread(session, by=ada) == []
    failed = running(session, ada, for_s=2)
    queue.fail(session, failed, FAILURE)
    assert [job.id for job in notices.unread(session, by=ada)] == [failed.id]


def test_a_proof_that_nobody_asked_for_is_not_told(session: Session, ada: Person) -> None:
    ended(session, ada, "prove")
    assert notices.unread(session, by=ada) == []


def test_a_resumed_job_that_ends_again_is_told_again(session: Session, ada: Person) -> None:
    job = running(session, ada)
    queue.fail(session, job, FAILURE)
    notices.dismiss(session, by=ada)
    queue.again(session, job, "resumed")
    assert notices.unread(session, by=ada) == []
    queue.claim(session, machine="m", slot=None)
    queue.move(session, job, JobState.RUNNING, "its program was started")
    queue.finish(session, job)
    assert [told.id for told in notices.unread(session, by=ada)] == [job.id]


def test_what_is_two_weeks_old_is_no_news(session: Session, ada: Person) -> None:
    job = ended(session, ada)
    job.finished_at = clock.now() - timedelta(days=15)
    session.flush()
    assert notices.unread(session, by=ada) == []
