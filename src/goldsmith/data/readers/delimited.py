"""CSV, TSV and the like. A row that does not fit is listed and the next one read; an open quote swallows nothing.

Uses the standard library's parser strictly, a record at a time, with lines of bounded length.
"""

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

from goldsmith.data.readers import columns as column_names
from goldsmith.data.readers import delimiter as delimiters
from goldsmith.data.readers import values
from goldsmith.data.readers.errors import BadHeader, BrokenQuotes, EmptyFile, OnlyHeader, UnknownDelimiter
from goldsmith.data.readers.text import Line, Lines, TextFile
from goldsmith.data.readers.types import BadRow, Format, ReadItem, ReadOptions, RowSource

MAX_REREAD_CHARS = 50_000_000
"""After a quote that is never closed, reading goes on behind its line; this bounds what such a file can cost."""

_NO_DELIMITER = "\x1f"
_SEPARATOR_LINE = re.compile(r"sep=(.)\r?\n?\Z")


class _Record(NamedTuple):
    line: int
    fields: list[str]


class _Broken(NamedTuple):
    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class _Layout:
    """How this file separates values, and what stands before its rows."""

    delimiter: str
    has_separator_line: bool
    has_header: bool
    max_chars: int


class _TooLong(Exception):
    """The record is over the limit."""


class _Feed:
    """Gives the parser lines, remembers those of the current record, and takes them back."""

    def __init__(self, lines: Lines, max_chars: int) -> None:
        self.taken: list[Line] = []
        self._lines = lines
        self._max_chars = max_chars
        self._num_chars = 0
        self._again: list[Line] = []
        self._num_reread_chars = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._again.pop() if self._again else self._lines.read()
        if line is None:
            raise StopIteration
        self.taken.append(line)
        self._num_chars += len(line.text)
        if line.is_cut or self._num_chars > self._max_chars + 2:
            raise _TooLong
        return line.text

    def begin(self) -> None:
        """The next line begins a record."""
        self.taken.clear()
        self._num_chars = 0

    def give_back(self) -> None:
        """All lines of the record but the first are to be read again, as records of their own."""
        back = self.taken[1:]
        self._num_reread_chars += sum(len(line.text) for line in back)
        if self._num_reread_chars > MAX_REREAD_CHARS:
            raise BrokenQuotes(
                f"Too many quotes are opened and never closed; one of the last begins on line {self.taken[0].number}."
            )
        self._again.extend(reversed(back))


def open_source(text: TextFile, options: ReadOptions) -> RowSource:
    """Rows of a delimited file. Reads the header and looks whether there is a row."""
    layout = _layout(text, options)
    names = _columns(text, layout)
    start = partial(_rows, text, layout, names)
    if next(start(), None) is None:
        raise OnlyHeader(f"The file has the columns {', '.join(names)}, and no row below them.")
    shown = None if layout.delimiter == _NO_DELIMITER else layout.delimiter
    return RowSource(format=Format.DELIMITED, columns=names, start=start, encoding=text.encoding, delimiter=shown)


def _layout(text: TextFile, options: ReadOptions) -> _Layout:
    head = text.head()
    first_line, _, rest = head.partition("\n")
    separator = _SEPARATOR_LINE.match(first_line)
    said = options.delimiter or (separator[1] if separator else None)
    if said is not None and (len(said) != 1 or said in '"\r\n\0'):
        raise UnknownDelimiter(f"“{said[:20]}” cannot separate values: one character is expected, and no quote.")
    found = said or delimiters.find(rest if separator else head) or _NO_DELIMITER
    return _Layout(found, separator is not None, options.has_header, options.max_row_chars)


def _columns(text: TextFile, layout: _Layout) -> tuple[str, ...]:
    with text.lines(layout.max_chars) as lines:
        first = next(_records(lines, layout), None)
    if first is None:
        raise EmptyFile("The file holds nothing but blank lines.")
    if isinstance(first, _Broken):
        raise BadHeader(
            f"The first row, which should hold the column names, cannot be read: line {first.line}: {first.reason}."
        )
    return column_names.clean(first.fields) if layout.has_header else column_names.numbered(len(first.fields))


def _rows(text: TextFile, layout: _Layout, names: tuple[str, ...]) -> Iterator[ReadItem]:
    with text.lines(layout.max_chars) as lines:
        records = _records(lines, layout)
        if layout.has_header:
            next(records)
        for number, record in enumerate(records, start=1):
            where = f"line {record.line}"
            if isinstance(record, _Broken):
                yield BadRow(number, None, f"{where}: {record.reason}")
            elif len(record.fields) != len(names):
                yield BadRow(number, None, f"{where}: {_wrong_count(len(record.fields), len(names), layout)}")
            else:
                yield values.checked(number, where, names, record.fields)


def _wrong_count(found: int, expected: int, layout: _Layout) -> str:
    kind = delimiters.NAMES.get(layout.delimiter, f"“{layout.delimiter}”")
    advice = (
        f"put a value that holds a {kind} in quotes" if found > expected else "add the missing ones, if need be empty"
    )
    return f"{found} value{'s' * (found != 1)}, but there are {expected} columns; {advice}"


def _records(lines: Lines, layout: _Layout) -> Iterator[_Record | _Broken]:
    """All records but blank lines."""
    # The parser's own limit is one for the whole process, and lower than ours.
    csv.field_size_limit(max(csv.field_size_limit(), layout.max_chars + 2))
    if layout.has_separator_line:
        lines.read()
    feed = _Feed(lines, layout.max_chars)
    reader = csv.reader(feed, delimiter=layout.delimiter, strict=True)
    while True:
        feed.begin()
        try:
            fields = next(reader)
        except StopIteration:
            return
        except (csv.Error, _TooLong) as error:
            yield _Broken(feed.taken[0].number, _reason(error, feed.taken, layout))
            feed.give_back()
            reader = csv.reader(feed, delimiter=layout.delimiter, strict=True)
            continue
        if not _is_blank(fields, layout):
            yield _Record(feed.taken[0].number, fields)


def _is_blank(fields: list[str], layout: _Layout) -> bool:
    if layout.delimiter == _NO_DELIMITER:
        return not fields
    return not fields or (len(fields) == 1 and not fields[0].strip())


def _reason(error: Exception, taken: list[Line], layout: _Layout) -> str:
    first = taken[0].number
    limit = f"{layout.max_chars:,} characters"
    if isinstance(error, _TooLong) and len(taken) == 1:
        return f"the row is longer than {limit}; shorten or split it"
    if isinstance(error, _TooLong):
        went_on = f"Reading went on at line {first + 1}"
        return f"a quote is opened in this row and not closed within {limit}; close it. {went_on}"
    if str(error).startswith("unexpected end"):
        rest = f". Reading went on at line {first + 1}" if len(taken) > 1 else ""
        return f"a quote is opened in this row and never closed until the end of the file; close it{rest}"
    if str(error).startswith("new-line"):
        return "a carriage return stands in the middle of the row; put the value in quotes"
    rest = (
        f" (the value goes on to line {taken[-1].number}; perhaps its first quote should not be there)"
        if len(taken) > 1
        else ""
    )
    return f'text follows a closing quote; write a quote inside a value twice (""){rest}'
