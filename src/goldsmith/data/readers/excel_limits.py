"""Refuses a workbook that would take too much memory, before the library that reads it sees it.

A few bytes of .xlsx can ask for gigabytes: by compression, by one cell far away (a sheet is held as a full rectangle),
or by one long text that a million cells share. All three are measured here by streaming, in bounded memory.
"""

import re
import zipfile
import zlib
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import BinaryIO
from xml.parsers import expat

from goldsmith.data.readers.errors import BrokenFile, FileTooLarge

_REFERENCE = re.compile(r"([A-Za-z]{1,4})(\d{1,8})\Z")
_SHEET_OR_TEXTS = re.compile(rb"sheetData|[<:]sst[\s/>]")
_PIECE_BYTES = 1 << 16


@dataclass(frozen=True, slots=True, kw_only=True)
class ExcelLimits:
    """What a workbook may take."""

    max_file_bytes: int = 100_000_000
    max_unpacked_bytes: int = 300_000_000
    max_cells: int = 5_000_000
    """Of the rectangle from the first cell of a sheet (A1) to the last one that is used."""
    max_text_chars: int = 100_000_000
    """Of all cells together, shared texts counted in every cell that uses them."""
    max_parts: int = 2_000


DEFAULT = ExcelLimits()


def check(path: Path, limits: ExcelLimits = DEFAULT) -> None:
    """Raise `FileTooLarge` or `BrokenFile`, or return."""
    if path.stat().st_size > limits.max_file_bytes:
        raise FileTooLarge(f"The workbook has more than {limits.max_file_bytes / 1e6:,.0f} MB.")
    try:
        with zipfile.ZipFile(path) as archive, path.open("rb") as file:
            _check_parts(archive.infolist(), file, limits)
    except (zipfile.BadZipFile, zlib.error, expat.ExpatError, NotImplementedError) as error:
        raise BrokenFile(f"The workbook cannot be unpacked: {error}.") from error


def _check_parts(parts: list[zipfile.ZipInfo], file: BinaryIO, limits: ExcelLimits) -> None:
    if len(parts) > limits.max_parts:
        raise FileTooLarge(f"The workbook has {len(parts):,} parts; at most {limits.max_parts:,} are read.")
    budget = _Budget(limits)
    # Shared texts first: their lengths are needed for the cells.
    for part in sorted(parts, key=lambda part: "sharedstrings" not in part.filename.lower()):
        # Excel's old drawings (comments) are not always well-formed.
        is_drawing = part.filename.lower().endswith(".vml")
        _Part(budget).measure(_unpacked(file, part, budget), is_drawing=is_drawing)


class _Budget:
    """What all parts together have used so far."""

    def __init__(self, limits: ExcelLimits) -> None:
        self.limits = limits
        self.shared_lengths = array("L")
        self._num_bytes = 0
        self._num_chars = 0

    def use_bytes(self, count: int) -> None:
        self._num_bytes += count
        if self._num_bytes > self.limits.max_unpacked_bytes:
            raise FileTooLarge(f"Unpacked, the workbook has more than {self.limits.max_unpacked_bytes / 1e6:,.0f} MB.")

    def use_chars(self, count: int) -> None:
        self._num_chars += count
        if self._num_chars > self.limits.max_text_chars:
            raise FileTooLarge(f"The cells hold more than {self.limits.max_text_chars:,} characters of text.")

    def use_shared(self, place: int | None) -> None:
        if place is None or place >= len(self.shared_lengths):
            raise BrokenFile("A cell refers to a shared text that is not in the workbook.")
        self.use_chars(self.shared_lengths[place])

    def check_rectangle(self, num_rows: int, num_columns: int) -> None:
        if num_rows * num_columns > self.limits.max_cells:
            raise FileTooLarge(
                f"A sheet reaches over {num_rows:,} rows and {num_columns:,} columns; "
                f"at most {self.limits.max_cells:,} cells are read.",
                hint="Delete cells far away from the data, or save the sheet as CSV: CSV files may have any size.",
            )

    def add_shared(self, length: int) -> None:
        if len(self.shared_lengths) >= self.limits.max_cells:
            raise FileTooLarge(f"The workbook has more than {self.limits.max_cells:,} different texts.")
        self.shared_lengths.append(length)


