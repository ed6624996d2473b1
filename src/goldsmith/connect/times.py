"""What is begun by itself when it is due. Knows neither what that is nor what for, and asks no source anything."""

import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar, Generic, Protocol, TypeVar

from sqlalchemy.orm import Session

from goldsmith.people.types import Person
from goldsmith.storage.database import Database

EVERY_S = 2.0


What = TypeVar("What")


class Owned(Protocol):
    """A row that says whose it is."""

    created_by: str
    domain: str


def owner(row: Owned) -> Person:
    """In whose name something is begun for it."""
    return Person(row.created_by, "", row.domain)


class TimesKeeper(ABC, Generic[What]):
    """Begins what is due; who inherits says what that is, by its id or ids."""

    name: ClassVar[str]

    def __init__(self, database: Database) -> None:
        self._database = database
        self._next_look = 0.0

    def tick(self, now: datetime) -> None:
        """One look; every two seconds is enough for minutes."""
        if time.monotonic() < self._next_look:
            return
        self._next_look = time.monotonic() + EVERY_S
        with self._database.reading() as session:
            found = list(self.due(session, now))
        for what, by in found:
            with self._database.transaction() as session:
                self.begin(session, what, by=by)

    @abstractmethod
    def due(self, session: Session, now: datetime) -> Sequence[tuple[What, Person]]:
        """What has come to its time and nobody is at, each with the person whose it is."""

    @abstractmethod
    def begin(self, session: Session, what: What, *, by: Person) -> object:
        """Queue its job, so that it is due no more."""
