"""What is said here goes back to the source, once, in order, and never over somebody else's change."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from sqlalchemy import select
from tests.unit.connect.stars import SCOPE, FakeSource, bring, item

from goldsmith.connect import queries, returning
from goldsmith.connect.errors import SourceNotAnswering
from goldsmith.connect.jobs import WriteBackKeeper
from goldsmith.connect.tables import SourceScope, SourceWrite
from goldsmith.connect.types import Said, Scope, WriteState
from goldsmith.people.types import Person
from goldsmith.run.tables import Answer
from goldsmith.stars import service as stars
from goldsmith.stars.types import MarkKind, MarkRequest
from goldsmith.storage import clock
from goldsmith.storage.database import Database
from goldsmith.storage.files import Home


@dataclass
class FakeTwoWay(FakeSource):
    """Keeps how each conquest stands, and counts what is written."""

    stands: dict[str, dict[str, Any]] = field(default_factory=dict)
    num_puts: int = 0
    is_away: bool = False
    meanwhile: dict[str, Any] | None = None
    """What somebody else writes in the moment before the next put."""

    def standing(self, scope: Scope, external_id: str) -> dict[str, Any] | None:
        if self.is_away:
            raise SourceNotAnswering("It is away.")
        return self.stands.get(external_id)

    def wanted(self, before: Mapping[str, Any], said: Said, earlier: Mapping[str, Any] | None) -> dict[str, Any]:
        star = {"star": said.is_star, "by": said.by, "text": said.correction}
        if earlier is not None:
            return dict(earlier)
        return {**before, **star} if before["star"] != said.is_star else {**before, "text": said.correction}

    def put(self, scope: Scope, external_id: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> WriteState:
        self.num_puts += 1
        if self.meanwhile is not None:
            self.stands[external_id], self.meanwhile = self.meanwhile, None
        now = self.stands[external_id]
        if now == dict(after):
            return WriteState.done
        if now != dict(before):
            return WriteState.conflict
        self.stands[external_id] = dict(after)
        return WriteState.done


GOLD = {"star": True, "by": "there", "text": None}


@pytest.fixture
def source(database: Database, home: Home, person: Person) -> FakeTwoWay:
    made = FakeTwoWay([item(number) for number in range(6)])
    made.stands = {each.external_id: dict(GOLD) for each in made.items}
    bring(database, home, made, person)
    return made


def say(database: Database, person: Person, number: int, kind: MarkKind, text: str | None = None) -> None:
    with database.transaction() as session:
        [answer] = session.scalars(select(Answer).where(Answer.text == f"Yes, {number}."))
        stars.mark(session, answer.id, MarkRequest(kind, text), by=person)


def write(database: Database, source: FakeTwoWay) -> dict[str, int]:
    with database.reading() as session:
        [scope] = session.scalars(select(SourceScope))
    return returning.write_back(database, source, scope.id)


def test_nothing_said_is_nothing_written(database: Database, source: FakeTwoWay) -> None:
    assert (write(database, source), source.num_puts) == ({}, 0)


def test_taken_and_given_again(database: Database, person: Person, source: FakeTwoWay) -> None:
    say(database, person, 1, MarkKind.unstar)
    assert write(database, source) == {"done": 1}
    assert source.stands["conquest_1"] == {"star": False, "by": "Ada", "text": None}
    assert (write(database, source), source.num_puts) == ({}, 1)
    say(database, person, 1, MarkKind.star)
    assert write(database, source) == {"done": 1}
    assert source.stands["conquest_1"] == GOLD, "as it was before"


def test_taking_back_leads_before_all_that_was_said(database: Database, person: Person, source: FakeTwoWay) -> None:
    for kind, text in ((MarkKind.correction, "A"), (MarkKind.correction, "B"), (MarkKind.unstar, None)):
        say(database, person, 2, kind, text)
        assert write(database, source) == {"done": 1}
    assert source.stands["conquest_2"] == GOLD


def test_of_several_marks_the_newest_counts(database: Database, person: Person, source: FakeTwoWay) -> None:
    for kind in (MarkKind.unstar, MarkKind.star, MarkKind.unstar):
        say(database, person, 3, kind)
    assert write(database, source) == {"done": 1}
    with database.reading() as session:
        [scope] = session.scalars(select(SourceScope))
        assert queries.write_counts(session, scope.id) == {"superseded": 2, "done": 1}


def test_a_change_made_there_is_a_conflict_and_stays(database: Database, person: Person, source: FakeTwoWay) -> None:
    say(database, person, 1, MarkKind.unstar)
    write(database, source)
    source.stands["conquest_1"] = {"star": True, "by": "somebody there", "text": None}
    say(database, person, 1, MarkKind.correction, "mine")
    assert write(database, source) == {"conflict": 1}
    assert source.stands["conquest_1"]["by"] == "somebody there"
    with database.reading() as session:
        [scope] = session.scalars(select(SourceScope))
        [conflict] = queries.conflicts(session, scope.id)
    assert (conflict.external_id, "changed it there" in conflict.message) == ("conquest_1", True)
    say(database, person, 1, MarkKind.unstar)
    assert write(database, source) == {"done": 1}, "who marks again was told of it"
    assert source.stands["conquest_1"]["star"] is False
    assert source.stands["conquest_1"]["by"] == "Ada", "not as it was before all that, which somebody has changed"


def test_a_change_that_comes_while_it_is_written_is_a_conflict_too(
    database: Database, person: Person, source: FakeTwoWay
) -> None:
    say(database, person, 2, MarkKind.unstar)
    source.meanwhile = {"star": True, "by": "somebody quick", "text": None}
    assert write(database, source) == {"conflict": 1}
    say(database, person, 2, MarkKind.correction, "mine")
    assert write(database, source) == {"done": 1}
    assert source.stands["conquest_2"] == {"star": True, "by": "somebody quick", "text": "mine"}


def test_a_death_between_doing_and_noting_does_nothing_twice(
    database: Database, person: Person, source: FakeTwoWay
) -> None:
    say(database, person, 4, MarkKind.unstar)
    write(database, source)
    with database.transaction() as session:
        [done] = session.scalars(select(SourceWrite))
        done.state = WriteState.planned.value
    was = dict(source.stands)
    assert write(database, source) == {"done": 1}
    assert source.stands == was


def test_a_source_that_is_away_gets_it_later(database: Database, person: Person, source: FakeTwoWay) -> None:
    say(database, person, 5, MarkKind.unstar)
    source.is_away = True
    with pytest.raises(SourceNotAnswering):
        write(database, source)
    keeper = WriteBackKeeper(database, source)
    keeper.tick(clock.now())
    keeper.wait()
    assert source.num_puts == 0
    source.is_away = False
    keeper = WriteBackKeeper(database, source)
    keeper.tick(clock.now())
    keeper.wait()
    assert not source.stands["conquest_5"]["star"]


def test_what_is_gone_there_is_noted(database: Database, person: Person, source: FakeTwoWay) -> None:
    del source.stands["conquest_0"]
    say(database, person, 0, MarkKind.unstar)
    assert write(database, source) == {"gone": 1}
    assert SCOPE.domain == "acme.example"
