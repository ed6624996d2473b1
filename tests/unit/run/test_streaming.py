"""Chats that are heard while they are written: the same reply as without, wherever the bytes are cut."""

import itertools
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goldsmith.run.engine_reply import ReplyKind
from goldsmith.run.streaming import Listener, read_stream

USAGE = {"prompt_tokens": 3, "completion_tokens": 2}
DONE = b"data: [DONE]\n\n"


def event(**said: object) -> bytes:
    return b"data: " + json.dumps(said, ensure_ascii=False).encode() + b"\n\n"


def stream(*texts: str, reason: str | None = "stop") -> bytes:
    begin = event(choices=[{"delta": {"role": "assistant", "content": ""}, "finish_reason": None}])
    parts = [event(choices=[{"delta": {"content": text}, "finish_reason": None}]) for text in texts]
    end = event(choices=[{"delta": {}, "finish_reason": reason}])
    return b"".join((begin, *parts, end, event(choices=[], usage=USAGE), DONE))


@given(texts=st.lists(st.text(st.characters(exclude_categories=["Cs"]))), cuts=st.sets(st.integers(1, 900), max_size=9))
def test_what_is_heard_is_what_was_answered_wherever_it_is_cut(texts: list[str], cuts: set[int]) -> None:
    content, heard = stream(*texts), []
    listener = Listener(lambda text, is_first: heard.append((text, is_first)))
    places = sorted({0, *cuts, len(content)})
    for begin, end in itertools.pairwise(places):
        listener(content[begin:end])
    reply = read_stream(content, 5.0)
    assert "".join(text for text, _ in heard) == "".join(texts) == reply.content["choices"][0]["message"]["content"]  # type: ignore[index]
    assert [is_first for _, is_first in heard] == [number == 0 for number in range(len(heard))]


def test_a_whole_stream_is_an_answer_with_its_counts() -> None:
    reply = read_stream(stream("Yes, ", "indeed.", reason="length"), 5.0)
    assert (reply.kind, reply.duration_ms) == (ReplyKind.ANSWER, 5.0)
    assert reply.content == {
        "choices": [{"message": {"role": "assistant", "content": "Yes, indeed."}, "finish_reason": "length"}],
        "usage": USAGE,
    }


@pytest.mark.parametrize("content", [b"", stream("Yes").removesuffix(DONE), b"<html>", stream("Yes")[:-3]])
def test_a_stream_that_breaks_off_is_no_answer(content: bytes) -> None:
    assert read_stream(content, 5.0).kind is ReplyKind.BROKEN


def test_a_stream_that_ends_with_an_error_is_no_answer() -> None:
    reply = read_stream(event(error={"message": "EngineCore died", "code": 500}) + DONE, 5.0)
    assert (reply.kind, "EngineCore died" in reply.words) == (ReplyKind.ERROR, True)


def test_lines_that_are_no_events_are_passed_over() -> None:
    heard: list[str] = []
    Listener(lambda text, _: heard.append(text))(b': beat\n\ndata: {no json\n\ndata: [1]\n\ndata: {"choices": 7}\n\n')
    assert heard == []
