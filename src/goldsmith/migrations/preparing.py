"""What happens to the schema when a process of Goldsmith begins: made, brought up to date after a copy, or refused."""

import sqlite3
from contextlib import closing
from pathlib import Path

from goldsmith import migrations
from goldsmith.errors import Conflict
from goldsmith.storage.database import Database


class SchemaIsOlder(Conflict):
    """The database has an older schema than this version of Goldsmith, and is not migrated without being asked."""

    title = "The database must be migrated first"
    default_hint = "Make a backup, then run: goldsmith migrate"


def prepare(database: Database, url: str, *, may_migrate_postgresql: bool = False) -> str | None:
    """Bring the schema up to date. Returns a sentence when something was done.

    SQLite is backed up first. PostgreSQL is migrated only when asked: raises SchemaIsOlder.
    """
    revision = migrations.current(database)
    if revision == migrations.HEAD:
        return None
    if revision is None:
        migrations.upgrade(database)
        return "Made a new database."
    if not database.is_sqlite and not may_migrate_postgresql:
        raise SchemaIsOlder(f"The database is at revision {revision}, this version needs {migrations.HEAD}.")
    copy = _copy_sqlite(url, revision) if database.is_sqlite else None
    migrations.upgrade(database)
    kept = f" A copy from before lies at {copy}." if copy else ""
    return f"Migrated the database from revision {revision} to {migrations.HEAD}.{kept}"


def _copy_sqlite(url: str, revision: str) -> Path:
    source = Path(url.removeprefix("sqlite:///"))
    copy = source.with_name(f"{source.stem}.before-{revision}.db")
    with closing(sqlite3.connect(source)) as old, closing(sqlite3.connect(copy)) as new:
        old.backup(new)
    return copy
