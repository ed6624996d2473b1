"""A run's answers as a file: CSV and Excel for people, JSONL for programs. Memory stays bounded.

In CSV and Excel a cell that a spreadsheet would calculate gets an apostrophe in front; JSONL stays exact. Each is made
while it is read, so the first bytes leave at once and nothing is put on the disk.
"""

import csv
import io
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import chain
from pathlib import Path

from goldsmith.data import queries as data_queries
from goldsmith.run import queries, spreadsheet
from goldsmith.run.errors import TooManyForExcel
from goldsmith.run.queries import AnsweredRow
from goldsmith.storage.database import Database
from goldsmith.storage.files import whole_file

ANSWERS_AT_ONCE = 500
FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r")
_FIELDS = ("state", "error", "parse_error", "finish_reason", "prompt_tokens", "answer_tokens", "duration_ms")


class DownloadFormat(StrEnum):
    """As what answers can be taken away."""

    CSV = "csv"
    XLSX = "xlsx"
    JSONL = "jsonl"


@dataclass(frozen=True)
class Download:
    """How a file is made, and what it is."""

    pieces: Callable[[Database, str], Iterator[bytes]]
    media_type: str


def csv_pieces(database: Database, run_id: str) -> Iterator[bytes]:
    """The file in pieces, in UTF-8 with a mark at its beginning, which spreadsheets want. Raises RunNotFound."""
    columns = _columns(database, run_id)
    yield "\ufeff".encode() + _csv([_head(columns)])
    for answered in _pages(database, run_id):
        yield _csv([_cells(item, columns) for item in answered])


def xlsx_pieces(database: Database, run_id: str) -> Iterator[bytes]:
    """The file in pieces. Raises RunNotFound, TooManyForExcel, both before the first."""
    columns = _columns(database, run_id)
    with database.reading() as session:
        num_answers = queries.num_answers(session, run_id)
    if num_answers > spreadsheet.MAX_ROWS or len(_head(columns)) > spreadsheet.MAX_COLUMNS:
        raise TooManyForExcel(f"The run has {num_answers:,} answers in {len(_head(columns)):,} columns.")
    answered = (_cells(item, columns) for page in _pages(database, run_id) for item in page)
    return spreadsheet.pieces(chain([_head(columns)], answered))


def jsonl_pieces(database: Database, run_id: str) -> Iterator[bytes]:
    """The file in pieces, one JSON object a line. Raises RunNotFound."""
    _columns(database, run_id)
    for answered in _pages(database, run_id):
        yield "".join(json.dumps(_object(item), ensure_ascii=False) + "\n" for item in answered).encode()


DOWNLOADS: Mapping[DownloadFormat, Download] = {
    DownloadFormat.CSV: Download(csv_pieces, "text/csv; charset=utf-8"),
    DownloadFormat.XLSX: Download(xlsx_pieces, spreadsheet.MEDIA_TYPE),
    DownloadFormat.JSONL: Download(jsonl_pieces, "application/x-ndjson"),
}


def save(database: Database, run_id: str, file_format: DownloadFormat, path: Path) -> int:
    """Write the answers to a file, whole or not at all; returns its bytes."""
    num_bytes = 0
    with whole_file(path) as file:
        for piece in DOWNLOADS[file_format].pieces(database, run_id):
            num_bytes += file.write(piece)
    return num_bytes


def safe_cell(text: str) -> str:
    """The text as a spreadsheet shows it and does not calculate it."""
    return "'" + text if text.startswith(FORMULA_SIGNS) else text


def _columns(database: Database, run_id: str) -> list[str]:
    with database.reading() as session:
        run = queries.one(session, run_id)
        return list(data_queries.version(session, run.dataset_version_id or "").columns)


def _head(columns: Sequence[str]) -> list[object]:
    names = [_free_name("row", columns), *columns, *(_free_name(name, columns) for name in ("answer", *_FIELDS))]
    return [safe_cell(name) for name in names]


def _pages(database: Database, run_id: str) -> Iterator[list[AnsweredRow]]:
    after = 0
    while True:
        with database.reading() as session:
            answered = queries.answers(session, run_id, after=after, limit=ANSWERS_AT_ONCE)
        if not answered:
            return
        yield answered
        after = answered[-1].answer.position


def _cells(item: AnsweredRow, columns: Sequence[str]) -> list[object]:
    texts = [str(item.content.get(column, "")) for column in columns] + [item.answer.text]
    values = [getattr(item.answer, name) for name in _FIELDS]
    own = [safe_cell(value) if isinstance(value, str) else value for value in values]
    return [item.answer.position, *(safe_cell(text) for text in texts), *own]


def _object(item: AnsweredRow) -> dict[str, object]:
    answer = item.answer
    fields = {name: getattr(answer, name) for name in _FIELDS}
    ids = {"answer_id": answer.id, "row_id": answer.row_id, "row": answer.position}
    return {**ids, "columns": item.content, "answer": answer.text, "parsed": answer.parsed, **fields}


def _csv(lines: Sequence[Sequence[object]]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows(lines)
    return text.getvalue().encode("utf-8", "replace")


def _free_name(name: str, columns: Sequence[str]) -> str:
    while name in columns:
        name += " (run)"
    return name
