"""Spreadsheet bombs of every kind are refused, quickly and in bounded memory."""

import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from goldsmith.data.readers import excel_limits, open_rows
from goldsmith.data.readers.errors import BrokenFile, FileTooLarge
from goldsmith.data.readers.excel_limits import ExcelLimits

WriteWorkbook = Callable[..., Path]
SMALL = ExcelLimits(max_unpacked_bytes=20_000_000, max_cells=10_000, max_text_chars=100_000)
ROOMY = ExcelLimits(max_unpacked_bytes=20_000_000)


def test_a_sound_workbook_passes(write_workbook: WriteWorkbook) -> None:
    sheet = '<row><c t="s"><v>0</v></c><c><v>5</v></c></row>'
    excel_limits.check(
        write_workbook({"A": sheet}, shared=["x"], parts={"xl/a.png": b"\x89PNG", "xl/b.vml": "<xml><br></xml>"})
    )


def test_a_part_that_unpacks_to_more_than_allowed_is_refused(write_workbook: WriteWorkbook) -> None:
    path = write_workbook({"A": ""}, parts={"xl/worksheets/sheet1.xml": b"<a>" + b" " * 50_000_000 + b"</a>"})
    assert path.stat().st_size < 100_000
    tracemalloc.start()
    with pytest.raises(FileTooLarge, match="more than 20 MB"):
        excel_limits.check(path, ROOMY)
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak_bytes < 5_000_000


def test_a_single_cell_far_away_is_refused_before_the_library_sees_it(write_workbook: WriteWorkbook) -> None:
    sheet = '<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
    started_at = time.monotonic()
    with pytest.raises(FileTooLarge, match="1,048,576 rows and 16,384 columns"):
        open_rows(write_workbook({"A": sheet}), filename="a.xlsx")
    assert time.monotonic() - started_at < 2


def test_a_long_text_that_many_cells_share_is_counted_in_each(write_workbook: WriteWorkbook) -> None:
    sheet = "<row>" + '<c t="s"><v>0</v></c>' * 200 + "</row>"
    with pytest.raises(FileTooLarge, match="characters of text"):
        excel_limits.check(write_workbook({"A": sheet}, shared=["x" * 1000]), SMALL)


def test_many_different_texts_and_many_parts_are_refused(write_workbook: WriteWorkbook) -> None:
    with pytest.raises(FileTooLarge, match="different texts"):
        excel_limits.check(write_workbook({"A": ""}, shared=[""] * 10_001), SMALL)
    with pytest.raises(FileTooLarge, match="parts"):
        excel_limits.check(write_workbook({"A": ""}, parts={f"x{n}": b"" for n in range(2001)}), SMALL)


@pytest.mark.parametrize(
    "parts",
    [
        {"xl/worksheets/sheet1.xml": "x <worksheet><sheetData/></worksheet>"},
        {"xl/worksheets/sheet1.xml": '<!DOCTYPE a [<!ENTITY b "c">]><worksheet>&b;</worksheet>'},
        {"xl/worksheets/sheet1.xml": '<worksheet><row><c t="s"><v>7</v></c></row></worksheet>'},
        {"xl/a.vml": "<sst><br></sst>"},
        {"xl/more.xml": "<sst><si><t>again</t></si></sst>"},
    ],
    ids=["hidden sheet", "document type", "unknown shared text", "hidden texts", "shared texts twice"],
)
def test_tricks_that_would_blind_the_measuring_are_refused(
    write_workbook: WriteWorkbook, parts: dict[str, str]
) -> None:
    with pytest.raises(BrokenFile):
        excel_limits.check(write_workbook({"A": ""}, shared=["x"], parts=parts))


def test_a_file_over_the_size_is_refused(write_workbook: WriteWorkbook) -> None:
    with pytest.raises(FileTooLarge, match="MB"):
        excel_limits.check(write_workbook({"A": ""}), ExcelLimits(max_file_bytes=10))
