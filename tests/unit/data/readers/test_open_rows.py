"""The front door: which reader gets a file, what a preview shows, and what holds for every text format."""

import json
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from goldsmith.data.readers import BadRow, EncodingSource, Format, ReadOptions, ReadRow, open_rows, preview
from goldsmith.data.readers.errors import (
    BadHeader,
    EmptyFile,
    NotRows,
    NotText,
    OnlyHeader,
    UnknownEncoding,
    UnreadableFile,
)

WriteFile = Callable[[bytes | str], Path]


@pytest.mark.parametrize("filename", ["a.csv", "a.jsonl", "a.json", "a.xlsx", "a.parquet", "pasted"])
def test_an_empty_file_is_refused_whatever_its_name(write: WriteFile, filename: str) -> None:
    with pytest.raises(EmptyFile, match="0 bytes"):
        open_rows(write(b""), filename=filename)


@pytest.mark.parametrize("content", ["\n\n  \n", "\ufeff", "   "])
def test_a_file_of_blank_space_is_refused(write: WriteFile, content: str) -> None:
    with pytest.raises(EmptyFile, match="blank"):
        open_rows(write(content), filename="a.csv")


@pytest.mark.parametrize("content", ["question,answer\n", "question,answer", "question,answer\n\n\n"])
def test_a_header_alone_is_refused_with_its_names(write: WriteFile, content: str) -> None:
    with pytest.raises(OnlyHeader, match="question, answer"):
        open_rows(write(content), filename="a.csv")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"%PDF-1.7\n...", "PDF"),
        (b"\x89PNG\r\n\x1a\n", "picture"),
        (b"\x1f\x8b\x08", "gzip"),
        (b"PK\x03\x04 not a workbook", "ZIP"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "old Excel"),
        (bytes(range(256)) * 50, "binary"),
        (bytes(500), "binary"),
    ],
)
def test_a_binary_file_under_a_csv_name_is_refused_by_its_kind(write: WriteFile, content: bytes, words: str) -> None:
    with pytest.raises(NotText, match=words):
        open_rows(write(content), filename="tickets.csv")


def test_a_web_page_is_no_table(write: WriteFile) -> None:
    with pytest.raises(NotRows, match="web page"):
        open_rows(write("<!DOCTYPE html><table><tr><td>a</td></tr></table>"), filename="export.xls")


def test_one_object_over_several_lines_is_no_rows(write: WriteFile) -> None:
    with pytest.raises(NotRows, match="one JSON object"):
        open_rows(write(json.dumps({"data": [1]}, indent=2)), filename="a.json")


@pytest.mark.parametrize(
    ("content", "filename", "expected"),
    [
        ("a,b\n1,2\n", "pasted", Format.DELIMITED),
        ("a\tb\n1\t2\n", "pasted.txt", Format.DELIMITED),
        ('{"a": 1}\n{"a": 2}\n', "pasted", Format.JSONL),
        ('{"a": 1}\n', "a.csv", Format.JSONL),
        ('[{"a": 1}]', "pasted", Format.JSON),
        ('[{"a": 1}]', "a.jsonl", Format.JSON),
        ("[x],b\n1,2\n", "a.csv", Format.DELIMITED),
        ('{"messages": [{"role": "user", "content": "Hi"}]}\n', "chats.jsonl", Format.CHAT),
        ('[{"messages": [{"role": "user", "content": "Hi"}]}]', "chats.json", Format.CHAT),
    ],
)
def test_the_format_is_found_out(write: WriteFile, content: str, filename: str, expected: Format) -> None:
    assert open_rows(write(content), filename=filename).format is expected


def test_the_chosen_format_wins(write: WriteFile) -> None:
    path = write('{"messages": [{"role": "user", "content": "Hi"}]}\n')
    assert open_rows(path, filename="a", options=ReadOptions(format=Format.JSONL)).columns == ("messages",)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
@pytest.mark.parametrize(
    ("filename", "content"),
    [
        ("a.csv", "question,answer\nWo ist das Büro?,im 2. Stock – links\n"),
        ("a.jsonl", '{"question": "Wo ist das Büro?", "answer": "im 2. Stock – links"}\n'),
        ("a.json", '[{"question": "Wo ist das Büro?", "answer": "im 2. Stock – links"}]'),
    ],
)
def test_every_unicode_encoding_gives_the_same_row(
    write: WriteFile, encoding: str, filename: str, content: str
) -> None:
    rows = list(open_rows(write(content.encode(encoding)), filename=filename))
    assert rows == [ReadRow(1, {"question": "Wo ist das Büro?", "answer": "im 2. Stock – links"})]


@pytest.mark.parametrize(
    ("filename", "content"),
    [
        ("a.csv", "question,answer\nfine,1\nbad,x\0y\nfine,2\n"),
        (
            "a.jsonl",
            '{"question":"fine","answer":"1"}\n{"question":"bad","answer":"x\0y"}\n{"question":"f","answer":""}\n',
        ),
        ("a.json", '[{"question":"fine","answer":"1"},\n{"question":"bad","answer":"x\\u0000y"},{"question":"f"}]'),
    ],
)
def test_a_nul_byte_makes_its_row_a_listed_one_and_the_others_stay(
    write: WriteFile, filename: str, content: str
) -> None:
    first, bad, last = open_rows(write(content), filename=filename)
    assert isinstance(first, ReadRow)
    assert isinstance(last, ReadRow)
    assert isinstance(bad, BadRow)
    assert (bad.number, bad.column) == (2, "answer")
    assert "NUL" in bad.reason


