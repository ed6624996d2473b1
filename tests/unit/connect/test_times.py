"""What is due is begun in its owner's name, each in a transaction of its own, and not looked for at every tick."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import pytest
from sqlalchemy.orm import Session

from goldsmith.connect import times
from goldsmith.connect.times import TimesKeeper, owner
from goldsmith.people.types import Person
from goldsmith.storage import clock
from goldsmith.storage.database import Database


@dataclass
class Due:
    id: str
    created_by: str = "per_1"
    domain: str = "acme.example"


class Keeper(TimesKeeper[str]):
    name = "tests"
    num_looks = 0

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.begun: list[tuple[str, Person, Session]] = []

    def due(self, session: Session, now: datetime) -> Sequence[tuple[str, Person]]:
        self.num_looks += 1
        return [(each.id, owner(each)) for each in (Due("a"), Due("b"))]

    def begin(self, session: Session, what: str, *, by: Person) -> object:
        self.begun.append((what, by, session))
        return None


def test_each_is_begun_for_its_owner_in_a_transaction_of_its_own(database: Database) -> None:
    keeper = Keeper(database)
    keeper.tick(clock.now())
    expected = Person("per_1", "", "acme.example")
    assert [(each_id, by) for each_id, by, _ in keeper.begun] == [("a", expected), ("b", expected)]
    assert keeper.begun[0][2] is not keeper.begun[1][2]


def test_it_looks_again_only_after_a_while(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    keeper = Keeper(database)
    for _ in range(3):
        keeper.tick(clock.now())
    assert keeper.num_looks == 1
    monkeypatch.setattr(times, "EVERY_S", 0.0)
    again = Keeper(database)
    for _ in range(3):
        again.tick(clock.now())
    assert again.num_looks == 3
