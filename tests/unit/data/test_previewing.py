"""A preview is made by a child whose memory and time are limited."""

from pathlib import Path

import pytest

from goldsmith.data import previewing
from goldsmith.data.errors import TooMuchMemory
from goldsmith.data.previewing import preview
from goldsmith.data.readers import ReadOptions
from goldsmith.data.readers.errors import FileTooLarge, UnknownDelimiter, UnreadableFile


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "upload"
    path.write_text("question;answer\nWhere?;here\nWhy?;because\n")
    return path


def test_the_child_gives_what_the_reader_found(file: Path) -> None:
    found = preview(file, filename="questions.csv", num_rows=1)
    assert (found.columns, found.delimiter, found.roles.answer) == (("question", "answer"), ";", "answer")
    assert [row.values for row in found.rows] == [{"question": "Where?", "answer": "here"}]
    assert not found.is_whole_file


def test_the_same_file_is_looked_at_once_in_each_way(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = preview(file, filename="questions.csv")
    other_way = preview(file, filename="questions.csv", options=ReadOptions(has_header=False))
    monkeypatch.setattr(previewing, "TIMEOUT_S", 0)  # no child can answer any more
    assert preview(file, filename="questions.csv") == first
    assert preview(file, filename="questions.csv", options=ReadOptions(has_header=False)) == other_way != first
    file.write_text("other;columns;here\n1;2;3\n")
    with pytest.raises(FileTooLarge):
        preview(file, filename="questions.csv")


def test_the_readers_own_error_comes_back(file: Path) -> None:
    with pytest.raises(UnreadableFile) as caught:
        preview(file, filename="questions.csv", options=ReadOptions(delimiter="two signs"))
    assert type(caught.value) is UnknownDelimiter
    assert caught.value.hint


def test_a_child_without_enough_memory_is_a_sentence(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file.write_text("question\n" + "x" * 900_000 + "\n")
    monkeypatch.setattr(previewing, "MEMORY_LIMIT_BYTES", 1_000_000)
    with pytest.raises(TooMuchMemory, match="memory"):
        preview(file, filename="questions.csv")


def test_a_child_that_takes_too_long_is_ended(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(previewing, "TIMEOUT_S", 0.001)
    with pytest.raises(FileTooLarge, match="longer"):
        preview(file, filename="questions.csv")