def test_a_lone_surrogate_makes_its_row_a_listed_one(write: WriteFile) -> None:
    content = '{"q": "a", "a": "fine"}\n{"q": "b", "a": "half \\ud83d of it"}\n{"q": "c", "a": "\\ud83d\\ude00"}\n'
    first, bad, last = open_rows(write(content), filename="a.jsonl")
    assert isinstance(bad, BadRow)
    assert (bad.number, bad.column) == (2, "a")
    assert "surrogate" in bad.reason
    assert last == ReadRow(3, {"q": "c", "a": "😀"})
    assert isinstance(first, ReadRow)


def test_bytes_that_do_not_fit_the_chosen_encoding_spoil_their_row_only(write: WriteFile) -> None:
    path = write(b"q,a\n1,fine\n2,caf\xe9\n3,fine\n")
    source = open_rows(path, filename="a.csv", options=ReadOptions(encoding="utf-8"))
    assert source.encoding is not None
    assert source.encoding.source is EncodingSource.CHOSEN
    items = list(source)
    assert [type(item) for item in items] == [ReadRow, BadRow, ReadRow]
    assert isinstance(items[1], BadRow)
    assert items[1].column == "a"


def test_an_unknown_encoding_is_refused(write: WriteFile) -> None:
    with pytest.raises(UnknownEncoding, match="klingon"):
        open_rows(write("a,b\n1,2\n"), filename="a.csv", options=ReadOptions(encoding="klingon"))


@pytest.mark.parametrize("filename", ["a.jsonl", "pasted"])
@pytest.mark.parametrize("before", ["", '{"q": "a"}\n'])
def test_a_single_line_of_50_mb_stays_within_bounded_memory(tmp_path: Path, filename: str, before: str) -> None:
    path = tmp_path / "large"
    with path.open("wb") as file:
        file.write(before.encode() + b'{"q": "')
        for _ in range(50):
            file.write(b"x" * 1_000_000)
        file.write(b'"}\n')
    tracemalloc.start()
    items = list(open_rows(path, filename=filename))
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert isinstance(items[-1], BadRow)
    assert "longer than 1,000,000 characters" in items[-1].reason
    assert peak_bytes < 20_000_000


def test_a_csv_with_a_line_of_50_mb_lists_it_and_reads_on(tmp_path: Path) -> None:
    path = tmp_path / "large"
    path.write_bytes(b"q,a\n1,x\n2," + b"x" * 50_000_000 + b"\n3,y\n")
    tracemalloc.start()
    items = list(open_rows(path, filename="a.csv"))
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert [type(item) for item in items] == [ReadRow, BadRow, ReadRow]
    assert peak_bytes < 20_000_000


def test_a_first_line_of_50_mb_is_no_header(write: WriteFile) -> None:
    with pytest.raises(BadHeader, match="longer than 1,000,000 characters"):
        open_rows(write(b"x" * 50_000_000), filename="a.csv")


def test_a_list_that_is_one_element_of_50_mb_stays_within_bounded_memory(tmp_path: Path) -> None:
    path = tmp_path / "large"
    with path.open("wb") as file:
        file.write(b'[{"q": "short"}, {"q": "')
        for _ in range(50):
            file.write(b"x" * 1_000_000)
        file.write(b'"}, {"q": "after"}]')
    tracemalloc.start()
    items = list(open_rows(path, filename="a.json"))
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak_bytes < 20_000_000
    assert items[0] == ReadRow(1, {"q": "short"})
    assert isinstance(items[1], BadRow)
    assert items[2] == ReadRow(3, {"q": "after"})


def test_a_source_can_be_read_twice(write: WriteFile) -> None:
    source = open_rows(write("a,b\n1,2\n3,4\n"), filename="a.csv")
    assert list(source) == list(source)


def test_every_error_of_a_file_is_a_sentence_with_a_hint(write: WriteFile) -> None:
    with pytest.raises(UnreadableFile) as caught:
        open_rows(write("a,a\n1,2\n"), filename="a.csv")
    assert caught.value.message.endswith(".")
    assert caught.value.hint


def test_a_preview_shows_the_beginning_and_its_problems(write: WriteFile) -> None:
    lines = "".join(f"{n},Hello {n},billing\n" for n in range(100))
    shown = preview(write("id;Question;expected_answer\n".replace(";", ",") + "x,y\n" + lines), filename="a.csv")
    assert (shown.format, shown.delimiter, shown.columns) == (
        Format.DELIMITED,
        ",",
        ("id", "Question", "expected_answer"),
    )
    assert shown.encoding is not None
    assert shown.encoding.name == "utf-8"
    assert [row.number for row in shown.rows] == list(range(2, 22))
    assert [problem.number for problem in shown.problems] == [1]
    assert (shown.roles.question, shown.roles.answer) == ("Question", "expected_answer")
    assert not shown.is_whole_file


def test_a_preview_of_a_short_file_says_that_it_is_all(write: WriteFile) -> None:
    assert preview(write("a,b\n1,2\n"), filename="a.csv", num_rows=1).is_whole_file


def test_a_preview_of_bad_rows_only_ends_soon(write: WriteFile) -> None:
    shown = preview(write("a,b\n" + "1\n" * 10_000), filename="a.csv", options=ReadOptions(delimiter=","))
    assert len(shown.problems) == 50
    assert not shown.is_whole_file
