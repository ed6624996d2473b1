"""Engines that give their memory to a job: gone while it is at work, back by themselves when it is not."""

import time

import pytest
from sqlalchemy import select

from goldsmith.jobs import queue
from goldsmith.jobs.queue import NewJob
from goldsmith.jobs.states import JobState
from goldsmith.jobs.tables import Job
from goldsmith.jobs.types import StopRequest
from goldsmith.models.tables import BaseModel
from goldsmith.people.types import Person
from goldsmith.serve import engine as processes
from goldsmith.serve import queries, recording, resting
from goldsmith.serve.engine import EngineFiles
from goldsmith.serve.tables import DeploymentHistory

from .conftest import ModelMaker
from .keeping import Keeping, deploy, want


@pytest.fixture
def job_id(keeping: Keeping, by: Person) -> str:
    """A job at work."""
    with keeping.database.transaction() as session:
        made = queue.add(session, NewJob("training", "Train warmth", {}, needs_slot=True), by=by)
        job = queue.claim(session, machine="here", slot="cpu")
        assert job is not None
        assert job.id == made.id
        return job.id


def rest(keeping: Keeping, job_id: str) -> None:
    with keeping.database.transaction() as session:
        resting.begin(session, session.get_one(Job, job_id), resting.on_gpu(session, None))


def is_out(keeping: Keeping) -> bool:
    return processes.find(EngineFiles.of(keeping.home, keeping.engine().id)) is None


def test_it_stops_for_the_job_and_comes_back_with_its_models(
    keeping: Keeping, make_model: ModelMaker, by: Person, job_id: str
) -> None:
    model = make_model()
    deploy(keeping, model, by)
    keeping.until(lambda: keeping.is_loaded(model.id))
    rest(keeping, job_id)
    keeping.until(lambda: is_out(keeping))
    assert resting.wait_until_out(keeping.home, [keeping.engine().id], within_s=0)
    still_out_until = time.monotonic() + 1
    keeping.until(lambda: time.monotonic() > still_out_until)
    assert is_out(keeping)
    assert keeping.engine().message == "at rest for “Train warmth”, which has its memory now; it starts again by itself"
    assert keeping.engine().is_wanted
    assert not keeping.is_loaded(model.id)
    with keeping.database.transaction() as session:
        queue.ask_to_stop(session, session.get_one(Job, job_id), StopRequest.CANCEL)
        queue.move(session, session.get_one(Job, job_id), JobState.CANCELLED, "cancelled")
    keeping.until(lambda: keeping.is_loaded(model.id))
    with keeping.database.reading() as session:
        actions = set(session.scalars(select(DeploymentHistory.action)))
        assert resting.at_rest(session) == []
    assert actions == {"deploy"}  # that it was away is no crash


def test_one_that_was_about_to_start_waits_too(keeping: Keeping, base: BaseModel, by: Person, job_id: str) -> None:
    want(keeping, base, by)
    rest(keeping, job_id)
    end = time.monotonic() + 0.5
    keeping.until(lambda: time.monotonic() > end)
    assert (keeping.engine().generation, keeping.engine().state) == (0, "stopped")


def test_an_engine_that_the_job_needs_no_more_is_given_back(
    keeping: Keeping, base: BaseModel, by: Person, job_id: str
) -> None:
    want(keeping, base, by)
    rest(keeping, job_id)
    with keeping.database.transaction() as session:
        assert [job.id for _, job in resting.at_rest(session)] == [job_id]
        resting.begin(session, session.get_one(Job, job_id), [])
    keeping.until(keeping.is_ready)


def test_one_that_does_not_end_is_told_of(keeping: Keeping, base: BaseModel, by: Person) -> None:
    want(keeping, base, by)
    keeping.until(keeping.is_ready)
    assert not resting.wait_until_out(keeping.home, [keeping.engine().id], within_s=0.1)
    assert resting.wait_until_out(keeping.home, [keeping.engine().id], within_s=60, should_stop=lambda: True)


def test_only_those_on_its_gpu_share_memory_with_a_job(keeping: Keeping, base: BaseModel, by: Person) -> None:
    want(keeping, base, by)
    with keeping.database.transaction() as session:
        engine = queries.of_ours(session)[0]
        engine.gpu = 1
        session.flush()
        assert resting.on_gpu(session, 0) == []
        assert resting.on_gpu(session, 1) == [engine]


def test_what_others_do_is_not_told(keeping: Keeping, base: BaseModel, by: Person, job_id: str) -> None:
    want(keeping, base, by)
    with keeping.database.transaction() as session:
        job, engine = session.get_one(Job, job_id), queries.of_ours(session)[0]
        job.domain = "elsewhere"
        assert "warmth" not in resting.because(engine, job)
        assert "another organisation" in resting.because(engine, job)


def test_the_room_for_engines_leaves_out_the_gpu_on_which_a_job_works(keeping: Keeping, by: Person) -> None:
    with keeping.database.transaction() as session:
        queue.add(session, NewJob("training", "Train warmth", {}, needs_slot=True), by=by)
        job = queue.claim(session, machine="here", slot="gpu1")
        assert job is not None
        assert recording.read(session).wanted.room.busy_gpus == {1: job.started_at}
        queue.move(session, job, JobState.FAILED, "it failed")
        assert recording.read(session).wanted.room.busy_gpus == {}
