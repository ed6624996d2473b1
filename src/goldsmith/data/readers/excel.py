"""One sheet of an .xlsx workbook: the chosen one, or the first that is not empty. Its first row holds the names.

The library holds the sheet in memory, so `excel_limits` looks at the file first. Empty rows are passed over.
"""

import zipfile
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import islice
from pathlib import Path

from goldsmith.data.readers import columns as column_names
from goldsmith.data.readers import excel_limits, values
from goldsmith.data.readers.errors import BrokenFile, EmptyFile, NotRows, OnlyHeader, UnknownSheet
from goldsmith.data.readers.types import BadRow, Format, ReadItem, ReadOptions, RowSource

_Cells = tuple[int, list[str]]


def is_workbook(path: Path) -> bool:
    """Whether a ZIP archive is an .xlsx workbook, and nothing else at the same time."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = {name.lower() for name in archive.namelist()}
    except (zipfile.BadZipFile, NotImplementedError):
        return False
    return "xl/workbook.xml" in names and not names & {"xl/workbook.bin", "content.xml", "mimetype"}


def open_source(path: Path, options: ReadOptions) -> RowSource:
    """Rows of a sheet."""
    excel_limits.check(path)
    sheets = _sheet_names(path)
    if options.sheet is not None and options.sheet not in sheets:
        raise UnknownSheet(f"There is no sheet “{options.sheet[:60]}”; the workbook has: {', '.join(sheets)}.")
    sheet, beginning = _beginning(path, (options.sheet,) if options.sheet else sheets)
    if not beginning:
        raise EmptyFile("The sheet is empty." if options.sheet else "The workbook has no cells with content.")
    header = beginning[0][1]
    names = column_names.clean(header) if options.has_header else column_names.numbered(len(header))
    if options.has_header and len(beginning) == 1:
        raise OnlyHeader(f"The sheet “{sheet}” has the columns {', '.join(names)}, and no row below them.")
    start = partial(_rows, path, sheet, names, options)
    return RowSource(format=Format.EXCEL, columns=names, start=start, sheet=sheet, sheets=sheets)


def _beginning(path: Path, sheets: Sequence[str]) -> tuple[str, list[_Cells]]:
    """The first sheet with content, and its first two rows (each look at a sheet parses all of it)."""
    for sheet in sheets:
        beginning = list(islice(_cells(path, sheet), 2))
        if beginning:
            return sheet, beginning
    return "", []


def _rows(path: Path, sheet: str, names: tuple[str, ...], options: ReadOptions) -> Iterator[ReadItem]:
    cells = _cells(path, sheet)
    if options.has_header:
        next(cells)
    for number, (place, texts) in enumerate(cells, start=1):
        where = f"row {place} of the sheet"
        if sum(map(len, texts)) > options.max_row_chars:
            yield BadRow(
                number, None, f"{where} is longer than {options.max_row_chars:,} characters; shorten or split it"
            )
        else:
            yield values.checked(number, where, names, texts)


def _sheet_names(path: Path) -> tuple[str, ...]:
    from python_calamine import CalamineError, CalamineWorkbook

    try:
        with path.open("rb") as file, CalamineWorkbook.from_filelike(file) as workbook:
            names = tuple(workbook.sheet_names)
    except (CalamineError, OSError, ValueError) as error:
        raise BrokenFile(f"The workbook cannot be opened: {error}.") from error
    if not names:
        raise NotRows("The workbook has no sheets.")
    return names


def _cells(path: Path, sheet: str) -> Iterator[_Cells]:
    """The rows that are not empty, with their number in the sheet, as texts."""
    from python_calamine import CalamineError, CalamineWorkbook

    try:
        with path.open("rb") as file, CalamineWorkbook.from_filelike(file) as workbook:
            content = workbook.get_sheet_by_name(sheet)
            for place, row in enumerate(content.iter_rows(), start=1):
                texts = _texts(row)
                if any(texts):
                    yield place, texts
    except (CalamineError, ValueError) as error:
        raise BrokenFile(f"The sheet “{sheet}” cannot be read: {error}.") from error


def _texts(row: Sequence[object]) -> list[str]:
    return [values.whole_number_text(value) for value in row]
