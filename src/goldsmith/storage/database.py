"""The database and its one rule: one transaction for one request, written once.

SQLite by default, PostgreSQL by setting. Every transaction that may write begins with BEGIN IMMEDIATE on SQLite: the
driver's own default loses updates silently when two processes read, then write. Reading transactions never write: an
attempt raises. Knows no table.
"""

import json
import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, ClassVar

from sqlalchemy import JSON, DateTime, Dialect, Engine, MetaData, String, create_engine, event
from sqlalchemy.engine import Connection
from sqlalchemy.orm import DeclarativeBase, Mapped, ORMExecuteState, Session, mapped_column
from sqlalchemy.pool import ConnectionPoolEntry
from sqlalchemy.types import TypeDecorator

from goldsmith.storage import clock
from goldsmith.storage.text import storable

SQLITE_TIMEOUT_S = 30
_NO_WRITING = "a reading session was asked to write; use database.transaction()"
_READS = {"goldsmith_reads": True, "postgresql_readonly": True}


class UtcTime(TypeDecorator[datetime]):
    """A moment in UTC; kept without a zone, handed out with one, on both databases."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse a moment without a zone: it would be somebody's local time."""
        del dialect
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment needs its time zone")
        return value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give the zone back."""
        del dialect
        return value.replace(tzinfo=UTC) if value else None


class Table(DeclarativeBase):
    """What every table is made from; ids are strings of at most 64 characters."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_N_label)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        str: String(255),
        datetime: UtcTime(),
        dict[str, Any]: JSON(),
        list[Any]: JSON(),
    }


class Owned:
    """Columns of things that belong to an organisation and were made by a person."""

    domain: Mapped[str] = mapped_column(String(255), index=True)
    created_by: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(UtcTime(), default=clock.now)


class Database:
    """Opens transactions. `session_info` travels with every session (`jobs/queue.py` finds its mirrors there)."""

    def __init__(self, url: str, *, session_info: Mapping[str, Any] | None = None) -> None:
        self.url = url
        self.engine = _make_engine(url)
        self._info = dict(session_info or {})

    @property
    def is_sqlite(self) -> bool:
        """Whether this is SQLite; for backups and doctor, never for a query's text."""
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """A session that may write: committed at the end, rolled back by an exception."""
        with Session(self.engine, expire_on_commit=False, info=dict(self._info)) as session, session.begin():
            yield session

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session that only reads; it blocks nobody."""
        with (
            self.engine.connect().execution_options(**_READS) as connection,
            Session(connection, expire_on_commit=False, info=dict(self._info)) as session,
        ):
            event.listen(session, "before_flush", _refuse_flush)
            event.listen(session, "do_orm_execute", _refuse_write)
            yield session

    @contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """A connection that only reads, and sees the same moment from its first to its last query: for backups."""
        options = dict(_READS) if self.is_sqlite else {**_READS, "isolation_level": "REPEATABLE READ"}
        with self.engine.connect().execution_options(**options) as connection:
            yield connection

    def dispose(self) -> None:
        """Close all connections, also those that a thread gives back later: nobody else would."""
        pool = self.engine.pool
        self.engine.dispose()  # what comes next is in a new pool
        event.listen(pool, "checkin", _close)
        pool.dispose()  # what was given back between the two


def _close(_connection: object, record: ConnectionPoolEntry) -> None:
    record.invalidate()


def _refuse_flush(session: Session, *_: object) -> None:
    if session.new or session.dirty or session.deleted:
        raise RuntimeError(_NO_WRITING)


def _refuse_write(state: ORMExecuteState) -> None:
    if state.is_insert or state.is_update or state.is_delete:
        raise RuntimeError(_NO_WRITING)


def _make_engine(url: str) -> Engine:
    if url.startswith("sqlite"):
        arguments = {"timeout": SQLITE_TIMEOUT_S, "check_same_thread": False}
        engine = create_engine(url, connect_args=arguments, json_serializer=_to_json)
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    else:
        engine = create_engine(url, pool_pre_ping=True, json_serializer=_to_json)
    event.listen(engine, "before_cursor_execute", _keep_texts_storable, retval=True)
    return engine


def _prepare_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # the driver must not begin on its own; see _begin_sqlite
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON", "cache_size=-32000"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    reads = connection.get_execution_options().get("goldsmith_reads", False)
    connection.exec_driver_sql(f"PRAGMA query_only={'ON' if reads else 'OFF'}")
    connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")


def _keep_texts_storable(*call: Any) -> tuple[str, Any]:
    """Whatever a model, a file or an address says: both databases keep and find it under the same text."""
    _connection, _cursor, statement, parameters, _context, _is_many = call
    # Several rows in one INSERT … VALUES count as many too, but their values come flat; only a list is a list of rows.
    is_list = isinstance(parameters, list)
    return statement, [_storable(each) for each in parameters] if is_list else _storable(parameters)


def _storable(parameters: Any) -> Any:
    if isinstance(parameters, Mapping):
        return {name: storable(value) if isinstance(value, str) else value for name, value in parameters.items()}
    return tuple(storable(value) if isinstance(value, str) else value for value in parameters)


def _to_json(value: Any) -> str:
    """What JSON has no word for (NaN, infinity) becomes null, on both databases alike."""
    try:
        return json.dumps(value, allow_nan=False)
    except ValueError:
        return json.dumps(_finite(value), allow_nan=False)


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    return value
