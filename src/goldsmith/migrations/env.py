"""Alembic's entry: runs the revisions over the engine that was handed in, in one transaction. Online only.

SQLite can change a table only by making it anew, which must not count as deleting what others refer to: references are
not watched meanwhile, and checked before the end.
"""

from typing import Any, Literal

from alembic import context
from sqlalchemy import Connection

from goldsmith.migrations.tables import METADATA
from goldsmith.storage.database import UtcTime


def _render_item(kind: str, item: Any, _context: object) -> str | Literal[False]:
    """Write a column type of ours as SQLAlchemy's own, so that a revision never changes with our code."""
    return "sa.DateTime()" if kind == "type" and isinstance(item, UtcTime) else False


def _watch_references(connection: Connection, *, is_on: bool) -> None:
    driver = connection.connection.dbapi_connection  # below SQLAlchemy, because it must be outside a transaction
    if connection.dialect.name == "sqlite" and driver is not None:
        driver.cursor().execute(f"PRAGMA foreign_keys={'ON' if is_on else 'OFF'}")


def _check_references(connection: Connection) -> None:
    if connection.dialect.name != "sqlite":
        return
    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()
    if broken:
        raise RuntimeError(f"After the migration {len(broken)} references lead nowhere, the first: {broken[0]}")


def _run(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=METADATA,
        render_as_batch=True,
        render_item=_render_item,
        compare_type=True,
        compare_server_default=True,
    )
    with context.begin_transaction():
        context.run_migrations()
        _check_references(connection)
    connection.commit()


with context.config.attributes["engine"].connect() as _connection:
    _watch_references(_connection, is_on=False)
    try:
        _run(_connection)
    finally:
        _connection.rollback()  # after a failure; else there is nothing to take back
        _watch_references(_connection, is_on=True)
