"""Sheets of .xlsx workbooks as rows."""

from collections.abc import Callable
from pathlib import Path

import pytest

from goldsmith.data.readers import BadRow, Format, ReadOptions, ReadRow, open_rows
from goldsmith.data.readers.errors import BrokenFile, EmptyFile, NotText, OnlyHeader, UnknownSheet

WriteWorkbook = Callable[..., Path]
RowsXml = Callable[..., str]


def test_the_first_sheet_with_content_is_read_under_any_name(write_workbook: WriteWorkbook, rows_xml: RowsXml) -> None:
    rows = rows_xml([["question", "answer"], ["Where?", "Here & there"]])
    source = open_rows(write_workbook({"Empty": "", "Data": rows}), filename="a.csv")
    assert (source.format, source.sheet, source.sheets) == (Format.EXCEL, "Data", ("Empty", "Data"))
    assert list(source) == [ReadRow(1, {"question": "Where?", "answer": "Here & there"})]


def test_numbers_booleans_and_shared_texts_become_text(write_workbook: WriteWorkbook, rows_xml: RowsXml) -> None:
    cells = '<c r="A2"><v>5</v></c><c r="B2"><v>5.5</v></c><c r="C2" t="b"><v>1</v></c><c r="D2" t="s"><v>1</v></c>'
    sheet = rows_xml([["a", "b", "c", "d"]]) + f'<row r="2">{cells}</row>'
    row = next(iter(open_rows(write_workbook({"A": sheet}, shared=["x", "shared"]), filename="a.xlsx")))
    assert row == ReadRow(1, {"a": "5", "b": "5.5", "c": "true", "d": "shared"})


def test_empty_rows_are_passed_over_and_reasons_name_the_row_of_the_sheet(
    write_workbook: WriteWorkbook, rows_xml: RowsXml
) -> None:
    sheet = rows_xml([["a", "b"], ["1", "2"]], first_row=3) + rows_xml([["x" * 200, "y"], ["3", "4"]], first_row=8)
    path = write_workbook({"A": sheet})
    items = list(open_rows(path, filename="a.xlsx", options=ReadOptions(max_row_chars=100)))
    assert items == [
        ReadRow(1, {"a": "1", "b": "2"}),
        BadRow(2, None, "row 8 of the sheet is longer than 100 characters; shorten or split it"),
        ReadRow(3, {"a": "3", "b": "4"}),
    ]


def test_a_chosen_sheet_is_read_and_an_unknown_one_refused(write_workbook: WriteWorkbook, rows_xml: RowsXml) -> None:
    path = write_workbook({"A": rows_xml([["a"], ["1"]]), "B": rows_xml([["b"], ["2"]])})
    assert open_rows(path, filename="a.xlsx", options=ReadOptions(sheet="B")).columns == ("b",)
    with pytest.raises(UnknownSheet, match="A, B"):
        open_rows(path, filename="a.xlsx", options=ReadOptions(sheet="C"))


def test_empty_workbooks_and_headers_alone_are_refused(write_workbook: WriteWorkbook, rows_xml: RowsXml) -> None:
    with pytest.raises(EmptyFile, match="no cells"):
        open_rows(write_workbook({"A": ""}), filename="a.xlsx")
    with pytest.raises(OnlyHeader, match="a, b"):
        open_rows(write_workbook({"A": rows_xml([["a", "b"]])}), filename="a.xlsx")


def test_a_workbook_that_is_damaged_or_two_things_at_once_is_refused(
    write_workbook: WriteWorkbook, rows_xml: RowsXml
) -> None:
    with pytest.raises(BrokenFile):
        open_rows(write_workbook({"A": rows_xml([["a"], ["1"]]) + "<row"}), filename="a.xlsx")
    with pytest.raises(NotText, match="ZIP"):
        open_rows(write_workbook({"A": ""}, parts={"xl/workbook.bin": b"x"}), filename="a.xlsx")
