"""What comes in by itself, at set times. Knows neither what comes nor from where, and asks no source anything."""

import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy.orm import Session

from goldsmith.people.types import Person
from goldsmith.storage.database import Database

EVERY_S = 2.0


class TimesKeeper(ABC):
    """Begins what is due; who inherits says what that is."""

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
            found = [(each.id, Person(each.created_by, "", each.domain)) for each in self.due(session, now)]
        for each_id, by in found:
            with self._database.transaction() as session:
                self.begin(session, each_id, by=by)

    @abstractmethod
    def due(self, session: Session, now: datetime) -> Sequence[Any]:
        """Rows with an id and an owner whose time has come and that nobody is at."""

    @abstractmethod
    def begin(self, session: Session, each_id: str, *, by: Person) -> object:
        """Queue its job, and say when the next time is."""
