"""The migrated schema is that of the tables, on every database."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import JSON, Connection, MetaData, insert, inspect, text
from sqlalchemy import Table as SqlTable
from sqlalchemy.exc import SQLAlchemyError
from tests.postgresql import run_sql

import goldsmith
from goldsmith import migrations
from goldsmith.migrations import tables
from goldsmith.storage.database import Database
from goldsmith.storage.text import searchable

VERSIONS = Path(migrations.__file__).parent / "versions"


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    if request.param == "sqlite":
        database = Database(f"sqlite:///{tmp_path / 'empty.db'}")
        yield database
        database.dispose()
        return
    server = request.getfixturevalue("postgresql_server")
    name = f"goldsmith_empty_{tmp_path.name.lower().replace('-', '_')[:40]}"
    run_sql(server, f"CREATE DATABASE {name}")
    database = Database(f"{server}/{name}")
    yield database
    database.dispose()
    run_sql(server, f"DROP DATABASE {name} WITH (FORCE)")


def differences(database: Database) -> list[object]:
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        found: list[object] = compare_metadata(context, tables.METADATA)
        return found


def checks(database: Database) -> set[str | None]:
    found = inspect(database.engine)
    return {check["name"] for table in found.get_table_names() for check in found.get_check_constraints(table)}


def test_the_migrated_schema_is_that_of_the_tables(empty: Database) -> None:
    migrations.upgrade(empty)
    assert differences(empty) == [], "run: make migration"
    assert checks(empty) == {"ck_jobs_state"}


def test_the_created_schema_is_that_of_the_tables(empty: Database) -> None:
    with empty.transaction() as session:
        tables.METADATA.create_all(session.connection())
    assert differences(empty) == []
    assert checks(empty) == {"ck_jobs_state"}


def test_all_revisions_go_up_down_and_up_again(empty: Database) -> None:
    migrations.upgrade(empty)
    assert migrations.current(empty) == migrations.HEAD
    migrations.downgrade(empty, "base")
    assert inspect(empty.engine).get_table_names() == ["alembic_version"]
    assert migrations.current(empty) is None
    migrations.upgrade(empty)
    assert migrations.current(empty) == migrations.HEAD


def test_rows_that_were_there_before_are_found_by_a_search(empty: Database) -> None:
    number = int(next(VERSIONS.glob("*_search_and_sort_answers.py")).name[:4])
    migrations.upgrade(empty, f"{number - 1:04}")
    content = {"message": "Stra\u00dfe\n 5", "n": "A\u0308"}
    with empty.transaction() as session:
        _insert_old(session.connection(), content, text_written="GRO\u0308SSER als\tdas")
    migrations.upgrade(empty, f"{number:04}")
    with empty.reading() as session:
        found = [session.execute(text(f"SELECT search_text FROM {name}")).scalar() for name in ("rows", "answers")]  # noqa: S608
    assert found == [searchable(content.values()), "gr\u00f6sser als das"]
    migrations.downgrade(empty, f"{number - 1:04}")
    with empty.reading() as session:
        assert session.execute(text("SELECT count(*) FROM answers WHERE text LIKE 'GRO%'")).scalar() == 1
        where = [index["dialect_options"] for index in inspect(session.connection()).get_indexes("answers")]
    assert sum(any("where" in name for name in options) for options in where) == 3


def _insert_old(connection: Connection, content: dict[str, str], *, text_written: str) -> None:
    """A row and its answer, and what they belong to, as the revision before has them."""
    old = MetaData()
    old.reflect(connection)
    given: dict[str, dict[str, object]] = {
        "datasets": {"id": "ds_1"},
        "dataset_versions": {"id": "dv_1", "dataset_id": "ds_1"},
        "prompts": {"id": "pr_1"},
        "prompt_versions": {"id": "pv_1", "prompt_id": "pr_1"},
        "runs": {"id": "run_1", "dataset_version_id": "dv_1", "prompt_version_id": "pv_1"},
        "rows": {"id": "row_1", "dataset_version_id": "dv_1", "content": content},
        "answers": {"id": "ans_1", "run_id": "run_1", "row_id": "row_1", "text": text_written},
    }
    for name, values in given.items():
        connection.execute(insert(old.tables[name]), [{**_anything(old.tables[name]), **values}])


def _anything(table: SqlTable) -> dict[str, object]:
    """A value for each column that needs one."""
    fitting: dict[type, object] = {str: "x", int: 1, bool: True, datetime: datetime(2026, 1, 1), float: 1.0}  # noqa: DTZ001
    return {
        column.name: [] if isinstance(column.type, JSON) else fitting[column.type.python_type]
        for column in table.columns
        if not column.nullable
    }


def test_an_empty_database_is_at_no_revision(empty: Database) -> None:
    assert migrations.current(empty) is None


def test_a_migration_that_fails_leaves_nothing(empty: Database) -> None:
    with empty.transaction() as session:
        session.execute(text("CREATE TABLE votes (id INTEGER)"))
    with pytest.raises(SQLAlchemyError):
        migrations.upgrade(empty)
    assert inspect(empty.engine).get_table_names() == ["votes"]


def test_references_are_watched_again_after_a_migration(empty: Database) -> None:
    migrations.upgrade(empty)
    with empty.reading() as session:
        if empty.is_sqlite:
            assert session.execute(text("PRAGMA foreign_keys")).scalar() == 1


def test_the_constant_names_the_newest_script() -> None:
    assert migrations.newest_script() == migrations.HEAD


def test_every_module_of_tables_is_known_to_the_migrations() -> None:
    package = Path(goldsmith.__file__).parent
    found = (path.relative_to(package.parent).with_suffix("") for path in package.rglob("tables.py"))
    there = {".".join(path.parts) for path in found} - {"goldsmith.migrations.tables"}
    assert there == {module.__name__ for module in tables.MODULES}
