"""The line of this machine as people see it: in order, with times where something tells them."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy.orm import Session
from tests.unit.train.small_training import ADA, add_training
from tests.web.loop_rows import MACHINE

from goldsmith.jobs import queue
from goldsmith.jobs.queue import NewJob
from goldsmith.jobs.states import JobState
from goldsmith.jobs.tables import Job
from goldsmith.people.types import Person
from goldsmith.storage import clock
from goldsmith.storage.database import Database
from goldsmith.storage.files import Home
from goldsmith.train import service, waiting
from goldsmith.train.errors import GpuUnknown
from goldsmith.train.recipe import TrainRequest

BOB = Person("per_2", "Bob", "another")
TWO_GPUS = replace(MACHINE, gpus=("NVIDIA A", "NVIDIA B"))


def heavy(session: Session, title: str, *, by: Person = ADA, wanted_slot: str | None = None) -> Job:
    return queue.add(session, NewJob("run", title, {}, needs_slot=True, wanted_slot=wanted_slot), by=by)


def at_work(session: Session, job: Job, *, slot: str = "cpu", progress: float, for_s: float) -> None:
    claimed = queue.claim(session, machine="here", slot=slot)
    assert claimed is job
    queue.move(session, job, JobState.RUNNING, "test")
    job.progress, job.started_at = progress, clock.now() - timedelta(seconds=for_s)
    session.flush()


def test_what_waits_is_told_in_its_order_and_others_keep_their_titles_to_themselves(database: Database) -> None:
    with database.transaction() as session:
        heavy(session, "First")
        heavy(session, "Secret", by=BOB)
        heavy(session, "Last")
        found = waiting.line(session, MACHINE, domain=ADA.domain)
    assert [(one.place, one.title, one.can_rise, one.can_fall) for one in found] == [
        (1, "First", False, True),
        (2, waiting.OTHERS, False, False),
        (3, "Last", True, False),
    ]
    assert [one.begins_in_s for one in found] == [0.0, None, None]


def test_the_pace_of_what_runs_tells_when_the_next_begins(database: Database) -> None:
    with database.transaction() as session:
        running = heavy(session, "Running")
        at_work(session, running, progress=0.25, for_s=100)
        heavy(session, "Next")
        (found,) = waiting.line(session, MACHINE, domain=ADA.domain)
        assert found.begins_in_s == pytest.approx(300, abs=5)
        running.progress = 0.01
        session.flush()
        (found,) = waiting.line(session, MACHINE, domain=ADA.domain)
        assert found.begins_in_s is None


def test_a_training_that_runs_says_itself_how_long_it_will_be(database: Database, home: Home) -> None:
    with database.transaction() as session:
        training = add_training(session, home, said=())
        at_work(session, session.get_one(Job, training.id), progress=0.5, for_s=100)
        training.seconds_left = 42.0
        heavy(session, "Next")
        (found,) = waiting.line(session, MACHINE, domain=ADA.domain)
        assert found.begins_in_s == 42.0


def test_on_two_gpus_two_begin_at_once_and_one_waits_for_the_gpu_that_was_chosen(database: Database) -> None:
    with database.transaction() as session:
        first = heavy(session, "On GPU 1", wanted_slot="gpu1")
        at_work(session, first, slot="gpu1", progress=0.5, for_s=60)
        heavy(session, "Also on GPU 1", wanted_slot="gpu1")
        heavy(session, "Anywhere")
        found = waiting.line(session, TWO_GPUS, domain=ADA.domain)
    assert [one.begins_in_s for one in found] == [pytest.approx(60, abs=5), 0.0]


def test_a_gpu_that_is_not_there_is_refused_with_those_that_are() -> None:
    assert service.slot_of(TrainRequest("tiny", gpu=1), TWO_GPUS) == "gpu1"
    assert service.slot_of(TrainRequest("tiny"), TWO_GPUS) is None
    with pytest.raises(GpuUnknown, match="are 0, 1"):
        service.slot_of(TrainRequest("tiny", gpu=2), TWO_GPUS)
    with pytest.raises(GpuUnknown, match="has none"):
        service.slot_of(TrainRequest("tiny", gpu=0), MACHINE)


def test_only_what_waits_stands_in_the_line(database: Database) -> None:
    with database.transaction() as session:
        job = heavy(session, "One")
        assert waiting.one(session, MACHINE, job) is not None
        at_work(session, job, progress=0.5, for_s=1)
        assert waiting.one(session, MACHINE, job) is None
