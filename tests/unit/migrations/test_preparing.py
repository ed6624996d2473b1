"""The schema when a process begins: made, brought up to date after a copy, or refused."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import text

from goldsmith import migrations
from goldsmith.migrations import preparing
from goldsmith.migrations.tables import METADATA
from goldsmith.storage.database import Database


def test_a_new_database_is_made_whole(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'goldsmith.db'}"
    database = Database(url)
    assert preparing.prepare(database, url) == "Made a new database."
    assert preparing.prepare(database, url) is None
    database.dispose()


def test_an_older_sqlite_file_is_copied_before_it_is_migrated(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'goldsmith.db'}"
    database = Database(url)
    migrations.upgrade(database, "0016")
    said = preparing.prepare(database, url)
    copy = tmp_path / "goldsmith.before-0016.db"
    assert said == f"Migrated the database from revision 0016 to {migrations.HEAD}. A copy from before lies at {copy}."
    with closing(sqlite3.connect(copy)) as kept:
        assert kept.execute("SELECT version_num FROM alembic_version").fetchone() == ("0016",)
    assert migrations.current(database) == migrations.HEAD
    database.dispose()


@pytest.mark.postgresql
def test_postgresql_is_migrated_only_when_asked(postgresql_url: str) -> None:
    database = Database(postgresql_url)
    with database.transaction() as session:
        for statement in (
            "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)",
            "INSERT INTO alembic_version VALUES ('0000')",
        ):
            session.execute(text(statement))
    with pytest.raises(preparing.SchemaIsOlder) as refused:
        preparing.prepare(database, postgresql_url)
    assert "goldsmith migrate" in refused.value.hint
    with database.transaction() as session:
        session.execute(text("DELETE FROM alembic_version"))
        for table in reversed(METADATA.sorted_tables):
            table.drop(session.connection())
    assert preparing.prepare(database, postgresql_url, may_migrate_postgresql=True) == "Made a new database."
    database.dispose()
