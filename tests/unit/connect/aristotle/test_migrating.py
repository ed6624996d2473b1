"""The one column is added and taken away, whatever the table is called; nothing else changes."""

from typing import Any

import pytest
from sqlalchemy import text

from goldsmith.connect.aristotle import checking, migrating
from goldsmith.connect.aristotle.connection import Place
from goldsmith.connect.errors import MigrationRefused, RoleMayNot
from goldsmith.testing.aristotle import SyntheticAristotle

pytestmark = pytest.mark.postgresql
SCHEMA = text(
    "SELECT table_name, column_name, data_type, column_default FROM information_schema.columns"
    " WHERE table_schema = 'public' ORDER BY 1, 2"
)
INDEXES = text("SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1")


@pytest.fixture
def place(synthetic: SyntheticAristotle) -> Place:
    return Place.of(synthetic.url.render_as_string(hide_password=False))


def looked_at(synthetic: SyntheticAristotle) -> tuple[set[tuple[Any, ...]], set[str]]:
    with synthetic.engine.connect() as connection:
        return {tuple(row) for row in connection.execute(SCHEMA)}, set(connection.scalars(INDEXES))


def test_forth_and_back(synthetic: SyntheticAristotle, place: Place) -> None:
    columns, indexes = looked_at(synthetic)
    planned = migrating.plan(place)
    assert len(planned.statements) == 3
    assert looked_at(synthetic) == (columns, indexes), "a plan changes nothing"
    assert migrating.migrate(place) == planned
    more_columns, more_indexes = looked_at(synthetic)
    table = synthetic.names.conquest.strip('"')
    assert more_columns - columns == {(table, "fine_tuned_model_id", "character varying", None)}
    assert len(more_indexes - indexes) == 1
    assert checking.check(place).has_model_column
    again = migrating.migrate(place)
    assert (again.statements, "Nothing to do" in again.why) == ((), True)
    migrating.migrate(place, is_back=True)
    assert looked_at(synthetic) == (columns, indexes)
    assert migrating.migrate(place, is_back=True).statements == ()


def test_what_is_lost_is_counted_before(synthetic: SyntheticAristotle, place: Place) -> None:
    synthetic.fill(3, philosopher="a", domain="b")
    migrating.migrate(place)
    with synthetic.engine.begin() as connection:
        connection.execute(text(f"UPDATE {synthetic.names.conquest} SET fine_tuned_model_id = 'ftm_1'"))  # noqa: S608
    assert "3 conquests say there which model answered; that is lost" in migrating.plan(place, is_back=True).why


def test_a_column_of_aristotles_own_is_never_dropped(synthetic: SyntheticAristotle, place: Place) -> None:
    with synthetic.engine.begin() as connection:
        connection.exec_driver_sql(f"ALTER TABLE {synthetic.names.conquest} ADD COLUMN fine_tuned_model_id varchar(64)")
    assert "Aristotle's own" in migrating.plan(place).why
    with pytest.raises(MigrationRefused, match="was not added by Goldsmith"):
        migrating.migrate(place, is_back=True)


def test_a_view_is_left_alone(synthetic: SyntheticAristotle, place: Place) -> None:
    with synthetic.engine.begin() as connection:
        connection.exec_driver_sql(f"ALTER TABLE {synthetic.names.conquest} RENAME TO hidden")
        connection.exec_driver_sql(f"CREATE VIEW {synthetic.names.conquest} AS TABLE hidden")
    with pytest.raises(MigrationRefused, match="no table but a view"):
        migrating.plan(place)


def test_all_or_nothing(synthetic: SyntheticAristotle, place: Place) -> None:
    """The index cannot be made, so the column is not there either."""
    table = synthetic.names.conquest.strip('"')
    with synthetic.engine.begin() as connection:
        connection.exec_driver_sql(f'CREATE TABLE "{table}_fine_tuned_model_id_idx" (x int)')
    before = looked_at(synthetic)
    with pytest.raises(Exception, match="already exists"):
        migrating.migrate(place)
    assert looked_at(synthetic) == before


def test_who_does_not_own_the_table_may_not(synthetic: SyntheticAristotle, place: Place) -> None:
    with synthetic.engine.begin() as connection:
        role = f"reader_{connection.scalar(text('SELECT current_database()'))}"
        connection.exec_driver_sql(f"CREATE ROLE {role} LOGIN")
        connection.exec_driver_sql(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}")
    reader = Place(place.url.set(username=role))
    try:
        facts = checking.check(reader)
        assert (facts.may_change_table, facts.tables["rating"].rights) == (False, ("SELECT",))
        with pytest.raises(RoleMayNot):
            migrating.migrate(reader)
    finally:
        with synthetic.engine.begin() as connection:
            connection.exec_driver_sql(f"DROP OWNED BY {role}")
            connection.exec_driver_sql(f"DROP ROLE {role}")
