"""Excel files as a reader of Excel files sees them."""

import io
import tempfile
import tracemalloc
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from python_calamine import CalamineWorkbook

from goldsmith.run import spreadsheet


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where files in the making lie, to see that none is left."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


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


def test_nothing_is_left_on_the_disk(temporary: Path) -> None:
    found = spreadsheet.pieces([["a"]])
    assert next(found)
    found.close()  # type: ignore[attr-defined]
    with pytest.raises(ZeroDivisionError):
        spreadsheet.pieces([1 / 0] for _ in range(1))
    assert list(temporary.iterdir()) == []


def test_memory_does_not_grow_with_the_rows() -> None:
    peaks = []
    for num_rows in (1_000, 8_000):
        tracemalloc.start()
        for _ in spreadsheet.pieces(["some text", number] for number in range(num_rows)):
            pass
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] + 500_000
