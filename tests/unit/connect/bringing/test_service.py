"""When a scope's stars come in by themselves, and that they are brought by one job at a time."""

from datetime import timedelta

import pytest
from tests.unit.connect.stars import FakeSource, bring_first, item

from goldsmith.connect.bringing import service as bringing
from goldsmith.connect.errors import ScopeNotFound
from goldsmith.connect.syncing.errors import ConnectionNotUsable
from goldsmith.jobs import queue
from goldsmith.jobs.states import JobState
from goldsmith.jobs.tables import Job
from goldsmith.jobs.types import StopRequest
from goldsmith.people.types import Person
from goldsmith.storage import clock
from goldsmith.storage.database import Database
from goldsmith.storage.files import Home


@pytest.fixture
def scope_id(database: Database, home: Home, person: Person) -> str:
    return bring_first(database, home, FakeSource([item(1)]), person)


def test_the_first_time_is_at_once_and_the_next_when_it_was_said(
    database: Database, person: Person, scope_id: str
) -> None:
    with database.transaction() as session:
        assert bringing.due(session, clock.now()) == []
        bringing.schedule(session, scope_id, 60, by=person)
        assert [each.id for each in bringing.due(session, clock.now())] == [scope_id]
        job = bringing.bring(session, scope_id, by=person)
        assert bringing.due(session, clock.now() + timedelta(minutes=61)) == [], "it is not over yet"
        queue.ask_to_stop(session, job, StopRequest.CANCEL)
        assert bringing.due(session, clock.now() + timedelta(minutes=59)) == []
        assert [each.id for each in bringing.due(session, clock.now() + timedelta(minutes=61))] == [scope_id]
        assert bringing.newest(session, [scope_id])[scope_id].id == job.id
        bringing.schedule(session, scope_id, None, by=person)
        assert bringing.due(session, clock.now() + timedelta(days=999)) == []


def test_who_asks_while_it_waits_gets_the_job_that_is_there(database: Database, person: Person, scope_id: str) -> None:
    with database.transaction() as session:
        first = bringing.bring(session, scope_id, by=person)
        assert bringing.bring(session, scope_id, by=person).id == first.id
        assert session.query(Job).filter_by(kind=bringing.KIND, state=JobState.QUEUED.value).count() == 1


@pytest.mark.parametrize("minutes", [0, -5, 10**7])
def test_what_is_no_time_between_two_is_refused(
    database: Database, person: Person, scope_id: str, minutes: int
) -> None:
    with database.transaction() as session, pytest.raises(ConnectionNotUsable):
        bringing.schedule(session, scope_id, minutes, by=person)


def test_stars_of_another_organisation_are_not_there(database: Database, scope_id: str) -> None:
    with database.transaction() as session, pytest.raises(ScopeNotFound):
        bringing.bring(session, scope_id, by=Person("per_x", "Eve", "other.example"))
