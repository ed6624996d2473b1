"""What happens to pairs by itself: where a gateway's portions go, and that what is old is deleted."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import ClassVar

from goldsmith.serve.shadow import service
from goldsmith.serve.shadow.types import Pair
from goldsmith.storage.database import Database

FORGET_EVERY = timedelta(minutes=10)


class PairSink:
    """Writes portions in transactions of their own; called in a thread of the web process."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def __call__(self, pairs: tuple[Pair, ...], dropped: Mapping[tuple[str, str], int]) -> None:
        """Keep these."""
        with self._database.transaction() as session:
            service.store(session, pairs, dropped)


class PairKeeper:
    """Deletes pairs whose days are over."""

    name: ClassVar[str] = "shadow_pairs"

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
