"""Excel files as a reader of Excel files sees them."""

import io
import tracemalloc
import zipfile
from collections.abc import Iterator, Sequence
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from python_calamine import CalamineWorkbook

from goldsmith.run import spreadsheet


def read(content: bytes) -> list[list[Any]]:
    return CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0).to_python()


def made(*lines: Sequence[object]) -> list[list[Any]]:
    return read(b"".join(spreadsheet.pieces(lines)))


@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        "https://example.org",
        "0042",
        "1e5",
        "TRUE",
        "ä 👩‍🚀 日本",
        "a\nb\tc",
        "a\r\nb",
        "x\x00y\x07z\x1b[31m",
        "_x0041_",
        "<b>&amp;</b>",
        "  spaces  ",
    ],
)
def test_a_text_stays_the_text_that_it_is(text: str) -> None:
    assert made([text]) == [[text]]


def test_numbers_are_numbers_and_nothing_is_an_empty_cell() -> None:
    assert made([1, 2.5, None, "x"]) == [[1.0, 2.5, "", "x"]]


def test_what_xml_cannot_hold_is_shown_as_such() -> None:
    assert made(["a\uffffb\ud800c"]) == [["a\ufffdb?c"]]


@pytest.mark.parametrize("character", ["a", "👩"])
def test_a_text_that_is_too_long_is_cut_and_says_so(character: str) -> None:
    [[cell]] = made([character * 40_000])
    assert isinstance(cell, str)
    assert cell.endswith(spreadsheet.CUT)
    assert len(cell.encode("utf-16-le")) // 2 <= spreadsheet.MAX_CHARACTERS


def test_a_text_that_just_fits_is_whole() -> None:
    assert made(["a" * spreadsheet.MAX_CHARACTERS]) == [["a" * spreadsheet.MAX_CHARACTERS]]


def test_cells_stay_in_their_columns_and_lines_in_their_rows() -> None:
    assert made(["a", None, "c"], [], [None, 2]) == [["a", "", "c"], ["", "", ""], ["", 2.0, ""]]


def test_what_is_no_number_of_excel_is_a_text() -> None:
    assert made([float("nan"), float("inf"), True, 10**400]) == [["nan", "inf", "True", str(10**400)]]


def test_the_first_piece_leaves_before_the_first_line_is_asked_for() -> None:
    asked: list[int] = []

    def lines() -> Iterator[list[int]]:
        for number in range(3):
            asked.append(number)
            yield [number]

    found = spreadsheet.pieces(lines())
    assert next(found).startswith(b"PK")
    assert asked == []


def test_a_line_that_cannot_be_made_is_an_error_and_no_whole_file() -> None:
    found = spreadsheet.pieces([1 / 0] for _ in range(1))
    assert next(found)
    with pytest.raises(ZeroDivisionError):
        next(found)


def test_another_library_reads_the_file_too() -> None:
    with zipfile.ZipFile(io.BytesIO(b"".join(spreadsheet.pieces([["a"]] * 3_000)))) as book:
        assert book.testzip() is None
        assert book.namelist()[0] == "[Content_Types].xml"
        for name in book.namelist():
            ET.fromstring(book.read(name))  # noqa: S314 - our own file


def test_memory_does_not_grow_with_the_rows() -> None:
    peaks = []
    for num_rows in (1_000, 8_000):
        tracemalloc.start()
        for _ in spreadsheet.pieces(["some text", number] for number in range(num_rows)):
            pass
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] + 500_000
