"""Any value of any format as text, and what makes a text unusable. Pure; every reader calls it for every value."""

import datetime as dt
import json
import math
import re
from collections.abc import Sequence

from goldsmith.data.readers.types import BadRow, ReadItem, ReadRow

UNDECODABLE = "\udcff"
"""Stands where bytes are not valid in the file's encoding; it makes the row a bad one."""

_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=str)
_UNUSABLE = re.compile("[\x00\ud800-\udfff]")


def text_of(value: object) -> str:
    """Text stays as it is, nothing becomes "", numbers, lists and objects compact JSON, dates ISO form."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    if isinstance(value, int | float | list | tuple | dict):
        return _ENCODER.encode(value)
    return str(value)


def whole_number_text(value: object) -> str:
    """As `text_of`, for formats that know only one kind of number: 5.0 is written 5."""
    if isinstance(value, float) and math.isfinite(value) and value.is_integer() and abs(value) < 2**53:
        return str(int(value))
    return text_of(value)


def trouble(text: str) -> str | None:
    """What cannot be kept in this text, or None."""
    found = _UNUSABLE.search(text)
    if found is None:
        return None
    place = found.start() + 1
    if found[0] == "\0":
        return f"a NUL character (at character {place}); remove it"
    if found[0] == UNDECODABLE:
        broken = f"bytes that are not valid in the file's encoding (at character {place})"
        return f"{broken}; choose another encoding or repair the text"
    return f"half of a character (a lone surrogate at character {place}); repair the text"


def checked(number: int, where: str, columns: Sequence[str], texts: Sequence[str]) -> ReadItem:
    """The row, or the bad row that names the first column with trouble. `texts` fits `columns`."""
    if _is_usable("".join(texts)):
        return ReadRow(number, dict(zip(columns, texts, strict=True)))
    column, found = next((name, text) for name, text in zip(columns, texts, strict=True) if not _is_usable(text))
    return BadRow(number, column, f"{where}: the value holds {trouble(found)}")


def _is_usable(text: str) -> bool:
    """The same question as `trouble`, several times faster than a search."""
    if "\0" in text:
        return False
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
