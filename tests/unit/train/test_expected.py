"""How long a training is likely to take: told by its like or its rehearsal, never made up."""

from datetime import timedelta

import pytest
from sqlalchemy.orm import Session
from tests.unit.train.small_training import ADA, add_training

from goldsmith.jobs import queue
from goldsmith.jobs.queue import NewJob
from goldsmith.jobs.states import JobState
from goldsmith.jobs.tables import Job
from goldsmith.storage import clock
from goldsmith.storage.database import Database
from goldsmith.storage.files import Home
from goldsmith.train.expected import Known, Measure, Task
from goldsmith.train.queries import REHEARSAL
from goldsmith.train.tables import TrainingJob, TrainingMetric

SETTINGS = {"num_epochs": 2, "batch_size": 8, "learning_rate": 5e-4, "lora_rank": 8, "max_length": 1024}
DONE = Measure(Task("bm_1", "trl", "set_1", SETTINGS, 100), 20.0, 0.5, source="training", source_id="job_1")
FORECAST = {"duration_s": 50.0, "step_s": 2.0, "num_steps": 20}


def task(num_rows: int | None = 100, training_set_id: str | None = "set_1", **settings: object) -> Task:
    return Task("bm_1", "trl", training_set_id, {**SETTINGS, **settings}, num_rows)


def test_what_takes_more_rounds_takes_longer_and_what_is_loaded_is_loaded_once() -> None:
    known = Known((DONE,))
    found = [known.expected(task(num_epochs=epochs)) for epochs in (2, 4)]
    assert [each.seconds if each else None for each in found] == [120.0, 220.0]
    half = known.expected(task(num_rows=50, learning_rate=1e-3, lora_rank=64, batch_size=4))
    assert half is not None
    assert (half.seconds, half.source, half.source_id) == (70.0, "training", "job_1")


@pytest.mark.parametrize(
    "other",
    [
        task(num_rows=None),
        task(training_set_id="set_2"),
        task(training_set_id=None),
        task(max_length=2048),
        task(batch_size=2),
        task(gradient_accumulation=4),
        Task("bm_2", "trl", "set_1", SETTINGS, 100),
        Task("bm_1", "unsloth", "set_1", SETTINGS, 100),
    ],
)
def test_what_is_not_like_anything_known_has_no_time(other: Task) -> None:
    assert Known((DONE,)).expected(other) is None


def trained(session: Session, home: Home, *, attempt: int = 1) -> TrainingJob:
    """It took 100 s: 10 steps of 4 s each, and 60 s besides."""
    training = add_training(session, home, said=())
    job = session.get_one(Job, training.id)
    now = clock.now()
    for step in range(1, 11):
        at = now + timedelta(seconds=4 * step)
        session.add(TrainingMetric(job_id=training.id, attempt=1, step=step, loss=1.0, at=at))
    for state in (JobState.STARTING, JobState.RUNNING, JobState.SUCCEEDED):
        queue.move(session, job, state, "test")
    job.attempt = attempt
    training.sample_count, training.started_at, training.completed_at = 40, now, now + timedelta(seconds=100)
    session.flush()
    return training


def test_a_training_that_went_through_tells_of_the_next_one(database: Database, home: Home) -> None:
    with database.transaction() as session:
        training = trained(session, home)
        known = Known.of(session, domain=ADA.domain)
        found = known.expected(Task.of(training))
        assert found is not None
        assert found.seconds == pytest.approx(100.0)
        assert found.source_id == training.id
        assert Known.of(session, domain="another").measures == ()


def test_one_that_stood_still_in_between_tells_nothing(database: Database, home: Home) -> None:
    with database.transaction() as session:
        trained(session, home, attempt=2)
        assert Known.of(session, domain=ADA.domain).measures == ()


def test_a_rehearsal_tells_of_the_training_that_it_rehearsed(database: Database, home: Home) -> None:
    with database.transaction() as session:
        training = add_training(session, home, said=())
        params = {
            "backend": training.backend,
            "options": training.config,
            "training_set_id": training.training_set_id,
            "base_model_id": training.base_model_id,
        }
        job = queue.add(session, NewJob(REHEARSAL, "Rehearse", params, needs_slot=True), by=ADA)
        for state in (JobState.STARTING, JobState.RUNNING):
            queue.move(session, job, state, "test")
        assert Known.of(session, domain=ADA.domain).expected(Task.of(training)) is None
        queue.finish(session, job, {"forecast": FORECAST})
        training.sample_count = 80
        found = Known.of(session, domain=ADA.domain).expected(Task.of(training))
        assert found is not None
        assert (found.seconds, found.source) == (50.0, "rehearsal")
