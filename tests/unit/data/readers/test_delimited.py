"""CSV and its like: exact values, listed problems, quotes that are left open."""

import csv
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from goldsmith.data.readers import BadRow, ReadItem, ReadOptions, ReadRow, delimited, open_rows
from goldsmith.data.readers.errors import (
    BadHeader,
    BrokenQuotes,
    DuplicateColumns,
    NotText,
    TooManyColumns,
    UnknownDelimiter,
)

WriteFile = Callable[[bytes | str], Path]

texts = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0"), max_size=30)


def read(path: Path, **options: object) -> list[ReadItem]:
    return list(open_rows(path, filename="a.csv", options=ReadOptions(**options)))  # type: ignore[arg-type]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@given(rows=st.lists(st.tuples(texts, texts, texts), min_size=1, max_size=8))
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_what_is_written_as_csv_is_read_the_same(
    tmp_path: Path, delimiter: str, rows: list[tuple[str, str, str]]
) -> None:
    path = tmp_path / "a.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, delimiter=delimiter).writerows([("one", "two", "three"), *rows])
    source = open_rows(path, filename="a.csv", options=ReadOptions(delimiter=delimiter))
    expected = [dict(zip(("one", "two", "three"), row, strict=True)) for row in rows]
    assert list(source) == [ReadRow(number, row) for number, row in enumerate(expected, start=1)]


@given(content=st.binary(max_size=300))
@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_no_bytes_below_a_header_end_the_reading(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"one,two\n1,2\n" + content)
    try:
        items = read(path, encoding="utf-8", delimiter=",")
    except NotText:  # mostly NULs: refused as a binary file, with the reason
        return
    assert [item.number for item in items] == list(range(1, len(items) + 1))


def test_rows_with_too_many_and_too_few_values_are_listed_with_counts_and_lines(write: WriteFile) -> None:
    items = read(write('a,b,c\n1,2,3\n1,2\n\n"x\ny",2,3\n1,2,3,4\n5,6,7\n'))
    assert [item.number for item in items] == [1, 2, 3, 4, 5]
    few, many = items[1], items[3]
    assert isinstance(few, BadRow)
    assert few.reason.startswith("line 3: 2 values, but there are 3 columns")
    assert isinstance(many, BadRow)
    assert many.reason.startswith("line 7: 4 values, but there are 3 columns")
    assert "comma in quotes" in many.reason
    assert items[2] == ReadRow(3, {"a": "x\ny", "b": "2", "c": "3"})
    assert items[4] == ReadRow(5, {"a": "5", "b": "6", "c": "7"})


def test_a_quote_open_until_the_end_names_its_row_and_swallows_nothing(write: WriteFile) -> None:
    items = read(write('a,b\n1,2\n3,"open\n5,6\n7,8\n'))
    bad = items[1]
    assert isinstance(bad, BadRow)
    assert bad.number == 2
    assert bad.reason.startswith("line 3: a quote is opened in this row and never closed")
    assert "line 4" in bad.reason
    assert items[2:] == [ReadRow(3, {"a": "5", "b": "6"}), ReadRow(4, {"a": "7", "b": "8"})]


def test_an_open_quote_in_the_last_row_is_listed(write: WriteFile) -> None:
    items = read(write('a,b\n1,2\n3,"open'))
    assert isinstance(items[-1], BadRow)
    assert items[-1].reason.endswith("until the end of the file; close it")


def test_an_open_quote_that_meets_another_one_is_listed_and_the_rest_is_read(write: WriteFile) -> None:
    items = read(write('a,b\n1,"open\n2,"closed"\n3,x\n'))
    assert [type(item) for item in items] == [BadRow, ReadRow, ReadRow]


def test_an_open_quote_in_a_large_file_ends_at_the_limit(write: WriteFile) -> None:
    items = read(write('a,b\n1,"open\n' + "2,x\n" * 100), max_row_chars=100)
    assert isinstance(items[0], BadRow)
    assert "not closed within 100 characters" in items[0].reason
    assert len(items) == 101


def test_quotes_that_never_fit_end_with_an_error_instead_of_hours(
    write: WriteFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delimited, "MAX_REREAD_CHARS", 10_000)
    with pytest.raises(BrokenQuotes, match="line"):
        read(write("a,b\n" + 'a","x\n' * 1000), max_row_chars=500, delimiter=",")


def test_a_long_row_is_listed_and_the_next_one_read(write: WriteFile) -> None:
    items = read(write("a,b\n1," + "x" * 200 + "\n2,y\n"), max_row_chars=100)
    assert isinstance(items[0], BadRow)
    assert "longer than 100 characters" in items[0].reason
    assert items[1] == ReadRow(2, {"a": "2", "b": "y"})


def test_a_value_longer_than_the_parser_usually_allows_is_read(write: WriteFile) -> None:
    items = read(write("a,b\n1," + "x" * 500_000 + "\n"))
    assert isinstance(items[0], ReadRow)


def test_a_quote_not_written_twice_is_explained(write: WriteFile) -> None:
    items = read(write('a,b\n1,"say "hi" now"\n2,x\n'))
    assert isinstance(items[0], BadRow)
    assert "twice" in items[0].reason
    assert isinstance(items[1], ReadRow)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_all_line_ends_work(write: WriteFile, end: str) -> None:
    assert len(read(write(end.join(["a,b", "1,2", "3,4", ""])))) == 2


def test_one_column_needs_no_delimiter(write: WriteFile) -> None:
    source = open_rows(write("question\nWhat, and why?\nSemi; colon\n"), filename="a.csv")
    assert source.delimiter is None
    assert [item.values["question"] for item in source if isinstance(item, ReadRow)] == [
        "What, and why?",
        "Semi; colon",
    ]


def test_excels_separator_line_is_understood(write: WriteFile) -> None:
    source = open_rows(write("sep=;\na;b\n1;2\n"), filename="a.csv")
    assert (source.delimiter, source.columns) == (";", ("a", "b"))
    assert list(source) == [ReadRow(1, {"a": "1", "b": "2"})]


def test_without_a_header_columns_are_numbered(write: WriteFile) -> None:
    items = read(write("1,2\n3,4\n"), has_header=False)
    assert items[0] == ReadRow(1, {"column_1": "1", "column_2": "2"})
    assert len(items) == 2


def test_headers_that_cannot_be_used_are_refused(write: WriteFile) -> None:
    with pytest.raises(DuplicateColumns, match="Column 1 “a” and column 3 “ a”"):
        read(write("a,b, a\n1,2,3\n"))
    with pytest.raises(BadHeader, match="line 1"):
        read(write('a,"b\n1,2\n'), delimiter=",")
    with pytest.raises(TooManyColumns, match="1,001"):
        read(write("," * 1000 + "\n"))


def test_a_column_without_a_name_is_called_after_its_place(write: WriteFile) -> None:
    assert open_rows(write("a,b,\n1,2,3\n"), filename="a.csv").columns == ("a", "b", "column_3")


@pytest.mark.parametrize("delimiter", ["ab", '"', "\n"])
def test_an_impossible_delimiter_is_refused(write: WriteFile, delimiter: str) -> None:
    with pytest.raises(UnknownDelimiter):
        read(write("a,b\n1,2\n"), delimiter=delimiter)
