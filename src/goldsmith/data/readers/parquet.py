"""Parquet, through pyarrow, which is optional. Memory follows the row groups, whose size is limited."""

import importlib
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from goldsmith.data.readers import columns as column_names
from goldsmith.data.readers import values
from goldsmith.data.readers.errors import BrokenFile, EmptyFile, FileTooLarge, OnlyHeader, ReaderNotInstalled
from goldsmith.data.readers.types import BadRow, Format, ReadItem, ReadOptions, RowSource

NUM_BATCH_ROWS = 200
MAX_ROW_GROUP_BYTES = 1_000_000_000


def open_source(path: Path, options: ReadOptions) -> RowSource:
    """Rows of a Parquet file."""
    with _opened(path) as file:
        keys = list(file.schema_arrow.names)
        num_rows = file.metadata.num_rows
        _refuse_large(file.metadata)
    if not keys:
        raise EmptyFile("The file has no columns.")
    names = column_names.clean(keys)
    if not num_rows:
        raise OnlyHeader(f"The file has the columns {', '.join(names)}, and no row.")
    start = partial(_rows, path, names, options)
    return RowSource(format=Format.PARQUET, columns=names, start=start, share_read=lambda num: num / num_rows)


def _rows(path: Path, names: Sequence[str], options: ReadOptions) -> Iterator[ReadItem]:
    number = 0
    for batch in _batches(path):
        for cells in zip(*(column.to_pylist() for column in batch.columns), strict=True):
            number += 1
            yield _row(number, names, cells, options)


def _batches(path: Path) -> Iterator[Any]:
    arrow = _pyarrow("pyarrow")
    with _opened(path) as file:
        try:
            yield from file.iter_batches(batch_size=NUM_BATCH_ROWS, use_threads=False)
        except (arrow.ArrowException, OSError) as error:
            raise BrokenFile(f"The file cannot be read to its end: {error}.") from error


def _row(number: int, names: Sequence[str], cells: Sequence[object], options: ReadOptions) -> ReadItem:
    where = f"row {number}"
    texts = []
    for name, cell in zip(names, cells, strict=True):
        try:
            texts.append(cell.decode() if isinstance(cell, bytes) else values.text_of(cell))
        except UnicodeDecodeError:
            return BadRow(number, name, f"{where}: the value is bytes that are not UTF-8 text")
    if sum(map(len, texts)) > options.max_row_chars:
        return BadRow(number, None, f"{where} is longer than {options.max_row_chars:,} characters; shorten or split it")
    return values.checked(number, where, names, texts)


def _opened(path: Path) -> Any:
    arrow, parquet = _pyarrow("pyarrow"), _pyarrow("pyarrow.parquet")
    try:
        return parquet.ParquetFile(path, pre_buffer=False, buffer_size=1 << 16)
    except (arrow.ArrowException, OSError) as error:
        raise BrokenFile(f"The Parquet file cannot be opened: {error}.") from error


def _pyarrow(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise ReaderNotInstalled("Parquet files are read by pyarrow, which is not installed.") from error


def _refuse_large(metadata: Any) -> None:
    largest = max((metadata.row_group(place).total_byte_size for place in range(metadata.num_row_groups)), default=0)
    if largest > MAX_ROW_GROUP_BYTES:
        raise FileTooLarge(
            f"A row group of the file has {largest / 1e6:,.0f} MB; at most {MAX_ROW_GROUP_BYTES / 1e6:,.0f} MB fit.",
            hint="Write the file with smaller row groups, or as CSV or JSONL.",
        )
