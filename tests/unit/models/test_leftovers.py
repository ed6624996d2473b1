"""What a cancelled fetch left behind is removed, and nothing else."""

import pytest

from goldsmith.jobs import queries as jobs
from goldsmith.jobs import queue
from goldsmith.jobs.folder import JobFolder
from goldsmith.jobs.queue import NewJob
from goldsmith.jobs.states import JobState
from goldsmith.jobs.tables import Job
from goldsmith.jobs.types import StopRequest
from goldsmith.models.leftovers import LeftoverKeeper
from goldsmith.models.service import KIND_GGUF, KIND_HUB
from goldsmith.people.types import Person
from goldsmith.storage import clock
from goldsmith.storage.database import Database
from goldsmith.storage.files import Home


@pytest.fixture
def keeper(database: Database, home: Home) -> LeftoverKeeper:
    return LeftoverKeeper(database, home, look_every_s=0)


def half_fetched(database: Database, home: Home, person: Person, state: JobState, kind: str = KIND_HUB) -> Job:
    """A fetch that stands like this, with a part of a file."""
    with database.transaction() as session:
        job = queue.add(session, NewJob(kind, "Fetch a model", {}), by=person)
        if state is JobState.CANCELLED:
            queue.ask_to_stop(session, job, StopRequest.CANCEL)
        else:
            queue.claim(session, machine="here", slot=None)
            queue.to_running(session, job)
            queue.move(session, job, state, "test")
    data = JobFolder.of(home, job.id).data
    data.mkdir(parents=True)
    (data / "model.safetensors.part").write_bytes(bytes(3_000_000))
    return job


@pytest.mark.parametrize("kind", [KIND_HUB, KIND_GGUF])
def test_a_cancelled_fetch_keeps_no_files_and_says_so(
    database: Database, home: Home, person: Person, keeper: LeftoverKeeper, kind: str
) -> None:
    job = half_fetched(database, home, person, JobState.CANCELLED, kind)
    keeper.tick(clock.now())
    assert list(JobFolder.of(home, job.id).root.iterdir()) == []
    with database.reading() as session:
        assert jobs.one(session, job.id).message == "cancelled; what was fetched (3.0 MB) is removed"
        assert jobs.one(session, job.id).state == "cancelled"
    keeper.tick(clock.now())  # nothing is left to do


@pytest.mark.parametrize("state", [JobState.PAUSED, JobState.FAILED])
def test_one_that_may_go_on_keeps_everything(
    database: Database, home: Home, person: Person, keeper: LeftoverKeeper, state: JobState
) -> None:
    job = half_fetched(database, home, person, state)
    keeper.tick(clock.now())
    assert (JobFolder.of(home, job.id).data / "model.safetensors.part").exists()


def test_one_that_was_resumed_meanwhile_keeps_what_it_fetches(
    database: Database, home: Home, person: Person, keeper: LeftoverKeeper
) -> None:
    job = half_fetched(database, home, person, JobState.CANCELLED)
    with database.transaction() as session:
        queue.again(session, jobs.one(session, job.id), "resumed by a person")
    keeper._tidy(job.id)
    assert (JobFolder.of(home, job.id).data / "model.safetensors.part").exists()


def test_other_kinds_of_jobs_are_left_alone(
    database: Database, home: Home, person: Person, keeper: LeftoverKeeper
) -> None:
    job = half_fetched(database, home, person, JobState.CANCELLED, "training")
    keeper.tick(clock.now())
    assert JobFolder.of(home, job.id).data.exists()
