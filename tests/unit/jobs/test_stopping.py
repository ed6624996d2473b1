"""What was asked of a job reaches its program, and a job that was to keep its best is no stopped one."""

import pytest
from sqlalchemy.orm import Session
from tests.factories import make_job

from goldsmith.jobs import queue, stopping
from goldsmith.jobs.ending import Ending
from goldsmith.jobs.folder import JobFolder
from goldsmith.jobs.states import JobState
from goldsmith.jobs.tables import Job
from goldsmith.jobs.types import ChildId, JobFailure, StageOutcome, StopRequest
from goldsmith.storage.database import Database
from goldsmith.storage.files import Home

NOBODY = ChildId(2**22 + 1, 1.0, 1.0)
"""No process has this number."""
GONE = JobFailure("died", "It was killed.", "It goes on by itself.")


def running(session: Session, request: StopRequest | None = None) -> Job:
    job = make_job(session)
    for state in (JobState.STARTING, JobState.RUNNING):
        queue.move(session, job, state, "test")
    if request is not None:
        queue.ask_to_stop(session, job, request)
    return job


def test_to_keep_the_best_is_a_file_and_no_signal(database: Database, home: Home) -> None:
    with database.transaction() as session:
        job = running(session, StopRequest.KEEP)
        folder = JobFolder.of(home, job.id)
        assert stopping.deliver(job, NOBODY, folder, kill_after_s=0)
        assert folder.keep.exists()
        assert not stopping.is_to_stop(job)
        queue.ask_to_stop(session, job, StopRequest.PAUSE)
        assert stopping.deliver(job, NOBODY, folder, kill_after_s=60)  # asked anew, and told so
        assert not folder.keep.exists()
        assert stopping.is_to_stop(job)


def test_nothing_is_passed_on_where_nothing_was_asked(database: Database, home: Home) -> None:
    with database.transaction() as session:
        job = running(session)
        assert not stopping.deliver(job, NOBODY, JobFolder.of(home, job.id), kill_after_s=0)


@pytest.mark.parametrize(
    ("request_", "outcome", "state"),
    [
        (StopRequest.KEEP, StageOutcome.DONE, JobState.SUCCEEDED),
        (StopRequest.KEEP, StageOutcome.STOPPED, JobState.PAUSED),
        (StopRequest.KEEP, StageOutcome.FAILED, JobState.FAILED),
        (StopRequest.KEEP, None, JobState.QUEUED),
        (StopRequest.PAUSE, StageOutcome.STOPPED, JobState.PAUSED),
        (StopRequest.PAUSE, None, JobState.PAUSED),
        (StopRequest.CANCEL, StageOutcome.FAILED, JobState.CANCELLED),
        (None, StageOutcome.STOPPED, JobState.QUEUED),
    ],
)
def test_where_a_job_stands_after_its_end(
    database: Database, request_: StopRequest | None, outcome: StageOutcome | None, state: JobState
) -> None:
    with database.transaction() as session:
        job = running(session, request_)
        stopping.record_end(session, job, Ending(outcome, GONE))
        assert job.state == state.value
        if state is JobState.QUEUED:  # a death takes nothing back
            assert job.stop_requested == (request_.value if request_ else None)


def test_what_is_over_is_queued_again_to_keep_its_best(database: Database) -> None:
    with database.transaction() as session:
        job = running(session)
        queue.move(session, job, JobState.PAUSED, "test")
        queue.ask_to_stop(session, job, StopRequest.KEEP)
        assert (job.state, job.stop_requested, job.attempt) == ("queued", "keep", 2)
