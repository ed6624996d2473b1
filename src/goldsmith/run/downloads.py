"""A run's answers as a file: CSV for people and spreadsheets, JSONL for programs. Streams; memory stays bounded.

In CSV a cell that a spreadsheet would calculate gets an apostrophe in front; JSONL stays exact.
"""

import csv
import io
import json
from collections.abc import Iterator, Sequence

from goldsmith.data import queries as data_queries
from goldsmith.run import queries
from goldsmith.run.queries import AnsweredRow
from goldsmith.storage.database import Database

ANSWERS_AT_ONCE = 500
FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r")
_FIELDS = ("state", "error", "parse_error", "finish_reason", "prompt_tokens", "answer_tokens", "duration_ms")


def csv_pieces(database: Database, run_id: str) -> Iterator[bytes]:
    """The file in pieces, in UTF-8 with a mark at its beginning, which spreadsheets want. Raises RunNotFound."""
    columns = _columns(database, run_id)
    own = [_free_name(name, columns) for name in ("answer", *_FIELDS)]
    yield "\ufeff".encode() + _csv([[_free_name("row", columns), *columns, *own]])
    for answered in _pages(database, run_id):
        yield _csv([_cells(item, columns) for item in answered])


def jsonl_pieces(database: Database, run_id: str) -> Iterator[bytes]:
    """The file in pieces, one JSON object a line. Raises RunNotFound."""
    _columns(database, run_id)
    for answered in _pages(database, run_id):
        yield "".join(json.dumps(_object(item), ensure_ascii=False) + "\n" for item in answered).encode()


def safe_cell(text: str) -> str:
    """The text as a spreadsheet shows it and does not calculate it."""
    return "'" + text if text.startswith(FORMULA_SIGNS) else text


def _columns(database: Database, run_id: str) -> list[str]:
    with database.reading() as session:
        run = queries.one(session, run_id)
        return list(data_queries.version(session, run.dataset_version_id or "").columns)


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
