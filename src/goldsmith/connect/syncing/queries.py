"""Every SELECT on connections, their syncs, and what came of them."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session, aliased

from goldsmith.connect.syncing.errors import ConflictNotFound, ConnectionNotFound
from goldsmith.connect.syncing.tables import (
    RowOrigin,
    SourceConflict,
    SourceConnection,
    SourceGroup,
    SourceItem,
    SourceSync,
)
from goldsmith.connect.syncing.types import SYNC_JOB, ConflictState
from goldsmith.data.tables import DatasetVersion, Row
from goldsmith.jobs.states import JobState
from goldsmith.jobs.tables import Job
from goldsmith.run.tables import Answer, Run
from goldsmith.run.types import RunKindName
from goldsmith.stars import queries as star_queries
from goldsmith.stars.tables import Mark

IDS_AT_ONCE = 500
BY_SOURCE = ("import", "source")
"""How marks are made that follow what a source or a file says; all others were made by hand."""


def that_was(session: Session, connection_id: str, *, domain: str) -> SourceConnection:
    """A connection, also one that was removed. Raises ConnectionNotFound."""
    found = session.get(SourceConnection, connection_id)
    return found if found is not None and found.domain == domain else one(session, connection_id, domain=domain)


def one(session: Session, id_or_name: str, *, domain: str, for_update: bool = False) -> SourceConnection:
    """A connection that was not removed. Raises ConnectionNotFound."""
    query = select(SourceConnection).where(
        SourceConnection.domain == domain,
        SourceConnection.removed_at.is_(None),
        (SourceConnection.id == id_or_name) | (SourceConnection.name == id_or_name),
    )
    found = session.scalar((query.with_for_update() if for_update else query).order_by(SourceConnection.id).limit(1))
    if found is None:
        raise ConnectionNotFound(f"There is no connection {id_or_name[:100]!r}.")
    return found


def page(session: Session, *, domain: str) -> list[SourceConnection]:
    """All connections that were not removed, newest first."""
    query = select(SourceConnection).where(SourceConnection.domain == domain, SourceConnection.removed_at.is_(None))
    return list(session.scalars(query.order_by(SourceConnection.id.desc())))


def all_there(session: Session) -> list[SourceConnection]:
    """All connections of every organisation that were not removed."""
    return list(session.scalars(select(SourceConnection).where(SourceConnection.removed_at.is_(None))))


def due(session: Session, now: datetime) -> list[SourceConnection]:
    """Connections whose time has come and that are not being read, those that wait longest first."""
    at_work = exists().where(Job.subject_id == SourceConnection.id, Job.kind == SYNC_JOB, Job.state.in_(_NOT_OVER))
    query = select(SourceConnection).where(
        SourceConnection.next_sync_at <= now, SourceConnection.removed_at.is_(None), ~at_work
    )
    return list(session.scalars(query.order_by(SourceConnection.next_sync_at).limit(50)))


def under_way(session: Session, connection_id: str) -> Job | None:
    """The job that reads a connection now, or waits for its turn."""
    query = select(Job).where(Job.subject_id == connection_id, Job.kind == SYNC_JOB, Job.state.in_(_NOT_OVER))
    return session.scalar(query.order_by(Job.id).limit(1))


_NOT_OVER = [state.value for state in JobState if not state.is_over or state is JobState.PAUSED]


def syncs(session: Session, connection_id: str, *, limit: int = 20) -> list[tuple[SourceSync, Job]]:
    """The syncs of a connection with their jobs, newest first."""
    query = select(SourceSync, Job).join(Job, Job.id == SourceSync.job_id)
    found = session.execute(
        query.where(SourceSync.connection_id == connection_id).order_by(SourceSync.id.desc()).limit(limit)
    )
    return [(row[0], row[1]) for row in found]


def newest_syncs(session: Session, connection_ids: Sequence[str]) -> dict[str, tuple[SourceSync, Job]]:
    """The newest sync of each connection that has one."""
    later = aliased(SourceSync)
    is_newest = ~exists().where(later.connection_id == SourceSync.connection_id, later.id > SourceSync.id)
    query = select(SourceSync, Job).join(Job, Job.id == SourceSync.job_id)
    found = session.execute(query.where(SourceSync.connection_id.in_(connection_ids), is_newest))
    return {row[0].connection_id: (row[0], row[1]) for row in found}


def sync_of(session: Session, job_id: str) -> SourceSync:
    """The sync that a job does."""
    return session.scalars(select(SourceSync).where(SourceSync.job_id == job_id)).one()


def groups(session: Session, connection_id: str) -> dict[str, str]:
    """Every group that was read whole, with the state that it had."""
    query = select(SourceGroup.name, SourceGroup.state).where(SourceGroup.connection_id == connection_id)
    return {row[0]: row[1] for row in session.execute(query)}


def items_of(session: Session, connection_id: str, source_ids: Iterable[str]) -> Mapping[str, SourceItem]:
    """What is known of some rows of a source."""
    query = select(SourceItem).where(
        SourceItem.connection_id == connection_id, SourceItem.source_id.in_(list(source_ids))
    )
    return {item.source_id: item for item in session.scalars(query)}


def items_after(session: Session, connection_id: str, after: int, *, limit: int) -> list[SourceItem]:
    """Rows that the source has now, in the order in which they first came."""
    query = select(SourceItem).where(
        SourceItem.connection_id == connection_id, SourceItem.id > after, SourceItem.is_gone.is_(False)
    )
    return list(session.scalars(query.order_by(SourceItem.id).limit(limit)))


def num_items(session: Session, connection_ids: Sequence[str]) -> dict[str, int]:
    """How many rows each source has now."""
    query = (
        select(SourceItem.connection_id, func.count())
        .where(SourceItem.connection_id.in_(connection_ids), SourceItem.is_gone.is_(False))
        .group_by(SourceItem.connection_id)
    )
    return {row[0]: int(row[1]) for row in session.execute(query)}


def origin(session: Session, row_id: str, *, domain: str) -> tuple[RowOrigin, SourceConnection] | None:
    """Where a row came from; None for one that no sync brought."""
    query = select(RowOrigin, SourceConnection).join(SourceConnection, SourceConnection.id == RowOrigin.connection_id)
    found = session.execute(query.where(RowOrigin.row_id == row_id, SourceConnection.domain == domain)).first()
    return (found[0], found[1]) if found is not None else None


def origins(session: Session, row_ids: Sequence[str]) -> dict[str, tuple[RowOrigin, SourceConnection]]:
    """Of rows that syncs brought, where they came from. The rows are the caller's own already."""
    made: dict[str, tuple[RowOrigin, SourceConnection]] = {}
    query = select(RowOrigin, SourceConnection).join(SourceConnection, SourceConnection.id == RowOrigin.connection_id)
    for start in range(0, len(row_ids), IDS_AT_ONCE):
        found = session.execute(query.where(RowOrigin.row_id.in_(row_ids[start : start + IDS_AT_ONCE])))
        made.update({row[0].row_id: (row[0], row[1]) for row in found})
    return made


