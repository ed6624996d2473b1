"""Lines of values as an Excel workbook of one sheet, made on the disk row by row. Knows neither runs nor databases.

Every text is written as text: nothing becomes a formula, a link or a number. What Excel cannot hold is cut, and the
cell says so; control characters are written in Excel's own way.
"""

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

MEDIA_TYPE: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
MAX_ROWS: Final = 1_048_575
"""What a sheet holds below its head."""
MAX_COLUMNS: Final = 16_384
MAX_CHARACTERS: Final = 32_767
"""What a cell holds; Excel counts a character beyond the first 65,536 as two."""
CUT: Final = "… (cut here: a cell of Excel holds no more; CSV and JSONL have all of it)"
_PIECE_BYTES: Final = 1 << 16
_NOT_IN_XML: Final = {0xFFFE: "\ufffd", 0xFFFF: "\ufffd"}


def pieces(lines: Iterable[Sequence[object]]) -> Iterator[bytes]:
    """The file in pieces. It is made now; what is not read to its end is removed all the same."""
    folder = tempfile.TemporaryDirectory(prefix="goldsmith-excel-")  # readable by its owner alone
    try:
        path = Path(folder.name) / "answers.xlsx"
        _write(path, lines)
    except BaseException:
        folder.cleanup()
        raise
    return _read(folder, path)


def cell_text(text: str) -> str:
    """The text as a cell can hold it."""
    text = text.encode("utf-8", "replace").decode().translate(_NOT_IN_XML)
    if _length(text) <= MAX_CHARACTERS:
        return text
    kept = text[: MAX_CHARACTERS - len(CUT)]
    while _length(kept) > MAX_CHARACTERS - len(CUT):
        kept = kept[: -max(1, (_length(kept) - MAX_CHARACTERS + len(CUT)) // 2)]
    return kept + CUT


def _length(text: str) -> int:
    return len(text) + sum(character > "\uffff" for character in text)


def _write(path: Path, lines: Iterable[Sequence[object]]) -> None:
    import xlsxwriter  # only who wants a spreadsheet waits for it

    options = {"constant_memory": True, "tmpdir": str(path.parent)}
    try:
        with xlsxwriter.Workbook(str(path), options) as book:
            sheet = book.add_worksheet("answers")
            sheet.freeze_panes(1, 0)
            for number, line in enumerate(lines):
                for place, value in enumerate(line):
                    _write_cell(sheet, (number, place), value)
    except xlsxwriter.exceptions.FileCreateError as error:
        raise error.args[0] from error  # the OSError itself: a full disk is told as one


def _write_cell(sheet: Any, at: tuple[int, int], value: object) -> None:
    if isinstance(value, int | float) and not isinstance(value, bool):
        sheet.write_number(*at, value)
    elif value is not None:
        sheet.write_string(*at, cell_text(str(value)))


def _read(folder: tempfile.TemporaryDirectory[str], path: Path) -> Iterator[bytes]:
    with folder, path.open("rb") as file:
        while piece := file.read(_PIECE_BYTES):
            yield piece
