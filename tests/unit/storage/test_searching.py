"""A text is found whatever its capitals, and nothing in it is a wildcard, on both databases."""

import pytest
from sqlalchemy import literal, select

from goldsmith.storage.database import Database
from goldsmith.storage.searching import contains


@pytest.mark.parametrize(
    ("text", "is_there"),
    [
        ("where is", True),
        ("PARCEL", True),
        ("100%", True),
        ("100_", False),
        ("%", True),
        ("a/b", True),
        ("\\u00e4", True),
        ("p%l", False),
        ("gone", False),
    ],
)
def test_a_text_is_found_as_it_is_written(database: Database, text: str, is_there: bool) -> None:
    column = literal("Where is my Parcel? 100% a/b \\u00e4")
    with database.reading() as session:
        assert session.scalar(select(1).where(contains(column, text))) == (1 if is_there else None)
