"""OpenAI's chat files as rows with question and good answer."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from goldsmith.data.readers import BadRow, ReadRow, open_rows

WriteFile = Callable[[bytes | str], Path]

SYSTEM = {"role": "system", "content": "Be short."}
USER = {"role": "user", "content": "Where?"}
ANSWER = {"role": "assistant", "content": "Here."}


def read_one(write: WriteFile, chat: object) -> ReadRow | BadRow:
    first, second = open_rows(
        write(json.dumps({"messages": [USER]}) + "\n" + json.dumps(chat) + "\n"), filename="a.jsonl"
    )
    assert isinstance(first, ReadRow)
    return second


@pytest.mark.parametrize(
    ("messages", "system", "question", "answer"),
    [
        ([SYSTEM, USER, ANSWER], "Be short.", "Where?", "Here."),
        ([USER, ANSWER], "", "Where?", "Here."),
        ([USER], "", "Where?", ""),
        (
            [USER, ANSWER, {"role": "user", "content": "Sure?"}, {"role": "assistant", "content": "Yes."}],
            "",
            "",
            "Yes.",
        ),
        ([{"role": "user", "content": [{"type": "text", "text": "Where?"}]}, ANSWER], "", "Where?", "Here."),
    ],
)
def test_the_last_assistant_message_is_the_good_answer(
    write: WriteFile, messages: list[object], system: str, question: str, answer: str
) -> None:
    row = read_one(write, {"messages": messages})
    assert isinstance(row, ReadRow)
    assert row.values == {
        "messages": json.dumps(messages, separators=(",", ":")),
        "system": system,
        "question": question,
        "answer": answer,
    }


@pytest.mark.parametrize(
    ("chat", "words"),
    [
        ({"messages": []}, "a list of messages is expected"),
        ({"text": "x"}, "a list of messages is expected"),
        ({"messages": ["x"]}, "message 1 is not an object"),
        ({"messages": [USER, {"role": "boss", "content": "x"}]}, "message 2 has the role “boss”"),
        ({"messages": [USER, {"role": "assistant"}]}, "message 2 has no text"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}, "image_url"),
        ({"messages": [SYSTEM, ANSWER]}, "no message has the role user"),
    ],
)
def test_a_broken_chat_is_listed(write: WriteFile, chat: object, words: str) -> None:
    bad = read_one(write, chat)
    assert isinstance(bad, BadRow)
    assert (bad.number, bad.column) == (2, "messages")
    assert words in bad.reason
    assert "line 2" in bad.reason


def test_other_keys_stay_as_columns(write: WriteFile) -> None:
    lines = json.dumps({"messages": [USER, ANSWER], "id": 7, "answer": "mine"}) + "\n"
    source = open_rows(write(lines), filename="a.jsonl")
    assert source.columns == ("messages", "system", "question", "answer", "id", "answer (in file)")
    row = next(iter(source))
    assert isinstance(row, ReadRow)
    assert (row.values["answer"], row.values["answer (in file)"], row.values["id"]) == ("Here.", "mine", "7")


def preference(**changes: object) -> dict[str, object]:
    bad = {"role": "assistant", "content": "No idea."}
    line = {"input": {"messages": [SYSTEM, USER]}, "preferred_output": [ANSWER], "non_preferred_output": [bad]}
    return {**line, **changes}


def test_a_line_of_preferences_is_a_chat_with_the_bad_answer_beside_it(write: WriteFile) -> None:
    (row,) = open_rows(write(json.dumps(preference(topic="places")) + "\n"), filename="a.jsonl")
    assert isinstance(row, ReadRow)
    assert json.loads(row.values["messages"]) == [SYSTEM, USER, ANSWER]
    rest = {name: value for name, value in row.values.items() if name != "messages"}
    assert rest == {
        "system": "Be short.",
        "question": "Where?",
        "answer": "Here.",
        "topic": "places",
        "non_preferred_output": "No idea.",
    }


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"input": "Where?"}, "input with a list of messages"),
        ({"preferred_output": []}, "preferred_output must be a list of one message"),
        ({"non_preferred_output": [USER]}, "non_preferred_output is not from the assistant"),
        ({"non_preferred_output": "No idea."}, "non_preferred_output must be a list"),
    ],
)
def test_a_line_of_preferences_that_is_not_whole_says_what_is_missing(
    write: WriteFile, changes: dict[str, object], words: str
) -> None:
    row = read_one(write, preference(**changes))
    assert isinstance(row, BadRow)
    assert words in row.reason
