"""What a reader is told and what it gives: options, rows, bad rows, the source they come from, and the preview.

Values only. Knows no file format and no database; every reader and the import of a dataset use these.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

MAX_ROW_CHARS = 1_000_000
"""A longer row is listed as bad; memory stays bounded by this, not by the file."""

MAX_COLUMNS = 1_000


class Format(StrEnum):
    """The formats that rows can come in."""

    DELIMITED = "csv"
    """Text with a delimiter: comma, semicolon, tab or pipe."""
    JSONL = "jsonl"
    """One JSON object a line."""
    JSON = "json"
    """One JSON list of objects."""
    CHAT = "chat"
    """JSON objects with `messages`, as OpenAI's fine-tuning files have them."""
    EXCEL = "excel"
    """One sheet of an .xlsx workbook."""
    PARQUET = "parquet"
    """Apache Parquet."""


class EncodingSource(StrEnum):
    """How the encoding of a text file became known."""

    MARK = "mark"
    """A byte order mark at the beginning says it."""
    VALID = "valid"
    """The whole file is valid in it."""
    GUESSED = "guessed"
    """It fits best; a person should look at the preview."""
    CHOSEN = "chosen"
    """The person said it."""


@dataclass(frozen=True, slots=True)
class Encoding:
    """A text encoding by Python's name, and how it became known."""

    name: str
    source: EncodingSource


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadOptions:
    """What a person chose; what is None is found out from the file."""

    format: Format | None = None
    encoding: str | None = None
    delimiter: str | None = None
    sheet: str | None = None
    has_header: bool = True
    """False: the first row of a delimited file or a sheet is data, and columns are called column_1, column_2 …"""
    max_row_chars: int = MAX_ROW_CHARS


@dataclass(frozen=True, slots=True)
class ReadRow:
    """A good row. `number` counts data rows from 1, bad ones included, the header and blank lines not."""

    number: int
    values: dict[str, str]


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that cannot be used, and its column where known; the reason says to people where in the file, and why."""

    number: int
    column: str | None
    reason: str


ReadItem = ReadRow | BadRow


@dataclass(frozen=True, slots=True, kw_only=True)
class RowSource:
    """A file that was recognised: its columns are known; each iteration gives its rows from the start."""

    format: Format
    columns: tuple[str, ...]
    start: Callable[[], Iterator[ReadItem]]
    encoding: Encoding | None = None
    delimiter: str | None = None
    """None for other formats, and for a text file of one column."""
    sheet: str | None = None
    sheets: tuple[str, ...] = ()
    share_read: Callable[[int], float | None] = lambda _: None
    """How much of the file was read, from 0 to 1, when so many rows were; None where nobody knows."""

    def __iter__(self) -> Iterator[ReadItem]:
        return self.start()


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnRoles:
    """Guesses for the mapping form; None where nothing looks like it."""

    question: str | None = None
    answer: str | None = None
    system: str | None = None
    chat: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """The beginning of a file, as it would be imported."""

    format: Format
    encoding: Encoding | None
    delimiter: str | None
    sheet: str | None
    sheets: tuple[str, ...]
    columns: tuple[str, ...]
    rows: tuple[ReadRow, ...]
    problems: tuple[BadRow, ...]
    roles: ColumnRoles
    is_whole_file: bool
    """True when the file ended within the preview."""
