"""What happens with sources by itself: kinds of jobs, syncs at their times, and stars that are written back."""

import logging
import threading
import time
from collections.abc import Callable
from datetime import datetime
from typing import ClassVar

from goldsmith.connect import queries, returning
from goldsmith.connect.aristotle import Aristotle
from goldsmith.connect.bringing.jobs import BringKeeper, BringKind
from goldsmith.connect.executions.jobs import ConquestKind
from goldsmith.connect.offering.jobs import OfferKeeper, OfferKind
from goldsmith.connect.sources import local
from goldsmith.connect.syncing.jobs import SyncKeeper, SyncKind
from goldsmith.connect.types import TwoWay
from goldsmith.errors import GoldsmithError
from goldsmith.jobs.kinds import JobKind, Keeper
from goldsmith.settings import Settings
from goldsmith.storage.database import Database
from goldsmith.storage.files import Home

EVERY_S = 2.0
AGAIN_AFTER_S = 60.0
"""How long a source is left alone that did not answer."""
log = logging.getLogger(__name__)


def kinds_of_sources(make: Callable[[], Aristotle | None], settings: Settings, home: Home) -> list[JobKind]:
    """What is done with sources in a worker."""
    surroundings = local.surroundings(settings, home)
    return [ConquestKind(make), BringKind(make), SyncKind(surroundings), OfferKind(surroundings)]


def keepers_of_source(database: Database, make: Callable[[], Aristotle | None]) -> list[Keeper]:
    """The keepers of what comes in by itself, and the one that writes stars back, where the settings ask for it.

    Settings that cannot be used stop nobody.
    """
    times: list[Keeper] = [SyncKeeper(database), OfferKeeper(database), BringKeeper(database)]
    try:
        source = make()
    except GoldsmithError as error:
        log.warning("No stars are written back. %s", error.message)
        return times
    return [*times, WriteBackKeeper(database, source)] if source is not None and source.is_written_back else times


class WriteBackKeeper:
    """Looks every two seconds; asks the source only where something is to be written, in a thread of its own."""

    name: ClassVar[str] = "write_back"

    def __init__(self, database: Database, source: TwoWay) -> None:
        self._database = database
        self._source = source
        self._next_look = 0.0
        self._thread: threading.Thread | None = None

    def tick(self, now: datetime) -> None:
        """One look."""
        del now
        if time.monotonic() < self._next_look or (self._thread is not None and self._thread.is_alive()):
            return
        self._next_look = time.monotonic() + EVERY_S
        waiting = self._waiting()
        if waiting:
            self._thread = threading.Thread(target=self._write, args=(waiting,), name="write-back", daemon=True)
            self._thread.start()

    def wait(self) -> None:
        """Return when nothing is being written any more."""
        if self._thread is not None:
            self._thread.join()

    def _waiting(self) -> list[str]:
        with self._database.reading() as session:
            ids = [scope.id for scope in queries.scopes(session, source=self._source.name)]
            return [each for each in ids if queries.planned(session, each) or queries.unwritten(session, each)]

    def _write(self, scope_ids: list[str]) -> None:
        for scope_id in scope_ids:
            try:
                returning.write_back(self._database, self._source, scope_id)
            except GoldsmithError as error:
                log.warning("Stars could not be written to %s: %s", self._source.title, error.message)
                self._next_look = time.monotonic() + AGAIN_AFTER_S
