"""Files as rows of text: what the file is, its columns, its good rows and its bad ones, in bounded memory.

    source = open_rows(path, filename="tickets.csv")
    for item in source:
        ...  # ReadRow(number, values) or BadRow(number, column, reason)

Pure: knows no database. The import of a dataset and its preview call `open_rows` and `preview`, in a limited child.
"""

from dataclasses import replace
from itertools import islice
from pathlib import Path

from goldsmith.data.readers import chat_log, delimited, encoding, excel, jsonl, parquet, recognise, roles
from goldsmith.data.readers.text import TextFile
from goldsmith.data.readers.types import (
    BadRow,
    ColumnRoles,
    Encoding,
    EncodingSource,
    Format,
    Preview,
    ReadItem,
    ReadOptions,
    ReadRow,
    RowSource,
)

__all__ = [
    "BadRow",
    "ColumnRoles",
    "Encoding",
    "EncodingSource",
    "Format",
    "Preview",
    "ReadItem",
    "ReadOptions",
    "ReadRow",
    "RowSource",
    "open_rows",
    "preview",
]

MAX_PREVIEW_PROBLEMS = 50


def open_rows(path: Path, *, filename: str, options: ReadOptions | None = None) -> RowSource:
    """The rows of a file. `filename` is the name that the person knows; `path` is where it lies."""
    options = options or ReadOptions()
    match recognise.by_bytes(path, filename):
        case Format.EXCEL:
            return excel.open_source(path, options)
        case Format.PARQUET:
            return parquet.open_source(path, options)
    text = TextFile(path, encoding.find(path, chosen=options.encoding))
    return replace(_open_text(text, filename, options), share_read=text.share_read)


def _open_text(text: TextFile, filename: str, options: ReadOptions) -> RowSource:
    head = text.head()
    format_ = recognise.by_text(head, filename)
    if options.format is Format.DELIMITED or (format_ is Format.DELIMITED and options.format is None):
        return delimited.open_source(text, options)
    is_list = head.lstrip().startswith("[")
    if not is_list:
        jsonl.refuse_single_object(head)
    if options.format is Format.CHAT or (
        options.format is None and chat_log.is_chat_file(text, options, is_list=is_list)
    ):
        return chat_log.open_source(text, options, is_list=is_list)
    return jsonl.open_source(text, options, is_list=is_list)


def preview(path: Path, *, filename: str, num_rows: int = 20, options: ReadOptions | None = None) -> Preview:
    """The beginning of a file with its first problems, and guesses of what the columns mean."""
    source = open_rows(path, filename=filename, options=options)
    rows: list[ReadRow] = []
    problems: list[BadRow] = []
    is_whole_file = True
    for item in islice(source, num_rows + MAX_PREVIEW_PROBLEMS + 1):
        if len(rows) == num_rows or len(problems) == MAX_PREVIEW_PROBLEMS:
            is_whole_file = False
            break
        if isinstance(item, BadRow):
            problems.append(item)
        else:
            rows.append(item)
    return Preview(
        format=source.format,
        encoding=source.encoding,
        delimiter=source.delimiter,
        sheet=source.sheet,
        sheets=source.sheets,
        columns=source.columns,
        rows=tuple(rows),
        problems=tuple(problems),
        roles=roles.guess(source.columns, rows),
        is_whole_file=is_whole_file,
    )
