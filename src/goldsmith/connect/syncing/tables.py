"""Tables of connections: what was read when, every row as the source has it, and which row of a dataset is whose."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from goldsmith.data.tables import Dataset, Row
from goldsmith.storage import clock
from goldsmith.storage.database import Owned, Table


class SourceConnection(Table, Owned):
    """A source with its options, whose rows come into one dataset."""

    __tablename__ = "source_connections"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    name: Mapped[str]
    kind: Mapped[str] = mapped_column(String(32))
    options: Mapped[dict[str, Any]]
    """Without secrets; those are sealed beside the database."""
    question_column: Mapped[str | None]
    answer_column: Mapped[str | None]
    dataset_id: Mapped[str] = mapped_column(ForeignKey(Dataset.id))
    cursor: Mapped[dict[str, Any]]
    """How far it was read; kept with the rows, in their transaction."""
    columns: Mapped[list[Any]]
    """Every column that a row has brought so far, in that order."""
    has_news: Mapped[bool] = mapped_column(default=False)
    """Whether something came in that stands in no version yet."""
    every_minutes: Mapped[int | None]
    next_sync_at: Mapped[datetime | None] = mapped_column(index=True)
    removed_at: Mapped[datetime | None]


class SourceSync(Table):
    """One reading, from the first row to the new version. It has its job's state."""

    __tablename__ = "source_syncs"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    connection_id: Mapped[str] = mapped_column(ForeignKey(SourceConnection.id), index=True)
    job_id: Mapped[str] = mapped_column(String(64), index=True)
    is_scheduled: Mapped[bool] = mapped_column(default=False)
    num_read: Mapped[int] = mapped_column(default=0)
    num_new: Mapped[int] = mapped_column(default=0)
    num_changed: Mapped[int] = mapped_column(default=0)
    num_gone: Mapped[int] = mapped_column(default=0)
    num_not_taken: Mapped[int] = mapped_column(default=0)
    not_taken: Mapped[list[Any]]
    """The first 200: {place, reason}."""
    num_conflicts: Mapped[int] = mapped_column(default=0)
    version_id: Mapped[str | None] = mapped_column(String(64))
    """The version that came of it; of a sync that brought nothing new, none."""
    created_at: Mapped[datetime] = mapped_column(default=clock.now)


class SourceGroup(Table):
    """A part of a source that was read whole, such as a file, with the state that it had."""

    __tablename__ = "source_groups"
    __table_args__ = (UniqueConstraint("connection_id", "name"),)

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    connection_id: Mapped[str] = mapped_column(ForeignKey(SourceConnection.id))
    name: Mapped[str] = mapped_column(String(1024))
    state: Mapped[str]


class SourceItem(Table):
    """A row as the source has it now."""

    __tablename__ = "source_items"
    __table_args__ = (
        UniqueConstraint("connection_id", "source_id"),
        Index("ix_source_items_group", "connection_id", "group_name"),
    )

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    connection_id: Mapped[str] = mapped_column(ForeignKey(SourceConnection.id))
    source_id: Mapped[str]
    group_name: Mapped[str | None] = mapped_column(String(1024))
    place: Mapped[str] = mapped_column(Text, default="")
    content: Mapped[dict[str, Any]]
    content_hash: Mapped[str] = mapped_column(String(64))
    is_seen: Mapped[bool] = mapped_column(default=True)
    """While its group is being read: whether it came."""
    is_gone: Mapped[bool] = mapped_column(default=False)
    sync_id: Mapped[str] = mapped_column(String(64))
    """The sync that brought it as it is."""
    fetched_at: Mapped[datetime]


class RowOrigin(Table):
    """Where a row of a dataset came from. One for each row of a version that a sync made."""

    __tablename__ = "row_origins"
    __table_args__ = (Index("ix_row_origins_source", "connection_id", "source_id"),)

    row_id: Mapped[str] = mapped_column(ForeignKey(Row.id), primary_key=True)
    connection_id: Mapped[str] = mapped_column(ForeignKey(SourceConnection.id))
    source_id: Mapped[str]
    place: Mapped[str] = mapped_column(Text, default="")
    content_hash: Mapped[str] = mapped_column(String(64))
    """Of what the source gave, whatever columns other rows have."""
    sync_id: Mapped[str] = mapped_column(String(64))
    fetched_at: Mapped[datetime]


class SourceConflict(Table):
    """A row that changed in the source after somebody had marked an answer to it here."""

    __tablename__ = "source_conflicts"
    __table_args__ = (UniqueConstraint("connection_id", "source_id", "content_hash"),)

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    connection_id: Mapped[str] = mapped_column(ForeignKey(SourceConnection.id))
    sync_id: Mapped[str] = mapped_column(String(64))
    source_id: Mapped[str]
    row_id: Mapped[str] = mapped_column(ForeignKey(Row.id))
    """The row that was marked, as it was then."""
    new_row_id: Mapped[str] = mapped_column(ForeignKey(Row.id))
    content_hash: Mapped[str] = mapped_column(String(64))
    """Of what the source has now."""
    state: Mapped[str] = mapped_column(String(16))
    """A member of `ConflictState`."""
    decided_by: Mapped[str | None] = mapped_column(String(64))
    decided_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
