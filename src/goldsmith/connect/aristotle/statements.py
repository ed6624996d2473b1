"""The statements that write into Aristotle's tables: names found in its catalogue and quoted, every value bound.

A value is sent as a text without a type, so that PostgreSQL takes the column's own: an enum, a uuid, jsonb.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, text

from goldsmith.connect.aristotle.columns import Named
from goldsmith.storage import clock


def dated(named: Named, values: Mapping[str, Any], *, is_new: bool = False) -> dict[str, Any]:
    """The values with the moments at which a row is made and changed, as far as there are such columns."""
    words = ("created_at", "updated_at") if is_new else ("updated_at",)
    return {**values, **{word: clock.now() for word in words if named.found.has(word)}}


def update(connection: Connection, named: Named, values: Mapping[str, Any], where: Mapping[str, Any]) -> None:
    """Change the rows that `where` says."""
    columns = named.found.columns
    new = ", ".join(f"{quoted(columns[word])} = :new_{word}" for word in values)
    key = " AND ".join(f"{quoted(columns[word])} = :key_{word}" for word in where)
    bound = {f"new_{word}": value for word, value in values.items()}
    bound.update({f"key_{word}": value for word, value in where.items()})
    connection.execute(text(f"UPDATE {quoted(named.found.name)} SET {new} WHERE {key}"), bound)  # noqa: S608


def insert(connection: Connection, named: Named, values: Mapping[str, Any]) -> None:
    """Write a row."""
    columns = ", ".join(quoted(named.found.columns[word]) for word in values)
    places = ", ".join(f":{word}" for word in values)
    connection.execute(text(f"INSERT INTO {quoted(named.found.name)} ({columns}) VALUES ({places})"), dict(values))  # noqa: S608


def delete(connection: Connection, named: Named, where: Mapping[str, Any]) -> None:
    """Delete the rows that `where` says."""
    key = " AND ".join(f"{quoted(named.found.columns[word])} = :{word}" for word in where)
    connection.execute(text(f"DELETE FROM {quoted(named.found.name)} WHERE {key}"), dict(where))  # noqa: S608


def quoted(name: str) -> str:
    """A name as SQL has it, in a statement in which a colon would begin a parameter."""
    return '"' + name.replace('"', '""').replace(":", "\\:") + '"'
