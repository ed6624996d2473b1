"""The work of a sync, and the keeper that begins those whose time has come.

The stage reads, keeps, makes a version where something is new, stars its good answers, and writes down conflicts. Each
of these goes on where the database says, so a worker that was killed is simply started again.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy.orm import Session

from goldsmith.connect.sources.types import Batch, OpenSource, Since, Surroundings
from goldsmith.connect.syncing import merging, queries, service, starring, telling
from goldsmith.connect.syncing.errors import ConnectionNotFound
from goldsmith.connect.syncing.tables import SourceConnection, SourceSync
from goldsmith.connect.syncing.types import SYNC_JOB
from goldsmith.connect.syncing.versions import Writing
from goldsmith.connect.times import TimesKeeper, owner
from goldsmith.data.errors import TooMuchMemory
from goldsmith.data.jobs import MEMORY_LIMIT_BYTES, limit_memory
from goldsmith.errors import GoldsmithError
from goldsmith.jobs.kinds import LightKind, WorkContext
from goldsmith.jobs.types import Stage
from goldsmith.people.types import Person
from goldsmith.stars.jobs import author_of

READ, WRITTEN = 0.5, 0.8
"""How far a sync is when everything is read, and when the version is written; then come the stars."""


class SyncKind(LightKind):
    """Reads a connection."""

    name: ClassVar[str] = SYNC_JOB
    stages: ClassVar[tuple[Stage, ...]] = (Stage("read"),)

    def __init__(self, surroundings: Surroundings, *, memory_limit_bytes: int | None = MEMORY_LIMIT_BYTES) -> None:
        self._surroundings = surroundings
        self._memory_limit_bytes = memory_limit_bytes

    def work(self, stage: str, context: WorkContext) -> Mapping[str, Any]:
        """Raises what the source raises, ConnectionNotFound, and what making a run of good answers raises."""
        del stage
        if self._memory_limit_bytes is not None:
            limit_memory(self._memory_limit_bytes)
        try:
            return Sync(context, self._surroundings).run()
        except MemoryError as error:
            raise TooMuchMemory("Reading the source takes too much memory.") from error


class Sync:
    """One sync, from the first batch to the counts at its end."""

    def __init__(self, context: WorkContext, surroundings: Surroundings) -> None:
        self._context = context
        self._surroundings = surroundings
        self._connection_id = context.job.subject_id or ""

    def run(self) -> Mapping[str, Any]:
        """Read on from where the last reading came to; then version, stars and conflicts."""
        with self._context.transaction() as session:
            by = author_of(session, self._context)
            connection = self._connection(session.get_one(SourceConnection, self._connection_id))
            sync_id = queries.sync_of(session, self._context.job.id).id
            since = Since(connection.cursor, queries.groups(session, connection.id))
        source = service.opened(self._context.home, connection).source(self._surroundings)
        trouble = self._arrange(connection, source)
        for batch in source.fetch(since):
            with self._context.transaction() as session:
                connection = self._connection(session.get_one(SourceConnection, self._connection_id))
                sync = session.get_one(SourceSync, sync_id)
                merging.merge(session, connection, sync, batch)
                num_read = sync.num_read
            self._context.report(READ * _share(batch, num_read), f"{num_read:,} rows read")
            if self._context.should_stop():
                return {}
        counts = self._end(sync_id, by)
        if trouble is not None:  # what there is has come in; that nobody will tell us of more has to be known
            raise trouble
        return counts

    def _arrange(self, connection: SourceConnection, source: OpenSource) -> GoldsmithError | None:
        """Have the source tell us what changes; no more where the connection was removed in the meantime."""
        trouble = telling.arrange(self._context.home, connection, source)
        with self._context.database.reading() as session:
            now = session.get_one(SourceConnection, self._connection_id)
            if now.removed_at is not None:
                telling.leave(self._context.home, connection, source)
        return trouble

    def _end(self, sync_id: str, by: Person) -> Mapping[str, Any]:
        context = self._context
        with context.database.reading() as session:
            connection = session.get_one(SourceConnection, self._connection_id)
            num_rows = queries.num_items(session, [connection.id]).get(connection.id, 0)

        def say(word: str, begin: float, end: float, num: int) -> None:
            context.report(begin + (end - begin) * min(1.0, num / max(1, num_rows)), f"{num:,} rows {word}")

        if connection.has_news and num_rows:
            writing = Writing(context.transaction, connection.id, sync_id, by=by)
            writing.run(context.should_stop, lambda num: say("written", READ, WRITTEN, num))
        with context.database.reading() as session:
            # Also one that an earlier sync wrote, and died or failed before its answers were starred.
            version_id = queries.newest_version(session, connection.dataset_id)
        if context.should_stop():
            return {}
        if version_id is not None:
            self._judge(sync_id, version_id, by, lambda num: say("starred", WRITTEN, 1.0, num))
        with context.database.reading() as session:
            sync = session.get_one(SourceSync, sync_id)
            names = ("num_read", "num_new", "num_changed", "num_gone", "num_not_taken", "num_conflicts", "version_id")
            return {name: getattr(sync, name) for name in names}

    def _judge(self, sync_id: str, version_id: str, by: Person, report: Callable[[int], None]) -> None:
        with self._context.transaction() as session:
            starring.note_conflicts(session, self._connection_id, session.get_one(SourceSync, sync_id), version_id)
        starring.star(
            self._context.transaction, self._connection_id, version_id, by=by, watch=(self._context.should_stop, report)
        )

    def _connection(self, found: SourceConnection) -> SourceConnection:
        if found.removed_at is not None:
            raise ConnectionNotFound(f"{found.name} was removed.")
        return found


def _share(batch: Batch, num_read: int) -> float:
    """How much is read. Of a source that does not know how much it has: more with every row, so that it is seen to get
    further, which forgives deaths.
    """
    return batch.share if batch.share is not None else num_read / (num_read + 20_000)


class SyncKeeper(TimesKeeper[str]):
    """Begins the syncs whose time has come."""

    name: ClassVar[str] = "syncs"

    def due(self, session: Session, now: datetime) -> Sequence[tuple[str, Person]]:
        """Connections whose time has come and that are not being read."""
        return [(each.id, owner(each)) for each in queries.due(session, now)]

    def begin(self, session: Session, what: str, *, by: Person) -> object:
        """Queue its reading."""
        return service.sync(session, what, by=by, is_scheduled=True)
