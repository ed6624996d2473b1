"""Names are quoted, values are bound, and an id that cannot be one of a column is none."""

from sqlalchemy import select
from sqlalchemy.dialects import postgresql

from goldsmith.connect.aristotle.columns import Named, usable
from goldsmith.connect.aristotle.names import Found
from goldsmith.connect.types import Scope

EVIL = 'x"; DROP TABLE y; --'


def test_ids_fit_their_column() -> None:
    uuid = "00000000-0000-0000-0000-000000000001"
    assert usable("uuid", ["conquest_1", uuid, ""]) == [uuid]
    assert usable("bigint", ["12", "-3", "x", "1" * 30, "²"]) == [12, -3]
    assert usable("text", ["a", ""]) == ["a", ""]


def test_names_are_quoted_and_values_are_bound() -> None:
    words = {"philosopher": EVIL, "domain": "domain"}
    named = Named(Found(EVIL, words, dict.fromkeys(words, "text")), "c")
    compiled = select(named["domain"]).where(named.is_of(Scope(EVIL, "d"))).compile(dialect=postgresql.dialect())  # type: ignore[no-untyped-call]
    assert 'FROM "x""; DROP TABLE y; --" AS c' in str(compiled)
    assert 'c."x""; DROP TABLE y; --" = ' in str(compiled)
    assert EVIL in compiled.params.values()


def test_a_column_that_is_not_there_is_null() -> None:
    named = Named(Found("t", {"id": "id"}, {"id": "uuid"}), "t")
    text = str(select(named.text("title"), named.moment("updated_at"), named.text("id")))
    assert text.count("CAST(:param_1 AS TEXT)") == 1
    assert 'CAST(t."id" AS TEXT)' in text
