"""Values of a database as rows of text, and as a cursor that JSON can hold."""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

from goldsmith.connect.sources.types import MAX_ID_CHARACTERS, FoundRow, NotTaken
from goldsmith.data.readers import values as texts
from goldsmith.data.readers.types import BadRow

_TYPES: Mapping[str, Callable[[Any], Any]] = {
    "datetime": dt.datetime.fromisoformat,
    "date": dt.date.fromisoformat,
    "decimal": Decimal,
    "uuid": UUID,
}


def packed(value: object) -> dict[str, Any]:
    """A value of a column for a cursor, which `unpacked` gives back as it was."""
    for name, kind in (("datetime", dt.datetime), ("date", dt.date), ("decimal", Decimal), ("uuid", UUID)):
        if isinstance(value, kind):
            return {"type": name, "value": value.isoformat() if isinstance(value, dt.date) else str(value)}
    return {"type": "plain", "value": value if isinstance(value, bool | int | float) else texts.text_of(value)}


def unpacked(kept: Mapping[str, Any]) -> Any:
    """The value of a cursor."""
    return _TYPES[kept["type"]](kept["value"]) if kept["type"] in _TYPES else kept["value"]


def row_of(columns: Sequence[str], found: Sequence[object], *, id_column: str, place: str) -> FoundRow | NotTaken:
    """A row with its texts, or why it is none."""
    source_id = texts.text_of(found[columns.index(id_column)]).strip()
    trouble = id_trouble(source_id, id_column)
    if trouble:
        return NotTaken(place, trouble)
    where = f"{place}, {id_column} {source_id}"
    for column, value in zip(columns, found, strict=True):
        if isinstance(value, bytes | bytearray | memoryview):
            return NotTaken(where, f"column “{column}” holds bytes; leave it out of the query, or make it a text there")
    checked = texts.checked(1, where, columns, [texts.text_of(value) for value in found])
    if isinstance(checked, BadRow):
        return NotTaken(where, f"column “{checked.column}”: {checked.reason.partition(': ')[2]}")
    return FoundRow(source_id, checked.values, where)


def id_trouble(source_id: str, column: str) -> str | None:
    """Why an id cannot be one, if it cannot."""
    if not source_id:
        return f"it has nothing in “{column}”, so it could not be told from others next time"
    if len(source_id) > MAX_ID_CHARACTERS:
        return f"its “{column}” has {len(source_id):,} characters; an id has at most {MAX_ID_CHARACTERS}"
    return None
