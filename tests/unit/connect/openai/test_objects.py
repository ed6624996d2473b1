"""What a file holds is told by its objects, however they are laid out in it."""

import json
from pathlib import Path
from typing import Any

import pytest
from tests.unit.connect.openai.conftest import ASKED, EVAL, JOB, ROWS, RUN, Write, answered, chat, completion

from goldsmith.connect.openai.objects import is_export, kind_of, objects
from goldsmith.connect.openai.types import FileKind

PAIR = {"input": {"messages": []}, "preferred_output": [], "non_preferred_output": []}
OUTPUT = {"object": "eval.run.output_item", "datasource_item": {"text": "x"}}


@pytest.mark.parametrize(
    ("found", "kind"),
    [
        (chat("q", "a"), FileKind.CHATS),
        (PAIR, FileKind.PREFERENCES),
        (EVAL, FileKind.EVAL),
        ({"name": "sent, not got", "testing_criteria": []}, FileKind.EVAL),
        (RUN, FileKind.EVAL_RUN),
        (ROWS[0], FileKind.EVAL_ROWS),
        (OUTPUT, FileKind.EVAL_OUTPUT),
        (ASKED[0], FileKind.BATCH_INPUT),
        (answered("r1", "a"), FileKind.BATCH_OUTPUT),
        (completion("c1", "a"), FileKind.COMPLETIONS),
        (JOB, FileKind.JOBS),
        ({"question": "q", "answer": "a"}, FileKind.OTHER),
        ({"object": "something new"}, FileKind.OTHER),
    ],
)
def test_a_file_is_known_by_its_objects(write: Write, found: dict[str, Any], kind: FileKind) -> None:
    assert kind_of(write("file.jsonl", [found])) is kind


@pytest.mark.parametrize(
    "content",
    [
        json.dumps(EVAL),
        json.dumps(EVAL, indent=2),
        json.dumps([EVAL]),
        json.dumps([EVAL], indent=2),
        json.dumps({"object": "list", "data": [EVAL], "has_more": False}),
        json.dumps({"object": "list", "data": [EVAL]}, indent=2),
        "\n" + json.dumps(EVAL) + "\n",
        "this line is broken {\n" + json.dumps(EVAL),
    ],
)
def test_an_object_is_found_however_it_is_laid_out(tmp_path: Path, content: str) -> None:
    path = tmp_path / "eval.json"
    path.write_text(content)
    assert list(objects(path)) == [EVAL]


def test_several_pages_of_a_list_may_stand_in_one_file(tmp_path: Path) -> None:
    path = tmp_path / "pages.jsonl"
    path.write_text("".join(json.dumps({"object": "list", "data": [{"id": number}]}) + "\n" for number in range(3)))
    assert [each["id"] for each in objects(path)] == [0, 1, 2]


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00", b"a,b\n1,2\n", b"[" * 100_000])
def test_what_is_no_json_holds_nothing(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    assert (list(objects(path)), kind_of(path)) == ([], FileKind.OTHER)


def test_chats_are_rows_of_their_own_and_no_export(write: Write) -> None:
    assert not is_export(write("chats.jsonl", [chat("q", "a")]))
    assert not is_export(write("rows.jsonl", [{"question": "q"}]))
    assert is_export(write("eval.jsonl", [EVAL]))
