"""Conversations that are sent to a provider are read whole, or not at all."""

import hashlib
import json
from pathlib import Path

import pytest

from goldsmith.wire import chats
from goldsmith.wire.order import DataFile
from goldsmith.wire.rows import BadRows

GOOD = {"messages": [{"role": "user", "content": "Where?"}, {"role": "assistant", "content": "On its way"}]}


def write(folder: Path, *lines: str, num_rows: int | None = None) -> DataFile:
    text = "".join(f"{line}\n" for line in lines)
    (folder / "learn.jsonl").write_text(text, encoding="utf-8")
    number = len(lines) if num_rows is None else num_rows
    return DataFile("learn.jsonl", hashlib.sha256(text.encode()).hexdigest(), number, 0, 0)


def test_the_answers_come_in_their_order(tmp_path: Path) -> None:
    other = {"messages": [GOOD["messages"][0], {"role": "assistant", "content": ""}]}
    assert chats.read(tmp_path, write(tmp_path, json.dumps(GOOD), json.dumps(other))) == ["On its way", ""]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("{", "line 1: not a conversation"),
        ('{"messages": []}', "line 1: not a conversation"),
        ('{"messages": [{"role": "user", "content": "Where?"}]}', "its last message is no answer"),
        ('{"messages": [{"role": "assistant", "content": null}]}', "its last message is no answer"),
    ],
)
def test_a_line_that_is_none_is_named(tmp_path: Path, line: str, words: str) -> None:
    with pytest.raises(BadRows, match=words):
        chats.read(tmp_path, write(tmp_path, line))


def test_another_file_and_another_number_of_rows_are_told(tmp_path: Path) -> None:
    file = write(tmp_path, json.dumps(GOOD), num_rows=2)
    with pytest.raises(BadRows, match=r"1 rows, job\.json says 2"):
        chats.read(tmp_path, file)
    (tmp_path / "learn.jsonl").write_text("")
    with pytest.raises(BadRows, match="SHA-256"):
        chats.read(tmp_path, file)
