import json
from pathlib import Path
from typing import Any

import pytest

from goldsmith.run.batches import input_file
from goldsmith.run.batches.input_file import read_body, read_lines
from goldsmith.run.batches.types import Fault, InputLine

URL = "/v1/completions"
GOOD: dict[str, Any] = {"custom_id": "a", "method": "POST", "url": URL, "body": {"model": "m", "prompt": "Hi"}}


def read(tmp_path: Path, *raw: bytes) -> list[InputLine | Fault]:
    path = tmp_path / "input.jsonl"
    path.write_bytes(b"".join(raw))
    return list(read_lines(path, URL))


def line(**changes: Any) -> bytes:
    return json.dumps({**GOOD, **changes}).encode() + b"\n"


def test_a_body_is_found_again_where_its_line_was(tmp_path: Path) -> None:
    marked = b"\xef\xbb\xbf" + line()
    found = read(tmp_path, marked, b"\r\n", line(custom_id="b", body={"prompt": "ö"})[:-1])
    assert [each.custom_id for each in found if isinstance(each, InputLine)] == ["a", "b"]
    assert [(each.number, each.model) for each in found if isinstance(each, InputLine)] == [(1, "m"), (3, None)]
    with (tmp_path / "input.jsonl").open("rb") as file:
        for each, body in zip(found, (GOOD["body"], {"prompt": "ö"}), strict=True):
            assert isinstance(each, InputLine)
            assert read_body(file, each.start_byte, each.num_bytes) == body


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b'{"custom_id": \n', "invalid_json_line"),
        (b"[1]\n", "invalid_json_line"),
        (b"\xff\xfe\n", "invalid_json_line"),
        (line(custom_id=None), "missing_required_parameter"),
        (line(body=None), "missing_required_parameter"),
        (line(custom_id=7), "invalid_custom_id"),
        (line(custom_id="x" * 256), "invalid_custom_id"),
        (line(method="GET"), "invalid_method"),
        (line(url="/v1/chat/completions"), "mismatched_url"),
        (line(body="Hi"), "invalid_type"),
        (line(body={"model": 7}), "invalid_type"),
    ],
)
def test_what_is_wrong_with_a_line_is_told_with_its_number(tmp_path: Path, raw: bytes, code: str) -> None:
    found = read(tmp_path, line(), raw, line(custom_id="b"))
    assert isinstance(found[1], Fault)
    assert (found[1].line, found[1].code) == (2, code)
    assert [type(each) for each in found] == [InputLine, Fault, InputLine]


def test_a_custom_id_is_there_once(tmp_path: Path) -> None:
    found = read(tmp_path, line(), line(custom_id="b"), line())
    assert isinstance(found[2], Fault)
    assert (found[2].code, found[2].line, found[2].param) == ("duplicate_custom_id", 3, "custom_id")


def test_a_file_without_requests_is_no_batch(tmp_path: Path) -> None:
    assert [each.code for each in read(tmp_path, b"\n \n") if isinstance(each, Fault)] == ["empty_file"]


def test_a_line_without_end_is_refused_in_bounded_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(input_file, "MAX_REQUEST_BYTES", 200)
    found = read(tmp_path, line(), b"x" * 1000 + b"\n", line(custom_id="b"))
    assert [each.code if isinstance(each, Fault) else each.custom_id for each in found] == [
        "a",
        "request_too_long",
        "b",
    ]


def test_there_are_not_too_many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(input_file, "MAX_REQUESTS", 2)
    found = read(tmp_path, *(line(custom_id=str(number)) for number in range(4)))
    assert isinstance(found[-1], Fault)
    assert (len(found), found[-1].code) == (3, "too_many_tasks")
