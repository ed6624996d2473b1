"""Is a text in a column, whatever its capitals? Written for each database in the words that it answers quickest.

SQLite's LIKE looks past the capitals of ASCII by itself, as its `lower` would, in half the time. Knows no table.
"""

from typing import Any

from sqlalchemy import Boolean, ColumnElement, literal
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement


def contains(column: ColumnElement[Any] | InstrumentedAttribute[Any], text: str) -> ColumnElement[bool]:
    """Whether `text` stands anywhere in the column; nothing in it is a wildcard."""
    escaped = "".join(f"/{char}" if char in "/%_" else char for char in text)
    return _Contains(column, literal(f"%{escaped}%"))


class _Contains(FunctionElement[bool]):
    """A column and a pattern."""

    name = "contains"
    type = Boolean()
    inherit_cache = True


@compiles(_Contains)
def _like(element: _Contains, compiler: SQLCompiler, **more: Any) -> str:
    column, pattern = (compiler.process(each, **more) for each in element.clauses)
    return f"({column} ILIKE {pattern} ESCAPE '/')"


@compiles(_Contains, "sqlite")
def _like_on_sqlite(element: _Contains, compiler: SQLCompiler, **more: Any) -> str:
    column, pattern = (compiler.process(each, **more) for each in element.clauses)
    return f"({column} LIKE {pattern} ESCAPE '/')"