def marked_otherwise(session: Session, connection_id: str) -> list[tuple[RowOrigin, SourceItem]]:
    """Rows that somebody marked by hand, where the source has other texts and nobody was told; of each the newest."""
    told = exists().where(
        SourceConflict.connection_id == RowOrigin.connection_id,
        SourceConflict.source_id == RowOrigin.source_id,
        SourceConflict.content_hash == SourceItem.content_hash,
    )
    says = Mark.is_star | Mark.is_bad | Mark.correction.is_not(None)
    query = (
        select(RowOrigin, SourceItem)
        .join(
            SourceItem,
            (SourceItem.connection_id == RowOrigin.connection_id) & (SourceItem.source_id == RowOrigin.source_id),
        )
        .where(
            RowOrigin.connection_id == connection_id,
            SourceItem.is_gone.is_(False),
            SourceItem.content_hash != RowOrigin.content_hash,
            exists().where(Mark.row_id == RowOrigin.row_id, Mark.via.not_in(BY_SOURCE), says, star_queries.is_newest()),
            ~told,
        )
        .order_by(RowOrigin.row_id)
    )
    newest = {row[1].source_id: (row[0], row[1]) for row in session.execute(query)}
    return list(newest.values())


def marks_by_hand(session: Session, connection_id: str, source_ids: Sequence[str]) -> dict[str, tuple[Mark, RowOrigin]]:
    """By id in the source: the newest mark that somebody made by hand on an answer that came under it."""
    query = (
        select(Mark, RowOrigin)
        .join(RowOrigin, RowOrigin.row_id == Mark.row_id)
        .join(Run, Run.id == Mark.run_id)
        .where(
            Run.kind == RunKindName.IMPORTED.value,
            RowOrigin.connection_id == connection_id,
            RowOrigin.source_id.in_(source_ids),
            Mark.via.not_in(BY_SOURCE),
            star_queries.is_newest(),
        )
        .order_by(Mark.id)
    )
    return {row[1].source_id: (row[0], row[1]) for row in session.execute(query)}


