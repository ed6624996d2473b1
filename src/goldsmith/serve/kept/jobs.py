"""What happens to kept traffic by itself: where a gateway's portions go, and that what is old is deleted.

The keeper is ticked by the supervisor, so that it is deleted in time even when nobody asks anything any more.
"""

from datetime import datetime, timedelta
from typing import ClassVar

from goldsmith.serve.kept import service
from goldsmith.serve.kept.types import Handed
from goldsmith.storage.database import Database

FORGET_EVERY = timedelta(minutes=10)


class KeptSink:
    """Writes portions in transactions of their own; called in a thread of the web process."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def __call__(self, handed: Handed) -> None:
        """Keep these."""
        with self._database.transaction() as session:
            service.store(session, handed)


class KeptKeeper:
    """Deletes what is kept no longer."""

    name: ClassVar[str] = "kept"

    def __init__(self, database: Database) -> None:
        self._database = database
        self._next: datetime | None = None

    def tick(self, now: datetime) -> None:
        """Look every few minutes."""
        if self._next is not None and now < self._next <= now + FORGET_EVERY:
            return
        self._next = now + FORGET_EVERY
        with self._database.transaction() as session:
            service.forget_old(session, now)
