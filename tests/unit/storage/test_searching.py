"""A text is found as plain text is in Python, and nothing in it is a wildcard, on both databases."""

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import literal, select

from goldsmith.storage.database import Database
from goldsmith.storage.searching import contains
from goldsmith.storage.text import plain, searchable, storable


@pytest.mark.parametrize(
    ("text", "is_there"),
    [
        ("where is", True),
        ("PARCEL", False),
        ("100%", True),
        ("100_", False),
        ("%", True),
        ("a/b", True),
        ("\\u00e4", True),
        ("p%l", False),
        ("gone", False),
    ],
)
def test_a_text_is_found_exactly_as_it_is_written(database: Database, text: str, is_there: bool) -> None:
    column = literal("where is my parcel? 100% a/b \\u00e4")
    with database.reading() as session:
        assert session.scalar(select(1).where(contains(column, text))) == (1 if is_there else None)


LETTERS = "aAbIiß%_/\\'\" \n\u00e4A\u0308\u0308Éé\u0130\u0131ςΣσ\ufb01日🌟\0\ud800"


@given(st.lists(st.text(LETTERS, max_size=12), max_size=3), st.text(LETTERS, max_size=4))
@example(["Stra\u00dfe"], "STRASSE")
@example(["Mu\u0308ller"], "M\u00dcLLER")
@example(["one", "two"], "one two")
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_both_databases_find_what_python_finds(database: Database, texts: list[str], text: str) -> None:
    wanted = plain(text)
    is_there = any(plain(storable(text)) in plain(storable(each)) for each in texts)
    with database.reading() as session:
        found = session.scalar(select(1).where(contains(literal(searchable(texts)), wanted)))
    assert wanted == "" or (found == 1) == is_there


def test_capitals_spaces_and_stored_accents_make_no_difference_and_accents_do() -> None:
    assert plain("  Stra\u00dfe\n 5 ") == plain("STRASSE 5") == "strasse 5"
    assert plain("u\u0308ber") == plain("\u00dcBER")
    assert plain("\u00fcber") != plain("uber")