class _Part:
    """Measures one part of the archive, whatever its name: where a sheet lies is the file's own choice."""

    def __init__(self, budget: _Budget) -> None:
        self._budget = budget
        self._row = self._column = 0
        self._num_rows = self._num_columns = 0
        self._is_shared_cell = False
        self._text = ""
        self._shared_length: int | None = None
        self._may_hold_shared = not budget.shared_lengths

    def measure(self, pieces: Iterator[bytes], *, is_drawing: bool) -> None:
        """Use up the budget for this part."""
        first = next(pieces, b"")
        content = first.lstrip(b"\xef\xbb\xbf \r\n\t")
        if is_drawing or (content and not content.startswith(b"<")):
            _refuse_hidden_sheet(chain([first], pieces))
            return
        parser = expat.ParserCreate()
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._characters
        parser.StartDoctypeDeclHandler = _refuse_doctype
        parser.Parse(first, False)
        for piece in pieces:
            parser.Parse(piece, False)
        parser.Parse(b"", True)

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        match name.rpartition(":")[2]:
            case "c":
                self._start_cell(attributes)
            case "row":
                self._row, self._column = _whole(attributes.get("r")) or self._row + 1, 0
            case "si":
                if not self._may_hold_shared:
                    raise BrokenFile("The workbook holds its shared texts twice.")
                self._shared_length = 0
            case "v":
                self._text = ""

    def _start_cell(self, attributes: dict[str, str]) -> None:
        self._is_shared_cell = attributes.get("t") == "s"
        found = _REFERENCE.match(attributes.get("r", ""))
        if found:
            self._column, self._row = _column_number(found[1]), int(found[2])
        else:
            self._column += 1
        self._num_rows, self._num_columns = max(self._num_rows, self._row), max(self._num_columns, self._column)
        self._budget.check_rectangle(self._num_rows, self._num_columns)

    def _characters(self, text: str) -> None:
        self._budget.use_chars(len(text))
        if self._shared_length is not None:
            self._shared_length += len(text)
        elif self._is_shared_cell and len(self._text) < 10:
            self._text += text

    def _end(self, name: str) -> None:
        match name.rpartition(":")[2]:
            case "si" if self._shared_length is not None:
                self._budget.add_shared(self._shared_length)
                self._shared_length = None
            case "v" if self._is_shared_cell:
                self._budget.use_shared(_whole(self._text.strip()))


def _refuse_doctype(*_: object) -> None:
    raise BrokenFile("The workbook holds a document type declaration, which Excel never writes.")


def _refuse_hidden_sheet(pieces: Iterator[bytes]) -> None:
    """A picture is not measured; what a lenient parser could take for a sheet or shared texts is refused."""
    tail = b""
    for piece in pieces:
        tail = tail[-16:] + piece
        if _SHEET_OR_TEXTS.search(tail):
            raise BrokenFile("A part of the workbook is not valid XML.")


def _unpacked(file: BinaryIO, part: zipfile.ZipInfo, budget: _Budget) -> Iterator[bytes]:
    """What really comes out, not what the archive declares."""
    if part.flag_bits & 1:
        raise BrokenFile("The workbook is protected by a password.", hint="Save it without a password.")
    file.seek(part.header_offset + 26)
    lengths = file.read(4)
    file.seek(int.from_bytes(lengths[:2], "little") + int.from_bytes(lengths[2:], "little"), 1)
    left = part.compress_size
    unpack = zlib.decompressobj(-15) if part.compress_type == zipfile.ZIP_DEFLATED else None
    if unpack is None and part.compress_type != zipfile.ZIP_STORED:
        raise BrokenFile("The workbook is packed in a way that Excel never uses.")
    while left > 0 and (packed := file.read(min(left, _PIECE_BYTES))):
        left -= len(packed)
        for piece in _inflated(packed, unpack):
            budget.use_bytes(len(piece))
            yield piece


def _inflated(packed: bytes, unpack: "zlib._Decompress | None") -> Iterator[bytes]:
    if unpack is None:
        yield packed
        return
    while piece := unpack.decompress(packed, _PIECE_BYTES):
        yield piece
        packed = unpack.unconsumed_tail


def _whole(digits: str | None) -> int | None:
    return int(digits) if digits and digits.isascii() and digits.isdigit() and len(digits) < 10 else None


def _column_number(letters: str) -> int:
    number = 0
    for letter in letters.upper():
        number = number * 26 + ord(letter) - ord("A") + 1
    return number
