"""The way into Aristotle's database: read-only, without a password in any message, told in words."""

import pytest
from pydantic import SecretStr
from sqlalchemy import text

from goldsmith.connect.aristotle import Aristotle
from goldsmith.connect.aristotle.connection import Place, reading, writing
from goldsmith.connect.errors import RoleMayNot, SchemaNotKnown, SourceNotAnswering, SourceNotConnected, WishNotPossible
from goldsmith.connect.types import Scope, Wish
from goldsmith.settings import AristotleSettings
from goldsmith.testing.aristotle import SyntheticAristotle

SECRET = "s3cret-word"


def test_a_url_as_prisma_writes_it_is_understood() -> None:
    place = Place.of(
        f"postgres://reader:{SECRET}@db.example:4002/aristotle_dev?schema=hr&connection_limit=5&sslmode=require"
    )
    assert (place.schema, dict(place.url.query)) == ("hr", {"sslmode": "require"})
    assert str(place) == "aristotle_dev on db.example:4002, as reader"
    assert SECRET not in f"{place!r} {place}"


@pytest.mark.parametrize("written", ["mysql://x/y", "sqlite:///x.db", "not a url", ""])
def test_what_is_no_postgresql_is_refused(written: str) -> None:
    with pytest.raises(SourceNotConnected):
        Place.of(written)


def test_single_settings_stand_for_a_url() -> None:
    assert Aristotle.of(AristotleSettings(database_url=None, db_host=None)) is None
    found = Aristotle.of(
        AristotleSettings(database_url=None, db_host="db.example", db_user="r", db_password=SecretStr(SECRET))
    )
    assert found is not None
    assert str(found.place) == "aristotle_dev on db.example:4002, as r"
    assert found.place.url.password == SECRET


def test_a_server_that_is_not_there_is_told_without_the_password() -> None:
    place = Place.of(f"postgresql://reader:{SECRET}@127.0.0.1:1/aristotle_dev")
    with pytest.raises(SourceNotAnswering, match="as reader does not answer") as caught:
        Aristotle(place).fetch(Wish(Scope("a", "b")))
    assert SECRET not in caught.value.message


@pytest.mark.postgresql
def test_a_visit_cannot_write_unless_it_says_so(synthetic: SyntheticAristotle) -> None:
    place = Place.of(synthetic.url.render_as_string(hide_password=False))
    query = text(f"UPDATE {synthetic.names.conquest} SET title = 'x'")  # noqa: S608  # a name of ours
    with pytest.raises(Exception, match="read-only transaction"), reading(place) as connection:
        connection.execute(query)
    with writing(place) as connection:
        connection.execute(query)


@pytest.mark.postgresql
def test_what_the_database_refuses_is_told_by_family(synthetic: SyntheticAristotle) -> None:
    place = Place.of(synthetic.url.render_as_string(hide_password=False))
    for statement, error in (
        ("SELECT * FROM gone", SchemaNotKnown),
        ("SELECT CAST('x' AS integer)", WishNotPossible),
        ("SET LOCAL statement_timeout = 20; SELECT pg_sleep(5)", SourceNotAnswering),
        ("SET ROLE pg_monitor; SELECT * FROM pg_catalog.pg_authid", RoleMayNot),
    ):
        with pytest.raises(error), reading(place) as connection:
            connection.exec_driver_sql(statement)


@pytest.mark.postgresql
def test_another_schema_is_found_by_its_name(synthetic: SyntheticAristotle) -> None:
    with synthetic.engine.begin() as connection:
        connection.exec_driver_sql('CREATE SCHEMA "h""r"')
    place = Place.of(synthetic.url.render_as_string(hide_password=False))
    there = Place(place.url, schema='h"r')
    with reading(there) as connection:
        assert connection.scalar(text("SELECT current_schema()")) == 'h"r'
    with pytest.raises(SchemaNotKnown, match="a table of conquests"):
        Aristotle(there).fetch(Wish(Scope("a", "b")))
