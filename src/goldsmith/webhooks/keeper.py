"""The keeper of webhooks: sees what has ended, writes the messages, and has those sent whose time has come.

It tails what is recorded anyway, so nothing that ends has to think of it. Each message is sent in a thread of its own;
when the supervisor dies in between, the next one sends it once more, with the same id.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Collection
from datetime import datetime
from typing import ClassVar

from sqlalchemy import update
from sqlalchemy.orm import Session

from goldsmith.storage import clock
from goldsmith.storage.database import Database
from goldsmith.storage.files import Home
from goldsmith.webhooks import queries, service
from goldsmith.webhooks.tables import Webhook

EVERY_S = 1.0
SETTLED_AFTER_S = 10.0
"""On PostgreSQL an event with a lower number may become visible after one with a higher; never later than this."""
KEPT_EVERY_S = 30.0
MAX_SENDING = 4
log = logging.getLogger(__name__)


class WebhookKeeper:
    """Looks once a second, and costs nothing while there is no webhook."""

    name: ClassVar[str] = "webhooks"

    def __init__(self, database: Database, home: Home, *, own_hosts: Collection[str] = ()) -> None:
        self._database = database
        self._home = home
        self._own_hosts = tuple(own_hosts)
        self._next_look = 0.0
        self._floor: int | None = None
        self._tops: deque[tuple[float, int]] = deque()
        self._kept_at = 0.0
        self._sending: set[threading.Thread] = set()

    def tick(self, now: datetime) -> None:
        """One look."""
        if time.monotonic() < self._next_look:
            return
        self._next_look = time.monotonic() + EVERY_S
        if self._tell():
            self._send_due(max(now, clock.now()))  # what was written a moment ago is due, too

    def wait(self) -> None:
        """Return when nothing is being sent any more."""
        for thread in list(self._sending):
            thread.join()

    def _tell(self) -> bool:
        """Write messages about what is new. False when nobody wants to be told anything."""
        with self._database.reading() as session:
            webhooks = queries.switched_on(session)
            if not webhooks:
                self._floor = None
                return False
            if self._floor is None:
                self._floor = min(webhook.seen_event_id for webhook in webhooks)
            top = queries.last_event_id(session)
            ends = queries.ends_after(session, self._floor)
            entries = queries.history_after(session, min(webhook.seen_seq for webhook in webhooks))
        if ends or entries:
            with self._database.transaction() as session:
                webhooks = queries.switched_on(session)
                service.tell_ends(session, webhooks, ends)
                service.tell_history(session, webhooks, entries)
        self._settle(ends[-1][0].id if len(ends) == queries.MAX_AT_ONCE else top)
        return True

    def _settle(self, top: int) -> None:
        """Begin the next look behind what is old enough, and keep that from time to time."""
        now = time.monotonic()
        self._tops.append((now, top))
        while self._tops and self._tops[0][0] <= now - SETTLED_AFTER_S:
            self._floor = max(self._floor or 0, self._tops.popleft()[1])
        if now - self._kept_at >= KEPT_EVERY_S and self._floor is not None:
            self._kept_at = now
            with self._database.transaction() as session:
                _keep(session, self._floor)
                service.forget_delivered(session)

    def _send_due(self, now: datetime) -> None:
        self._sending = {thread for thread in self._sending if thread.is_alive()}
        free = MAX_SENDING - len(self._sending)
        if free <= 0:
            return
        with self._database.reading() as session:
            due = queries.due(session, now, limit=free)
        for message_id in due:
            with self._database.transaction() as session:
                is_taken = service.take(session, message_id, now)
            if is_taken:
                thread = threading.Thread(target=self._send, args=(message_id,), name="webhook", daemon=True)
                self._sending.add(thread)
                thread.start()

    def _send(self, message_id: str) -> None:
        try:
            service.deliver(self._database, self._home, message_id, own_hosts=self._own_hosts)
        except Exception:
            log.exception("message %s of a webhook: it is tried again", message_id)


def _keep(session: Session, floor: int) -> None:
    session.execute(update(Webhook).where(Webhook.seen_event_id < floor).values(seen_event_id=floor))
