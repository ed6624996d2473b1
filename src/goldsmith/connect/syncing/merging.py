"""Keeps what a source gave: new rows, changed rows, and rows that are gone, each told by its id and its content's hash.

A batch, its counts and the cursor behind it are one transaction of the caller's, so that after any death reading goes
on behind what is kept, and a row that comes twice changes nothing.
"""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.orm import Session

from goldsmith.connect.sources.types import Batch, FoundRow, NotTaken
from goldsmith.connect.syncing import queries
from goldsmith.connect.syncing.tables import SourceConnection, SourceGroup, SourceItem, SourceSync
from goldsmith.storage import clock
from goldsmith.storage.text import storable

MAX_LISTED = 200


def merge(session: Session, connection: SourceConnection, sync: SourceSync, batch: Batch) -> None:
    """Keep a batch. Both rows were read in this transaction."""
    if batch.is_begun:
        _begin_group(session, connection.id, batch.group)
    _list(sync, batch.not_taken)
    before = (sync.num_new, sync.num_changed)
    for rows in _in_parts(batch.rows):
        _keep(session, connection, sync, batch.group, rows)
    sync.num_read += len(batch.rows) + len(batch.not_taken)
    num_gone = _end_group(session, connection.id, batch.group) if batch.is_ended else 0
    sync.num_gone += num_gone
    if batch.is_ended or batch.group_state is not None:
        _note_state(session, connection.id, batch.group or "", batch.group_state)
    if num_gone or (sync.num_new, sync.num_changed) != before:
        connection.has_news = True
    connection.cursor = dict(batch.cursor)
    session.flush()


def hash_of(values: Mapping[str, str]) -> str:
    """What tells whether a row has changed; the order of its columns does not."""
    return hashlib.sha256(orjson.dumps(values, option=orjson.OPT_SORT_KEYS)).hexdigest()


def _in_parts(rows: Sequence[FoundRow]) -> list[Sequence[FoundRow]]:
    return [rows[start : start + queries.IDS_AT_ONCE] for start in range(0, len(rows), queries.IDS_AT_ONCE)]


def _keep(
    session: Session, connection: SourceConnection, sync: SourceSync, group: str | None, rows: Sequence[FoundRow]
) -> None:
    known = dict(queries.items_of(session, connection.id, [row.source_id for row in rows]))
    new: dict[str, dict[str, Any]] = {}
    columns = dict.fromkeys(connection.columns)
    for row in rows:
        content = {storable(name): storable(text) for name, text in row.values.items()}
        columns.update(dict.fromkeys(content))
        made = _values(connection.id, sync.id, group, row, content)
        item = known.get(row.source_id)
        if row.source_id in new or (item is not None and item.is_seen and _is_same_group(item, group)):
            _list(sync, [NotTaken(row.place, f"another row has the id {row.source_id[:80]!r} as well")])
        elif item is None:
            new[row.source_id] = made
            sync.num_new += 1
        else:
            sync.num_changed += _update(item, made, is_in_group=group is not None)
    if new:
        session.execute(insert(SourceItem), list(new.values()))
    if len(columns) != len(connection.columns):
        connection.columns = list(columns)
    session.flush()


def _is_same_group(item: SourceItem, group: str | None) -> bool:
    return group is not None and item.group_name == group


def _values(
    connection_id: str, sync_id: str, group: str | None, row: FoundRow, content: Mapping[str, str]
) -> dict[str, Any]:
    return {
        "connection_id": connection_id,
        "source_id": row.source_id,
        "group_name": group,
        "place": storable(row.place),
        "content": dict(content),
        "content_hash": hash_of(content),
        "is_seen": group is not None,
        "is_gone": False,
        "sync_id": sync_id,
        "fetched_at": clock.now(),
    }


def _update(item: SourceItem, made: Mapping[str, Any], *, is_in_group: bool) -> bool:
    """Whether the row has changed; one that was gone and is back has."""
    has_changed = item.is_gone or item.content_hash != made["content_hash"]
    if has_changed:
        for name, value in made.items():
            setattr(item, name, value)
    item.is_seen, item.group_name, item.place = is_in_group, made["group_name"], made["place"]
    return has_changed


def _begin_group(session: Session, connection_id: str, group: str | None) -> None:
    of_group = (SourceItem.connection_id == connection_id, SourceItem.group_name == group)
    session.execute(update(SourceItem).where(*of_group, SourceItem.is_seen).values(is_seen=False))


def _end_group(session: Session, connection_id: str, group: str | None) -> int:
    """Rows of the group that did not come are gone; returns how many."""
    missed = (
        SourceItem.connection_id == connection_id,
        SourceItem.group_name == group,
        SourceItem.is_seen.is_(False),
        SourceItem.is_gone.is_(False),
    )
    num = session.scalar(select(func.count()).select_from(SourceItem).where(*missed)) or 0
    if num:
        session.execute(update(SourceItem).where(*missed).values(is_gone=True))
    return num


def _note_state(session: Session, connection_id: str, name: str, state: str | None) -> None:
    of_group = (SourceGroup.connection_id == connection_id, SourceGroup.name == name)
    session.execute(delete(SourceGroup).where(*of_group))
    if state is not None:
        session.add(SourceGroup(connection_id=connection_id, name=name, state=state[:255]))


def _list(sync: SourceSync, not_taken: Sequence[NotTaken]) -> None:
    sync.num_not_taken += len(not_taken)
    room = MAX_LISTED - len(sync.not_taken)
    if room > 0 and not_taken:
        listed = [{"place": storable(each.place), "reason": storable(each.reason)} for each in not_taken[:room]]
        sync.not_taken = [*sync.not_taken, *listed]
