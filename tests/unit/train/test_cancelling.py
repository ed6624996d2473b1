"""A cancel that the provider has not heard is brought to it, until it says that it stopped."""

import json
import os
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.orm import Session
from tests.work import context_of

from goldsmith import app
from goldsmith.environments import machine
from goldsmith.jobs import queries as jobs
from goldsmith.jobs import queue
from goldsmith.jobs.folder import JobFolder
from goldsmith.jobs.types import StopRequest
from goldsmith.storage import clock
from goldsmith.storage.database import Database
from goldsmith.storage.files import Home
from goldsmith.testing import FakeProvider, Fault
from goldsmith.train.cancelling import CancelKeeper
from goldsmith.train.jobs import TrainingKind

from .small_training import add_training_at_provider

pytestmark = pytest.mark.enable_socket
NOW = clock.now()


@pytest.fixture
def there() -> Iterator[FakeProvider]:
    with FakeProvider() as provider:
        yield provider


@pytest.fixture
def kind() -> TrainingKind:
    return TrainingKind(
        backends=app.make_backends(),
        machine=machine.look(),
        python_of=lambda _: Path(sys.executable),
        parent_env=dict(os.environ),
    )


class Cancelled:
    """A training that was cancelled before its program could say so at the provider."""

    def __init__(self, database: Database, home: Home, kind: TrainingKind, there: FakeProvider) -> None:
        self.database, self.there = database, there
        self.num_starts = 0
        with database.transaction() as session:
            self.id = add_training_at_provider(session, home, there.url).id
        kind.work("prepare", context_of(database, home, self.id))
        self.folder = JobFolder.of(home, self.id)

        def launch(*asked: Any) -> Any:
            self.num_starts += 1
            return kind.launch(*asked)

        self.keeper = CancelKeeper(database, home, launch=launch)
        with database.transaction() as session:
            queue.ask_to_stop(session, self.row(session), StopRequest.CANCEL)

    def row(self, session: Session) -> Any:
        return jobs.one(session, self.id)

    @property
    def message(self) -> str:
        with self.database.reading() as session:
            return str(self.row(session).message)

    def begin_there(self) -> None:
        """As the program leaves it that was killed after it had begun."""
        wish = {"model": "small-1", "training_file": "file-0", "metadata": {"goldsmith_job": self.id}}
        self.there.files["file-0"] = ("x", b"")
        self.there.answer("POST", "/fine_tuning/jobs", {}, json.dumps(wish).encode())
        self.folder.provider.write_text(json.dumps({"is_begun": True}))

    def tick_until_heard(self) -> None:
        end, passed = time.monotonic() + 60, timedelta()
        while "is cancelled at the provider" not in self.message:
            assert time.monotonic() < end, self.message
            self.keeper.tick(NOW + passed)
            passed += timedelta(seconds=5)
            time.sleep(0.1)


@pytest.fixture
def cancelled(database: Database, home: Home, kind: TrainingKind, there: FakeProvider) -> Cancelled:
    return Cancelled(database, home, kind, there)


def test_what_was_begun_and_not_written_down_is_found_and_cancelled(cancelled: Cancelled, there: FakeProvider) -> None:
    cancelled.begin_there()
    cancelled.tick_until_heard()
    assert [job["status"] for job in there.begun] == ["cancelled"]
    starts = cancelled.num_starts
    cancelled.keeper.tick(NOW + timedelta(days=1))
    assert cancelled.num_starts == starts == 1


def test_it_is_brought_again_when_the_provider_does_not_answer(cancelled: Cancelled, there: FakeProvider) -> None:
    cancelled.begin_there()
    there.faults.append(Fault("GET", "/fine_tuning/jobs", 401, {"error": {"message": "not now"}}))
    cancelled.tick_until_heard()
    assert cancelled.num_starts == 2
    assert [job["status"] for job in there.begun] == ["cancelled"]


@pytest.mark.parametrize("begun", [None, {"files": {}}, {"job": "ftjob-1", "is_over": True}])
def test_where_nothing_goes_on_there_nothing_is_started(cancelled: Cancelled, begun: dict[str, Any] | None) -> None:
    if begun is not None:
        cancelled.folder.provider.write_text(json.dumps(begun))
    cancelled.keeper.tick(NOW)
    assert cancelled.num_starts == 0


def test_a_training_that_goes_on_is_left_alone(cancelled: Cancelled, database: Database) -> None:
    cancelled.begin_there()
    with database.transaction() as session:
        queue.again(session, cancelled.row(session), "resumed")
    cancelled.keeper.tick(NOW)
    assert cancelled.num_starts == 0
