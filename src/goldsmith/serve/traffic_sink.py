"""Where a gateway's counts go: into the database, in a transaction of their own. Made by `app.py` for each process."""

from collections.abc import Callable, Mapping
from datetime import datetime

from goldsmith.serve import traffic
from goldsmith.serve.counts import Counts, TrafficKey
from goldsmith.storage import clock
from goldsmith.storage.database import Database
from goldsmith.storage.ids import Prefix, new_id


class TrafficSink:
    """Keeps what one process counted, and forgets what is old once an hour."""

    def __init__(self, database: Database, *, days: int, now: Callable[[], datetime] = clock.now) -> None:
        self._database = database
        self._days = days
        self._now = now
        self._writer = new_id(Prefix.TRAFFIC_WRITER)
        self._pruned_at = 0

    def __call__(self, counted: Mapping[TrafficKey, Counts]) -> None:
        """Keep these."""
        now = self._now()
        minute = int(now.timestamp() // 60)
        with self._database.transaction() as session:
            traffic.store(session, self._writer, counted)
            if traffic.is_time_to_prune(minute, self._pruned_at):
                traffic.prune(session, before=traffic.oldest(now, self._days))
                self._pruned_at = minute
