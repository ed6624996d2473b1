"""A training once more: the same bytes, order and settings, or a sentence about what differs."""

import json
import os
import sys
from pathlib import Path

import pytest
from tests.work import context_of

from goldsmith import app
from goldsmith.environments import machine
from goldsmith.jobs.errors import JobFailed
from goldsmith.jobs.folder import JobFolder
from goldsmith.storage import clock
from goldsmith.storage.database import Database
from goldsmith.storage.files import Home
from goldsmith.train import repeating
from goldsmith.train.errors import NotRepeatable
from goldsmith.train.jobs import TrainingKind
from goldsmith.train.tables import TrainingJob, TrainingMetric
from goldsmith.train.workshop import Workshop
from goldsmith.wire import order

from .small_training import ADA, add_training


@pytest.fixture
def workshop(home: Home) -> Workshop:
    return Workshop(home, app.make_backends(), machine.look())


@pytest.fixture
def first(database: Database, home: Home) -> TrainingJob:
    """A training that was prepared."""
    with database.transaction() as session:
        training = add_training(session, home, said=())
    prepare(database, home, training.id)
    return training


def prepare(database: Database, home: Home, job_id: str) -> None:
    kind = TrainingKind(
        backends=app.make_backends(),
        machine=machine.look(),
        python_of=lambda _: Path(sys.executable),
        parent_env=dict(os.environ),
    )
    kind.work("prepare", context_of(database, home, job_id))


def repeat(database: Database, first: TrainingJob, workshop: Workshop) -> TrainingJob:
    with database.transaction() as session:
        return repeating.again(session, session.get_one(TrainingJob, first.id), workshop=workshop, by=ADA)


def test_it_gets_the_same_bytes_and_the_same_settings(
    database: Database, home: Home, first: TrainingJob, workshop: Workshop
) -> None:
    second = repeat(database, first, workshop)
    assert (second.name, second.config, second.id != first.id) == (f"{first.name} again", first.config, True)
    prepare(database, home, second.id)
    before, after = (order.read(JobFolder.of(home, each.id).order) for each in (first, second))
    assert (after.learn, after.exam, after.settings) == (before.learn, before.exam, before.settings)
    assert after.model_id != before.model_id
    with database.reading() as session:
        found = repeating.original_of(session, session.get_one(TrainingJob, second.id))
        assert found is not None
        assert found.id == first.id
        assert repeating.original_of(session, found) is None


def test_a_repetition_can_be_repeated_under_a_name_that_still_fits(
    database: Database, first: TrainingJob, workshop: Workshop
) -> None:
    with database.transaction() as session:
        session.get_one(TrainingJob, first.id).name = "n" * 255
    assert repeat(database, first, workshop).name == "n" * 249 + " again"


def test_what_differs_is_named_before_anything_heavy_starts(
    database: Database, home: Home, first: TrainingJob, workshop: Workshop
) -> None:
    second = repeat(database, first, workshop)
    path = JobFolder.of(home, first.id).order
    body = json.loads(path.read_text())
    body["learn"]["sha256"] = "0" * 64
    body["settings"]["batch_size"] += 1
    path.write_text(json.dumps(body))
    with pytest.raises(JobFailed, match=r"the rows to learn, the settings differ") as failed:
        prepare(database, home, second.id)
    assert failed.value.kind == "not_the_same"


def test_where_the_earlier_order_is_gone_by_then_it_is_said(
    database: Database, home: Home, first: TrainingJob, workshop: Workshop
) -> None:
    second = repeat(database, first, workshop)
    JobFolder.of(home, first.id).order.unlink()
    with pytest.raises(JobFailed, match="is gone"):
        prepare(database, home, second.id)


def test_one_that_was_never_prepared_cannot_be_repeated(database: Database, home: Home, workshop: Workshop) -> None:
    with database.transaction() as session:
        training = add_training(session, home, said=())
        with pytest.raises(NotRepeatable, match="was not prepared"):
            repeating.again(session, training, workshop=workshop, by=ADA)
        training.training_set_id = None
        with pytest.raises(NotRepeatable, match="no rows yet"):
            repeating.again(session, training, workshop=workshop, by=ADA)


def test_how_far_two_trainings_went_the_same_way_is_the_largest_difference_of_a_loss(
    database: Database, first: TrainingJob, workshop: Workshop
) -> None:
    second = repeat(database, first, workshop)
    with database.transaction() as session:
        assert repeating.largest_difference(session, first, second) is None
        for training, losses in ((first, (2.0, 1.0, 0.5)), (second, (2.0, 1.25))):
            session.add_all(
                TrainingMetric(job_id=training.id, attempt=1, step=step, loss=loss, at=clock.now())
                for step, loss in enumerate(losses, start=1)
            )
        session.flush()
        assert repeating.largest_difference(session, first, second) == pytest.approx(0.25)
