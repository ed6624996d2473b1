import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from goldsmith.run.engine_reply import ReplyKind, RowLetters, answer_of, headers_of, read_reply
from goldsmith.run.types import AnswerRequest, Endpoint

GOOD = {"choices": [{"message": {"content": "hi"}, "finish_reason": "stop"}], "usage": {"completion_tokens": 2}}


def kind_of(status: int, content: Any = None, **headers: str) -> ReplyKind:
    body = json.dumps(content if content is not None else {"error": {"message": "words"}}).encode()
    return read_reply(status, body, {name.replace("_", "-"): value for name, value in headers.items()}, 1.0).kind


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, ReplyKind.REFUSED),
        (302, ReplyKind.REFUSED),
        (401, ReplyKind.KEY_REFUSED),
        (403, ReplyKind.KEY_REFUSED),
        (404, ReplyKind.NO_MODEL),
        (429, ReplyKind.LATER),
        (500, ReplyKind.ERROR),
        (503, ReplyKind.ERROR),
    ],
)
def test_a_status_says_whether_to_try_again(status: int, kind: ReplyKind) -> None:
    assert kind_of(status) is kind


def test_a_busy_server_that_names_a_time_is_later() -> None:
    assert kind_of(503, Retry_After="2") is ReplyKind.LATER


def test_a_good_status_without_an_answer_is_an_error() -> None:
    assert kind_of(200, {"choices": []}) is ReplyKind.ERROR
    assert read_reply(200, b"<html>", {}, 1.0).kind is ReplyKind.ERROR


def test_the_words_of_a_refusal_are_the_servers() -> None:
    reply = read_reply(400, b'{"error": {"message": "too long"}}', {}, 1.0)
    assert reply.words == "The engine answered 400: too long"


@pytest.mark.parametrize(("value", "least", "most"), [("3", 3, 3), ("-1", 0, 0), ("soon", None, None)])
def test_retry_after_is_seconds(value: str, least: float | None, most: float | None) -> None:
    found = read_reply(429, b"{}", {"Retry-After": value}, 1.0).retry_after_s
    assert (found, found) == (least, most)


def test_retry_after_may_be_a_date() -> None:
    at = format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True)
    found = read_reply(429, b"{}", {"Retry-After": at}, 1.0).retry_after_s
    assert found is not None
    assert 25 < found <= 30


def test_what_was_not_said_is_none_and_text_fits_every_database() -> None:
    content = {"choices": [{"message": {"content": "a\x00b\ud800"}}]}
    reply = read_reply(200, json.dumps(content).encode(), {}, 5.0)
    answer = answer_of(AnswerRequest("r", 1, []), reply, Endpoint("u", "m", "e"), num_tries=1)
    assert answer.text == "a�b?"
    assert (answer.prompt_tokens, answer.answer_tokens, answer.finish_reason) == (None, None, "unknown")
    assert read_reply(200, json.dumps(GOOD).encode(), {}, 5.0).kind is ReplyKind.ANSWER


def test_the_key_is_sent_and_never_shown() -> None:
    endpoint = Endpoint("http://x/v1/", "m", "e", key="secret")
    assert headers_of(endpoint) == {"Authorization": "Bearer secret"}
    assert "secret" not in repr(endpoint)
    assert endpoint.chat_url == "http://x/v1/chat/completions"
    assert Endpoint("http://x", "m", "e").chat_url == "http://x/v1/chat/completions"


@pytest.mark.parametrize("takes_priority", [True, False])
def test_a_row_says_that_it_can_wait_where_that_is_understood(takes_priority: bool) -> None:
    endpoint = Endpoint("http://x", "bm_1", "eng_1", takes_priority=takes_priority)
    body = json.loads(RowLetters(endpoint).write(AnswerRequest("row_1", 1, [{"role": "user", "content": "Hi"}])))
    assert body.get("priority", 0) == (10 if takes_priority else 0)
