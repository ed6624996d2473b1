"""Aristotle's tables for queries: every name quoted, every value bound. Asks nothing itself."""

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Boolean, ColumnElement, Text, cast, column, func, literal, table
from sqlalchemy.dialects.postgresql import JSON, JSONB, TIMESTAMP
from sqlalchemy.sql.elements import quoted_name
from sqlalchemy.sql.type_api import TypeEngine
from sqlalchemy.types import Uuid

from goldsmith.connect.aristotle.names import Found, Layout
from goldsmith.connect.types import Scope

STAR = "conquest_analysis"
"""What `analysis_type` says of a rating of a conquest."""
_TEXTS = ("text", "character varying", "character", "citext")
_TYPES: dict[str, TypeEngine[Any]] = {
    "uuid": Uuid(as_uuid=False),
    "integer": BigInteger(),
    "bigint": BigInteger(),
    "jsonb": JSONB(),
    "json": JSON(),
    "boolean": Boolean(),
    "timestamp with time zone": TIMESTAMP(timezone=True),
    "timestamp without time zone": TIMESTAMP(timezone=False),
}


class Named:
    """A table whose columns are asked for by our words."""

    def __init__(self, found: Found, alias: str) -> None:
        self.found = found
        names = dict.fromkeys(found.columns.values())
        kinds = {found.columns[word]: kind for word, kind in found.types.items()}
        columns = [column(quoted_name(name, True), _TYPES.get(kinds[name], Text())) for name in names]
        self.table = table(quoted_name(found.name, True), *columns).alias(alias)

    def __getitem__(self, word: str) -> ColumnElement[Any]:
        return self.table.c[self.found.columns[word]]

    def text(self, word: str) -> ColumnElement[Any]:
        """The column as a text, whatever its type; null where there is no such column."""
        if not self.found.has(word):
            return cast(literal(None), Text)
        return self[word] if self.found.types[word] in _TEXTS else cast(self[word], Text)

    def moment(self, *words: str) -> ColumnElement[Any]:
        """The first of these that is there and not null, with its zone; what has none is UTC."""
        there = [cast(self[word], TIMESTAMP(timezone=True)) for word in words if self.found.has(word)]
        return func.coalesce(*there) if there else cast(literal(None), TIMESTAMP(timezone=True))

    def among(self, word: str, ids: Collection[str]) -> ColumnElement[bool]:
        """Whether the column is one of these; what cannot be a value of its type is none."""
        return self[word].in_(usable(self.found.types[word], ids))

    def is_of(self, scope: Scope) -> ColumnElement[bool]:
        """Whether the row belongs to the scope."""
        return (self.text("philosopher") == scope.philosopher) & (self.text("domain") == scope.domain)


class Tables:
    """The four tables of a layout."""

    def __init__(self, layout: Layout) -> None:
        self.conquest = Named(layout.conquest, "c")
        self.rating = Named(layout.rating, "r")
        self.prompt = Named(layout.prompt, "p")
        self.answer = Named(layout.answer, "a")

    def belongs(self, part: Named) -> ColumnElement[bool]:
        """Whether a row of another table is one of the conquest."""
        same = part.found.types["key"] == self.conquest.found.types["id"]
        return part["key"] == self.conquest["id"] if same else part.text("key") == self.conquest.text("id")

    def is_star(self) -> ColumnElement[bool]:
        """Which ratings are gold stars, whosever."""
        rating = self.rating
        starred = rating["is_gold_star"] & rating["use_as_sample_response"]
        return starred & (rating.text("analysis_type") == STAR)

    def is_gold(self, scope: Scope) -> ColumnElement[bool]:
        """Which ratings are gold stars of the scope."""
        return self.rating.is_of(scope) & self.is_star()


def usable(kind: str, ids: Collection[str]) -> Sequence[Any]:
    """The ids as values of a column's type; an id that cannot be one is left away."""
    if kind == "uuid":
        return [each for each in ids if _is_uuid(each)]
    if kind in ("integer", "bigint"):
        return [int(each) for each in ids if each.isascii() and each.lstrip("-").isdigit() and len(each) <= 18]
    return list(ids)


def _is_uuid(written: str) -> bool:
    try:
        UUID(written)
    except ValueError:
        return False
    return True
