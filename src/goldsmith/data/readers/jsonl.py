"""JSON rows: one object a line, or one list of objects. `chat_log` builds on the same objects.

Columns are all keys of the first 1,000 rows; a row that lacks one has "" there, a row with another key is bad.
"""

import json
import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache, partial
from itertools import islice
from typing import NamedTuple

from goldsmith.data.readers import columns as column_names
from goldsmith.data.readers import values
from goldsmith.data.readers.errors import EmptyFile, NotRows
from goldsmith.data.readers.json_list import BrokenEnd, ElementSplitter
from goldsmith.data.readers.text import TextFile
from goldsmith.data.readers.types import MAX_COLUMNS, BadRow, Format, ReadItem, ReadOptions, RowSource

NUM_ROWS_FOR_COLUMNS = 1_000

_KINDS = {list: "a list", str: "a text", bool: "true or false", int: "a number", float: "a number", type(None): "null"}
_TOO_LONG = "longer than {limit:,} characters; shorten or split it"


_UNREADABLE_SIGNS = ("\0", values.UNDECODABLE)


class JsonRow(NamedTuple):
    """An object of the file; `where` says the place for reasons."""

    number: int
    where: str
    members: Mapping[str, object]


Objects = Callable[[], Iterator[JsonRow | BadRow]]


class _RawRow(NamedTuple):
    number: int
    where: str
    text: str | None


class _KeyTwice(ValueError):
    """An object names the same key twice."""


def open_source(text: TextFile, options: ReadOptions, *, is_list: bool) -> RowSource:
    """Rows from JSON lines, or from one JSON list."""
    found = partial(objects, text, options, is_list=is_list)
    return make_source(found, text, Format.JSON if is_list else Format.JSONL)


def make_source(found: Objects, text: TextFile, format_: Format) -> RowSource:
    """The source over objects from wherever; reads the first rows to know the columns."""
    keys = _first_keys(found)
    names = column_names.clean(keys)
    start = partial(_rows, found, dict(zip(keys, names, strict=True)))
    return RowSource(format=format_, columns=names, start=start, encoding=text.encoding)


def objects(text: TextFile, options: ReadOptions, *, is_list: bool) -> Iterator[JsonRow | BadRow]:
    """Every object of the file, or why it is none."""
    if not is_list:
        with text.lines(options.max_row_chars) as lines:
            pairs = enumerate((line for line in lines if line.text.strip()), start=1)
            for number, line in pairs:
                content = None if line.is_cut else line.text
                yield _parsed(_RawRow(number, f"line {line.number}", content), options)
        return
    for element in ElementSplitter(options.max_row_chars).split(text.pieces()):
        where = f"the element that begins on line {element.line}"
        if isinstance(element, BrokenEnd):
            yield BadRow(element.number, None, f"line {element.line}: {element.reason}")
        else:
            yield _parsed(_RawRow(element.number, where, element.text), options)


def _first_keys(found: Objects) -> list[str]:
    keys: dict[str, None] = {}
    num_seen = 0
    for row in islice(found(), NUM_ROWS_FOR_COLUMNS):
        num_seen += 1
        if isinstance(row, JsonRow):
            keys.update(dict.fromkeys(row.members))
    if not num_seen:
        raise EmptyFile("The list in the file has no elements.")
    return list(keys)


def _rows(found: Objects, names: Mapping[str, str]) -> Iterator[ReadItem]:
    for row in found():
        yield row if isinstance(row, BadRow) else _row(row, names)


def _row(row: JsonRow, names: Mapping[str, str]) -> ReadItem:
    for key in row.members:
        if key not in names:
            reason = f"this column is not in the first {NUM_ROWS_FOR_COLUMNS:,} rows; add it there, or remove it here"
            return BadRow(row.number, key.strip(), f"{row.where}: {reason}")
    texts = [values.text_of(row.members.get(key)) for key in names]
    return values.checked(row.number, row.where, tuple(names.values()), texts)


def _parsed(raw: _RawRow, options: ReadOptions) -> JsonRow | BadRow:
    if raw.text is None:
        return BadRow(raw.number, None, f"{raw.where}: {_TOO_LONG.format(limit=options.max_row_chars)}")
    sign = next((sign for sign in _UNREADABLE_SIGNS if sign in raw.text), None)
    try:
        # With an unreadable character in it, a lenient look still tells in which column it is.
        value = (_LENIENT if sign else _STRICT).decode(raw.text)
    except _KeyTwice as error:
        return BadRow(raw.number, str(error), f"{raw.where} has “{error}” twice; remove or rename one of them")
    except (ValueError, RecursionError) as error:
        reason = f"holds {values.trouble(sign)}" if sign else _json_trouble(error)
        return BadRow(raw.number, None, f"{raw.where} {reason}")
    if not isinstance(value, dict):
        kind = f'{raw.where} holds {_KINDS[type(value)]}; a row must be an object like {{"question": "…"}}'
        return BadRow(raw.number, None, kind)
    for key in value:
        trouble = _name_trouble(key)
        if trouble:
            return BadRow(raw.number, None, f"{raw.where}: the name of a column holds {trouble}")
    return JsonRow(raw.number, raw.where, value)


@lru_cache(maxsize=2 * MAX_COLUMNS)
def _name_trouble(key: str) -> str | None:
    if len(key) > column_names.MAX_NAME_CHARS:
        return f"more than {column_names.MAX_NAME_CHARS} characters"
    return values.trouble(key)


def _json_trouble(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"is not valid JSON: {error.msg} (character {error.pos + 1})"
    if isinstance(error, RecursionError):
        return "is nested too deeply"
    return f"holds a number that cannot be read: {error}"


def _object(pairs: Sequence[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) < len(pairs):
        counts = Counter(key for key, _ in pairs)
        raise _KeyTwice(counts.most_common(1)[0][0])
    return members


def _number(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise ValueError(f"{digits[:40]} is too large")
    return number


def _no_constant(name: str) -> object:
    raise ValueError(f"{name} is not JSON; use null or a text")


# The standard library's parser keeps whole numbers of any length, notices keys that come twice and says where it stops.
_STRICT = json.JSONDecoder(object_pairs_hook=_object, parse_float=_number, parse_constant=_no_constant)
_LENIENT = json.JSONDecoder(object_pairs_hook=_object, parse_float=_number, parse_constant=_no_constant, strict=False)


def refuse_single_object(head: str) -> None:
    """A file that holds one object over several lines is a document, not rows."""
    first_line = head.lstrip().partition("\n")[0].strip()
    if first_line == "{":
        raise NotRows("The file holds one JSON object over several lines; rows are expected.")
