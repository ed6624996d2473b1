"""The exact lines of a training set."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from goldsmith.stars.errors import ExampleDoesNotFit
from goldsmith.stars.formats import FORMATS
from goldsmith.stars.types import Message, SetFormat


def chat(*turns: tuple[str, str]) -> list[Message]:
    return [Message(role=role, content=content) for role, content in turns]


SYSTEM = ("system", "Answer with one topic.")
QUESTION = ("user", "Where is my card?")
ANSWER = ("assistant", "card_arrival")


def test_every_format_has_its_function() -> None:
    assert set(FORMATS) == set(SetFormat)


@pytest.mark.parametrize("name", [SetFormat.chatml, SetFormat.openai])
def test_chats_are_written_as_messages(name: SetFormat) -> None:
    assert FORMATS[name](chat(SYSTEM, QUESTION, ANSWER)) == (
        '{"messages": [{"role": "system", "content": "Answer with one topic."}, '
        '{"role": "user", "content": "Where is my card?"}, {"role": "assistant", "content": "card_arrival"}]}'
    )


def test_alpaca_keeps_the_system_text_as_the_instruction() -> None:
    assert FORMATS[SetFormat.alpaca](chat(SYSTEM, QUESTION, ANSWER)) == (
        '{"instruction": "Answer with one topic.", "input": "Where is my card?", "output": "card_arrival"}'
    )
    assert FORMATS[SetFormat.alpaca](chat(QUESTION, ANSWER)) == (
        '{"instruction": "Where is my card?", "input": "", "output": "card_arrival"}'
    )


def test_alpaca_refuses_several_turns_and_says_which_format_holds_them() -> None:
    with pytest.raises(ExampleDoesNotFit, match="user, assistant, user, assistant") as caught:
        FORMATS[SetFormat.alpaca](chat(QUESTION, ANSWER, QUESTION, ANSWER))
    assert "chatml" in caught.value.hint


def test_several_turns_are_fine_as_messages() -> None:
    line = FORMATS[SetFormat.chatml](chat(QUESTION, ANSWER, QUESTION, ANSWER))
    assert len(json.loads(line)["messages"]) == 4


@pytest.mark.parametrize("name", list(SetFormat))
@pytest.mark.parametrize(
    ("messages", "words"),
    [
        ([], "no answer to learn"),
        (chat(QUESTION), "no answer to learn"),
        (chat(QUESTION, ("assistant", " \n")), "answer is empty"),
        (chat(("tool", "x"), ANSWER), 'Message 1 has the role "tool"'),
    ],
)
def test_what_teaches_nothing_is_refused(name: SetFormat, messages: list[Message], words: str) -> None:
    with pytest.raises(ExampleDoesNotFit, match=words):
        FORMATS[name](messages)


def test_fine_tuning_services_want_a_question() -> None:
    with pytest.raises(ExampleDoesNotFit, match="no message from the user"):
        FORMATS[SetFormat.openai](chat(SYSTEM, ANSWER))


@settings(max_examples=60)
@given(st.sampled_from(list(SetFormat)), st.text(st.characters(codec=None)))
def test_any_text_is_one_line_that_reads_back_the_same(name: SetFormat, text: str) -> None:
    line = FORMATS[name](chat(SYSTEM, ("user", text), ("assistant", "x" + text)))
    assert len(line.splitlines()) == 1
    read = json.loads(line.encode())
    if name is SetFormat.alpaca:
        assert (read["input"], read["output"]) == (text, "x" + text)
    else:
        assert [message["content"] for message in read["messages"][1:]] == [text, "x" + text]


def test_nothing_but_role_and_content_is_written_in_this_order() -> None:
    message: Message = {"content": "Where?", "role": "user"}
    line = FORMATS[SetFormat.chatml]([message, *chat(ANSWER)])
    assert line.startswith('{"messages": [{"role": "user", "content": "Where?"}')
