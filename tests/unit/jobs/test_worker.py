"""A worker writes under its lease alone, and its last transaction says how its stage ended."""

import threading
import time
from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any, ClassVar

import pytest
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session
from tests.factories import make_job, make_person

from goldsmith.errors import Conflict
from goldsmith.jobs import queries, queue
from goldsmith.jobs.errors import JobFailed
from goldsmith.jobs.kinds import LightKind, WorkContext
from goldsmith.jobs.tables import Job
from goldsmith.jobs.types import JobFailure, Stage
from goldsmith.jobs.worker import Worker
from goldsmith.people.tables import PersonRow
from goldsmith.storage.database import Database
from goldsmith.storage.files import Home

GONE = JobFailure("machine_gone", "It stopped reporting.", "Look after it.")


class Told(LightKind):
    """Does what a test tells it to."""

    name: ClassVar[str] = "nothing"
    stages: ClassVar[tuple[Stage, ...]] = (Stage("only"),)

    def __init__(self, do: Any) -> None:
        self._do = do

    def work(self, stage: str, context: WorkContext) -> Mapping[str, Any]:
        del stage
        return dict(self._do(context) or {})


@pytest.fixture
def job(database: Database) -> Job:
    with database.transaction() as session:
        make_job(session)
        found = queue.claim(session, machine="here", slot=None)
        assert found is not None
        queue.begin_stage(session, found, "only")
        queue.to_running(session, found)
        return found


def work(database: Database, home: Home, job: Job, do: Any) -> tuple[int, Job]:
    code = Worker(database, home, {"nothing": Told(do)}).work(job.id, "only", job.lease_number)
    with database.reading() as session:
        return code, queries.one(session, job.id)


def take_over(database: Database, job: Job) -> None:
    with database.transaction() as session:
        queue.died(session, queries.one(session, job.id), GONE)
        queue.claim(session, machine="elsewhere", slot=None)


def test_what_a_stage_returns_is_the_jobs_result(database: Database, home: Home, job: Job) -> None:
    code, found = work(database, home, job, lambda _: {"num_rows": 3})
    assert (code, found.stage_outcome, found.result) == (0, "done", {"num_rows": 3})


@pytest.mark.parametrize(
    ("error", "kind", "hint"),
    [
        (JobFailed("No.", hint="Do this.", kind="impossible"), "impossible", "Do this."),
        (Conflict("No."), "conflict", Conflict.default_hint),
        (KeyError("x"), "unexpected", "Its log has the details. Resume the job to try again."),
    ],
)
def test_every_error_becomes_a_failure_with_a_hint(
    database: Database, home: Home, job: Job, error: Exception, kind: str, hint: str
) -> None:
    def fail(_: WorkContext) -> None:
        raise error

    code, found = work(database, home, job, fail)
    assert found.failure is not None
    assert (code, found.stage_outcome, found.failure["kind"], found.failure["hint"]) == (0, "failed", kind, hint)


def test_a_kind_that_is_not_known_is_said(database: Database, home: Home, job: Job) -> None:
    assert Worker(database, home, {}).work(job.id, "only", job.lease_number) == 0
    with database.reading() as session:
        assert (queries.one(session, job.id).failure or {})["kind"] == "job-kind-unknown"


def test_one_that_slept_while_another_took_over_writes_nothing(database: Database, home: Home, job: Job) -> None:
    def sleep(context: WorkContext) -> None:
        take_over(database, job)
        with context.transaction() as session:
            make_person(session, "too late")

    code, found = work(database, home, job, sleep)
    assert (code, found.attempt, found.stage_outcome) == (3, 2, None)
    with database.reading() as session:
        assert session.query(PersonRow).filter_by(name="too late").count() == 0


def test_one_that_comes_too_late_does_not_begin(database: Database, home: Home, job: Job) -> None:
    take_over(database, job)
    begun = threading.Event()
    code, _ = work(database, home, job, lambda _: begun.set())
    assert (code, begun.is_set()) == (3, False)


def test_a_database_that_is_away_at_the_begin_is_waited_for(
    database: Database, home: Home, job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "sleep", lambda _: None)
    worker = Worker(database, home, {"nothing": Told(lambda _: {"is_done": True})})
    transaction, away = database.transaction, iter([True, True])

    def sometimes() -> AbstractContextManager[Session]:
        if next(away, False):
            raise OperationalError("SELECT 1", {}, Exception("connection refused"))
        return transaction()

    monkeypatch.setattr(database, "transaction", sometimes)
    assert worker.work(job.id, "only", job.lease_number) == 0
    with database.reading() as session:
        assert queries.one(session, job.id).result == {"is_done": True}


def test_a_database_that_goes_away_in_the_midst_ends_it_without_a_word(
    database: Database, home: Home, job: Job
) -> None:
    def lose(_: WorkContext) -> None:
        raise OperationalError("SELECT 1", {}, Exception("connection refused"))

    with pytest.raises(OperationalError):
        work(database, home, job, lose)
    with database.reading() as session:
        assert queries.one(session, job.id).stage_outcome is None


def test_asked_to_stop_it_says_that_it_stopped(database: Database, home: Home, job: Job) -> None:
    worker: Worker

    def stop(context: WorkContext) -> None:
        worker.ask_to_stop()
        assert context.should_stop()

    worker = Worker(database, home, {"nothing": Told(stop)})
    assert worker.work(job.id, "only", job.lease_number) == 0
    with database.reading() as session:
        assert queries.one(session, job.id).stage_outcome == "stopped"


def test_progress_is_reported_at_most_twice_a_second(database: Database, home: Home, job: Job) -> None:
    def report(context: WorkContext) -> None:
        for number in range(100):
            context.report(number / 100, f"{number}")

    _, found = work(database, home, job, report)
    assert found.message == "0"
