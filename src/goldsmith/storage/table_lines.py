"""Tables as lines of JSON and back, the same for both databases: for backups.

A line is one row, its columns by name. A column that is NULL is left out, so that a JSON column that says `null` can be
told from one that says nothing. Knows no table; `storage/archive.py` calls it.
"""

import json
from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from typing import Any, BinaryIO

from sqlalchemy import JSON, Column, Connection, Table, func, insert, null, select

from goldsmith.storage.database import UtcTime
from goldsmith.storage.errors import ArchiveRefused

BATCH_ROWS = 500
MAX_LINE_BYTES = 256 * 1024 * 1024


def write(connection: Connection, table: Table, file: BinaryIO) -> int:
    """Write every row, in the order of the primary key; returns how many."""
    columns = list(table.columns)
    says_nothing = [column.is_(null()) for column in columns]
    query = select(*columns, *says_nothing).order_by(*table.primary_key.columns)
    num_rows = 0
    for row in connection.execute(query, execution_options={"yield_per": BATCH_ROWS}):
        values = zip(columns, row, row[len(columns) :], strict=False)
        line = {column.name: _to_json(value) for column, value, is_null in values if not is_null}
        file.write(json.dumps(line).encode("ascii") + b"\n")
        num_rows += 1
    return num_rows


def read(connection: Connection, table: Table, file: BinaryIO) -> int:
    """Insert every row into the empty table; returns how many. Raises ArchiveRefused."""
    num_rows = 0
    rows = _rows(table, file)
    while batch := list(islice(rows, BATCH_ROWS)):
        connection.execute(insert(table), batch)
        num_rows += len(batch)
    return num_rows


def go_on_counting(connection: Connection, table: Table) -> None:
    """Let a counted primary key go on behind the rows that were inserted; SQLite does so by itself."""
    counted = table.autoincrement_column
    if counted is None or connection.dialect.name != "postgresql":
        return
    sequence = func.pg_get_serial_sequence(table.name, counted.name)
    newest = select(func.max(counted)).scalar_subquery()
    connection.execute(select(func.setval(sequence, func.coalesce(newest, 1), newest.is_not(None))))


def _rows(table: Table, file: BinaryIO) -> Iterator[dict[str, Any]]:
    number = 0
    while line := file.readline(MAX_LINE_BYTES + 1):
        number += 1
        if len(line) > MAX_LINE_BYTES or not line.endswith(b"\n"):
            raise ArchiveRefused(f"Row {number} of the table {table.name} is cut off or too long.")
        try:
            yield _row(table, json.loads(line))
        except (ValueError, TypeError) as error:
            raise ArchiveRefused(f"Row {number} of the table {table.name} cannot be read: {error}") from error


def _row(table: Table, line: Any) -> dict[str, Any]:
    if not isinstance(line, dict) or not line.keys() <= set(table.columns.keys()):
        raise ValueError(f"it has not the columns {', '.join(table.columns.keys())}")
    return {column.name: _from_json(column, line) for column in table.columns}


def _to_json(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


def _from_json(column: Column[Any], line: dict[str, Any]) -> Any:
    if isinstance(column.type, JSON):
        if column.name not in line:
            return null()
        return JSON.NULL if line[column.name] is None else line[column.name]
    value = line.get(column.name)
    return datetime.fromisoformat(value) if value is not None and isinstance(column.type, UtcTime) else value
