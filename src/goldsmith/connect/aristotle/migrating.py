"""Adds to Aristotle's table of conquests which model answered, and takes it away again. Touches nothing else.

What Goldsmith added carries its comment, and only that is ever taken away.
"""

from dataclasses import dataclass

from sqlalchemy import Connection, func, select, text

from goldsmith.connect.aristotle.columns import Tables
from goldsmith.connect.aristotle.connection import Place, layout_of, reading, writing
from goldsmith.connect.aristotle.names import MODEL_COLUMN, Layout
from goldsmith.connect.errors import MigrationRefused

COMMENT = "Added by Goldsmith: the model that answered."
_COMMENT = text(
    "SELECT col_description(a.attrelid, a.attnum) FROM pg_catalog.pg_attribute a"
    " WHERE a.attrelid = to_regclass(quote_ident(:table)) AND a.attname = :column AND NOT a.attisdropped"
)
_IS_TABLE = text("SELECT relkind IN ('r', 'p') FROM pg_catalog.pg_class WHERE oid = to_regclass(quote_ident(:table))")


@dataclass(frozen=True)
class Change:
    """What would be done; nothing where the statements are empty."""

    statements: tuple[str, ...]
    why: str
    num_lost: int = 0
    """Conquests whose model's name is lost by it."""


def plan(place: Place, *, is_back: bool = False) -> Change:
    """What a migration would do, or its way back. Raises MigrationRefused."""
    with reading(place) as connection:
        return _plan(connection, layout_of(connection), is_back)


def migrate(place: Place, *, is_back: bool = False) -> Change:
    """Do it, all in one transaction; returns what was done. Raises MigrationRefused, RoleMayNot."""
    with writing(place) as connection:
        change = _plan(connection, layout_of(connection), is_back)
        for statement in change.statements:
            connection.exec_driver_sql(statement)
        return change


def _plan(connection: Connection, layout: Layout, is_back: bool) -> Change:
    name = layout.conquest.name
    if not connection.scalar(_IS_TABLE, {"table": name}):
        raise MigrationRefused(f"{name} is no table but a view of one, which cannot have a column added.")
    column = layout.conquest.columns.get(MODEL_COLUMN)
    comment = connection.scalar(_COMMENT, {"table": name, "column": column or MODEL_COLUMN})
    return _back(connection, layout, column, comment) if is_back else _forth(name, column, comment)


def _forth(name: str, column: str | None, comment: str | None) -> Change:
    if column is not None:
        whose = "from an earlier migration" if comment == COMMENT else "Aristotle's own"
        return Change((), f"Nothing to do: {name} has the column {column}, {whose}.")
    table, index = _quoted(name), _quoted(f"{name}_{MODEL_COLUMN}_idx")
    return Change(
        (
            f"ALTER TABLE {table} ADD COLUMN {MODEL_COLUMN} VARCHAR(64)",
            f"COMMENT ON COLUMN {table}.{MODEL_COLUMN} IS '{COMMENT}'",
            f"CREATE INDEX {index} ON {table} ({MODEL_COLUMN})",
        ),
        f"{name} gets a column for the id of the model that answered, empty at first, and an index on it.",
    )


def _back(connection: Connection, layout: Layout, column: str | None, comment: str | None) -> Change:
    name = layout.conquest.name
    if column is None:
        return Change((), f"Nothing to do: {name} has no column {MODEL_COLUMN}.")
    if comment != COMMENT:
        raise MigrationRefused(
            f"The column {column} of {name} was not added by Goldsmith, so Goldsmith does not drop it."
        )
    conquest = Tables(layout).conquest
    num = connection.scalar(select(func.count()).where(conquest[MODEL_COLUMN].is_not(None))) or 0
    lost = f" {num:,} conquests say there which model answered; that is lost." if num else ""
    statement = f"ALTER TABLE {_quoted(name)} DROP COLUMN {_quoted(column)}"
    return Change((statement,), f"{name} loses the column {column} and its index.{lost}", num)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
