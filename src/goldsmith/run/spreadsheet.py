"""Lines of values as an Excel workbook of one sheet, made while it is read. Knows neither runs nor databases.

A workbook is a ZIP of XML files, and a ZIP can be written without going back; so the first bytes leave at once, and
memory and disk hold no more of it than one piece. Every text is written as text: nothing becomes a formula, a link or a
number. What Excel cannot hold is cut, and the cell says so; control characters are written in Excel's own way.
"""

import io
import re
import sys
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final
from xml.sax.saxutils import escape

MEDIA_TYPE: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
MAX_ROWS: Final = 1_048_575
"""What a sheet holds below its head."""
MAX_COLUMNS: Final = 16_384
MAX_CHARACTERS: Final = 32_767
"""What a cell holds; Excel counts a character beyond the first 65,536 as two."""
CUT: Final = "… (cut here: a cell of Excel holds no more; CSV and JSONL have all of it)"
_PIECE_BYTES: Final = 1 << 16
_NOT_IN_XML: Final = {0xFFFE: "\ufffd", 0xFFFF: "\ufffd"}
_CONTROLS: Final = re.compile("[\x00-\x08\x0b-\x1f]|_(?=x[0-9A-Fa-f]{4}_)")
"""What XML cannot hold or would change, and what would be read as the way to write it."""
_SHEET: Final = "xl/worksheets/sheet1.xml"
_MADE_AT: Final = (1980, 1, 1, 0, 0, 0)
_XML: Final = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_SPREADSHEETML: Final = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_RELATIONS: Final = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE: Final = "http://schemas.openxmlformats.org/package/2006"
_CONTENT: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_PARTS: Final = {
    "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="xml" ContentType="application/xml"/>'
    f'<Override PartName="/xl/workbook.xml" ContentType="{_CONTENT}.sheet.main+xml"/>'
    f'<Override PartName="/{_SHEET}" ContentType="{_CONTENT}.worksheet+xml"/></Types>',
    "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">'
    f'<Relationship Id="rId1" Type="{_RELATIONS}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
    "xl/workbook.xml": f'<workbook xmlns="{_SPREADSHEETML}" xmlns:r="{_RELATIONS}">'
    '<sheets><sheet name="answers" sheetId="1" r:id="rId1"/></sheets></workbook>',
    "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">'
    f'<Relationship Id="rId1" Type="{_RELATIONS}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
}
_BEGIN: Final = (
    f'{_XML}<worksheet xmlns="{_SPREADSHEETML}"><sheetViews><sheetView tabSelected="1" workbookViewId="0">'
    '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews><sheetData>'
)
_END: Final = "</sheetData></worksheet>"


def pieces(lines: Iterable[Sequence[object]]) -> Iterator[bytes]:
    """The file in pieces, each made when it is asked for."""
    written = _Written()
    with zipfile.ZipFile(written, "w") as book:
        for name, body in _PARTS.items():
            book.writestr(_member(name), _XML + body)
        yield written.taken()
        with book.open(_member(_SHEET), "w") as sheet:
            sheet.write(_BEGIN.encode())
            for number, line in enumerate(lines, start=1):
                sheet.write(_row(number, line).encode())
                if written.num_bytes >= _PIECE_BYTES:
                    yield written.taken()
            sheet.write(_END.encode())
    yield written.taken()


def cell_text(text: str) -> str:
    """The text as a cell can hold it."""
    text = text.encode("utf-8", "replace").decode().translate(_NOT_IN_XML)
    if _length(text) <= MAX_CHARACTERS:
        return text
    kept = text[: MAX_CHARACTERS - len(CUT)]
    while _length(kept) > MAX_CHARACTERS - len(CUT):
        kept = kept[: -max(1, (_length(kept) - MAX_CHARACTERS + len(CUT)) // 2)]
    return kept + CUT


class _Written(io.RawIOBase):
    """What was written and not taken yet; there is no way back in it, as in what is being sent."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self.num_bytes = 0

    def writable(self) -> bool:
        """It can be written."""
        return True

    def write(self, piece: Any) -> int:
        """Keep it until somebody takes it."""
        self._pieces.append(bytes(piece))
        self.num_bytes += len(self._pieces[-1])
        return len(self._pieces[-1])

    def taken(self) -> bytes:
        """Everything since the last time."""
        found, self._pieces, self.num_bytes = b"".join(self._pieces), [], 0
        return found


def _member(name: str) -> zipfile.ZipInfo:
    member = zipfile.ZipInfo(name, _MADE_AT)
    member.compress_type = zipfile.ZIP_DEFLATED
    return member


def _row(number: int, line: Sequence[object]) -> str:
    cells = "".join(_cell(value) for value in line)
    return f'<row r="{number}">{cells}</row>'


def _cell(value: object) -> str:
    """A cell; its place is behind the one before."""
    if value is None:
        return "<c/>"
    if _is_number(value):
        return f"<c><v>{value!r}</v></c>"
    text = escape(_CONTROLS.sub(lambda found: f"_x{ord(found[0]):04X}_", cell_text(str(value))))
    return f'<c t="inlineStr"><is><t xml:space="preserve">{text}</t></is></c>'


def _is_number(value: object) -> bool:
    """Whether Excel, which counts in doubles, can hold it as a number."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= sys.float_info.max


def _length(text: str) -> int:
    return len(text) + sum(character > "\uffff" for character in text)
