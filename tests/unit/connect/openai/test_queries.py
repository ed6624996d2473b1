"""What a move has made is found again: what is whole, and what is being read; not what was given up or hidden."""

from collections.abc import Callable

import pytest
from sqlalchemy.orm import Session

from goldsmith.connect.openai import queries
from goldsmith.data import service as data
from goldsmith.data.tables import DatasetVersion
from goldsmith.data.types import ImportRequest, Upload
from goldsmith.jobs import queue
from goldsmith.jobs.states import JobState
from goldsmith.jobs.tables import Job
from goldsmith.jobs.types import JobFailure
from goldsmith.people.types import Person
from goldsmith.storage.database import Database

SHA = "a" * 64


def nothing(*_: object) -> None:
    pass


def complete(session: Session, version: DatasetVersion, job: Job) -> None:
    version.is_complete = True


def give_up(session: Session, version: DatasetVersion, job: Job) -> None:
    queue.move(session, job, JobState.STARTING, "test")
    queue.fail(session, job, JobFailure("x", "x", "x"))


def complete_and_hide(session: Session, version: DatasetVersion, job: Job) -> None:
    version.is_complete = True
    data.delete(session, version.dataset_id, by=Person("per_1", "Ada", "local"))


@pytest.mark.parametrize(
    ("happens", "is_found"), [(nothing, True), (complete, True), (give_up, False), (complete_and_hide, False)]
)
def test_a_version_is_found_while_it_counts_or_will(
    database: Database, person: Person, happens: Callable[..., None], is_found: bool
) -> None:
    request = ImportRequest(Upload(SHA, "x.jsonl", 1), "x", answer_column="answer")
    with database.transaction() as session:
        version, job = data.start_import(session, request, by=person)
        happens(session, version, job)
    with database.reading() as session:
        found = queries.version_of(session, SHA, answer_column="answer", domain=person.domain)
        assert (found is not None and found.id == version.id) is is_found
        assert queries.version_of(session, SHA, answer_column=None, domain=person.domain) is None
        assert queries.version_of(session, SHA, answer_column="answer", domain="elsewhere") is None
