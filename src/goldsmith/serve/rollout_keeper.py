"""Keeps roll-outs: looks every second how each new model does, goes on by schedule, and rolls back what is worse.

The supervisor ticks it. What should be stands in the database, so a keeper that dies is followed by one that goes on.
"""

import logging
from datetime import datetime, timedelta
from typing import ClassVar

from goldsmith.people.types import Person
from goldsmith.serve import bell, rollouts
from goldsmith.serve.types import RolloutState
from goldsmith.storage.database import Database
from goldsmith.storage.files import Home

EVERY = timedelta(seconds=1)
log = logging.getLogger(__name__)


class RolloutKeeper:
    """The keeper of all roll-outs."""

    name: ClassVar[str] = "rollouts"

    def __init__(self, database: Database, home: Home) -> None:
        self._database = database
        self._home = home
        self._next: datetime | None = None

    def tick(self, now: datetime) -> None:
        """One look at everything that is under way."""
        if self._next is not None and now < self._next:
            return
        self._next = now + EVERY
        with self._database.reading() as session:
            found = [rollout.id for rollout in rollouts.running(session)]
        for rollout_id in found:
            self._look(rollout_id, now)

    def _look(self, rollout_id: str, now: datetime) -> None:
        with self._database.transaction() as session:
            rollout = rollouts.locked(session, rollout_id)
            if rollout.state != RolloutState.RUNNING.value:
                return
            by = Person(rollout.created_by, "Goldsmith", rollout.domain)
            is_changed = rollouts.look(session, rollout, now, by=by)
        if is_changed:
            bell.ring(self._home)
            log.info("roll-out %s: %s", rollout_id, rollout.message)