def old_stars(session: Session, connection_id: str, run_id: str, *, limit: int) -> list[Mark]:
    """Stars that came with rows of earlier versions and that nobody has touched by hand."""
    query = (
        select(Mark)
        .join(RowOrigin, RowOrigin.row_id == Mark.row_id)
        .where(
            RowOrigin.connection_id == connection_id,
            Mark.run_id != run_id,
            Mark.via.in_(BY_SOURCE),
            Mark.is_star,
            star_queries.is_newest(),
        )
        .order_by(Mark.id)
        .limit(limit)
    )
    return list(session.scalars(query))


def marks_in_force(session: Session, found: SourceConflict) -> list[Mark]:
    """What people said by hand about the rows that a conflict is about, and still say."""
    query = (
        select(Mark)
        .join(RowOrigin, RowOrigin.row_id == Mark.row_id)
        .where(
            RowOrigin.connection_id == found.connection_id,
            RowOrigin.source_id == found.source_id,
            RowOrigin.content_hash != found.content_hash,
            Mark.is_star | Mark.is_bad | Mark.correction.is_not(None),
            star_queries.is_newest(),
        )
    )
    return list(session.scalars(query))


def imported_answers(session: Session, row_id: str) -> list[Answer]:
    """Good answers that came with a row."""
    query = select(Answer).join(Run, Run.id == Answer.run_id)
    return list(session.scalars(query.where(Answer.row_id == row_id, Run.kind == RunKindName.IMPORTED.value)))


def rows_of_version(session: Session, version_id: str, source_ids: Sequence[str]) -> dict[str, str]:
    """By id in the source: the row of a version."""
    query = select(RowOrigin.source_id, RowOrigin.row_id).join(Row, Row.id == RowOrigin.row_id)
    made: dict[str, str] = {}
    for start in range(0, len(source_ids), IDS_AT_ONCE):
        some = source_ids[start : start + IDS_AT_ONCE]
        found = session.execute(query.where(Row.dataset_version_id == version_id, RowOrigin.source_id.in_(some)))
        made.update({row[0]: row[1] for row in found})
    return made


def newest_version(session: Session, dataset_id: str) -> str | None:
    """The newest version of a dataset that a sync has made."""
    query = select(DatasetVersion.id).where(
        DatasetVersion.dataset_id == dataset_id,
        DatasetVersion.is_complete,
        exists().where(SourceSync.version_id == DatasetVersion.id),
    )
    return session.scalar(query.order_by(DatasetVersion.number.desc()).limit(1))


def open_conflict(session: Session, connection_id: str, source_id: str) -> SourceConflict | None:
    """The conflict of a source's row that nobody has decided."""
    query = select(SourceConflict).where(
        SourceConflict.connection_id == connection_id,
        SourceConflict.source_id == source_id,
        SourceConflict.state == ConflictState.OPEN.value,
    )
    return session.scalar(query.limit(1))


def conflicts(session: Session, connection_id: str, *, limit: int = 50) -> list[SourceConflict]:
    """Conflicts that nobody has decided, oldest first."""
    query = select(SourceConflict).where(
        SourceConflict.connection_id == connection_id, SourceConflict.state == ConflictState.OPEN.value
    )
    return list(session.scalars(query.order_by(SourceConflict.id).limit(limit)))


def num_conflicts(session: Session, connection_ids: Sequence[str]) -> dict[str, int]:
    """How many conflicts of each connection nobody has decided."""
    query = (
        select(SourceConflict.connection_id, func.count())
        .where(SourceConflict.connection_id.in_(connection_ids), SourceConflict.state == ConflictState.OPEN.value)
        .group_by(SourceConflict.connection_id)
    )
    return {row[0]: int(row[1]) for row in session.execute(query)}


def conflict(session: Session, connection_id: str, conflict_id: int) -> SourceConflict:
    """One conflict of a connection. Raises ConflictNotFound."""
    found = session.get(SourceConflict, conflict_id, with_for_update=True)
    if found is None or found.connection_id != connection_id:
        raise ConflictNotFound(f"There is no conflict {conflict_id} of this connection.")
    return found
