import asyncio
import json
from collections.abc import Mapping
from typing import Any

import pytest

from goldsmith.gateway.exchange import Back
from goldsmith.gateway.observing import MAX_BYTES, Observed, wants_json
from goldsmith.serve.counts import Counts

STREAM = {"content-type": "text/event-stream; charset=utf-8"}


def watched(
    *chunks: bytes,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    is_json: bool = False,
    ends: bool = True,
) -> tuple[Counts, bytes]:
    """What was seen of an answer, and what its caller got."""
    got: list[bytes] = []

    async def start(status: int, headers: Mapping[str, str]) -> None:
        got.append(f"{status} ".encode())

    async def chunk(content: bytes, has_more: bool) -> None:
        got.append(content)

    async def send() -> Counts:
        observed = Observed(Back(start, chunk), is_json)
        await observed.back.start(status, headers or {"content-type": "application/json"})
        for number, each in enumerate(chunks, 1):
            await observed.back.chunk(each, not ends or number < len(chunks))
        return observed.counts()

    return asyncio.run(send()), b"".join(got)


def answer(text: str | None, tokens: int = 7) -> bytes:
    return json.dumps({"choices": [{"message": {"content": text}}], "usage": {"completion_tokens": tokens}}).encode()


def event(text: str, **more: Any) -> bytes:
    body = json.dumps({"choices": [{"delta": {"content": text}}], **more}, separators=(",", ":"))
    return f"data: {body}\n\n".encode()


def test_a_whole_answer_is_counted_timed_and_measured() -> None:
    seen, got = watched(answer("Hello"))
    assert (seen.num_requests, seen.num_errors, seen.num_timed, seen.tokens) == (1, 0, 1, 7)
    assert seen.num_with_schema == 0
    assert got == b"200 " + answer("Hello")


@pytest.mark.parametrize(("text", "num_invalid"), [('{"a": 1}', 0), ('{"a": ', 1), ("no", 1), ("[]", 0)])
def test_json_that_was_wanted_is_looked_at(text: str, num_invalid: int) -> None:
    assert watched(answer(text), is_json=True)[0].num_invalid_json == num_invalid
    half = len(text) // 2
    stream = [event(text[:half]), event(text[half:]), b"data: [DONE]\n\n"]
    seen = watched(*stream, headers=STREAM, is_json=True)[0]
    assert (seen.num_with_schema, seen.num_invalid_json) == (1, num_invalid)


def test_a_call_of_a_tool_is_no_invalid_json() -> None:
    assert watched(answer(None), is_json=True)[0].num_with_schema == 0


@pytest.mark.parametrize("size", [1, 7, 10_000])
def test_a_stream_is_measured_however_it_is_cut(size: int) -> None:
    usage = event("", usage={"completion_tokens": 2}).replace(b'[{"delta":{"content":""}}]', b"[]")
    raw = event("") + event("Hel") + event("lo") + usage + b"data: [DONE]\n\n"
    cut = [raw[at : at + size] for at in range(0, len(raw), size)]
    seen, got = watched(*cut, headers=STREAM)
    assert (seen.num_timed, seen.num_measured, seen.tokens) == (1, 1, 2)
    assert got == b"200 " + raw


def test_without_usage_the_pieces_of_a_stream_are_its_length() -> None:
    seen = watched(event(""), *[event("word")] * 5, b"data: [DONE]\n\n", headers=STREAM)[0]
    assert seen.tokens == 5


def test_an_engine_that_fails_is_an_error_and_a_caller_s_mistake_is_none() -> None:
    assert watched(b"{}", status=503)[0].num_errors == 1
    assert watched(b"{}", status=504)[0].num_errors == 1
    seen = watched(b"{}", status=400)[0]
    assert (seen.num_requests, seen.num_errors, seen.num_timed) == (1, 0, 0)
    broken = watched(event("Hel"), b'data: {"error": {"message": "x"}}\n\n', headers=STREAM)[0]
    assert (broken.num_errors, broken.num_timed) == (1, 0)


def test_a_caller_that_leaves_is_a_request_and_nothing_more() -> None:
    assert watched(event("Hel"), headers=STREAM, ends=False)[0] == Counts(num_requests=1)


def test_what_is_no_json_or_too_long_is_passed_on_unseen() -> None:
    assert watched(b"\xff\xfe")[0].num_measured == 0
    long = b'{"usage":{"completion_tokens":3},"x":"' + b"x" * MAX_BYTES + b'"}'
    seen, got = watched(long[:1000], long[1000:], is_json=True)
    assert (seen.num_timed, seen.num_measured, seen.num_with_schema) == (1, 0, 0)
    assert got == b"200 " + long


@pytest.mark.parametrize(
    ("body", "is_wanted"),
    [
        ({}, False),
        ({"response_format": {"type": "text"}}, False),
        ({"response_format": {"type": "json_object"}}, True),
        ({"response_format": {"type": "json_schema", "json_schema": {}}}, True),
        ({"structured_outputs": {"json": {}}}, True),
        ({"structured_outputs": {"regex": "a"}}, False),
    ],
)
def test_who_asks_for_json_is_known(body: dict[str, Any], is_wanted: bool) -> None:
    assert wants_json(body) is is_wanted
