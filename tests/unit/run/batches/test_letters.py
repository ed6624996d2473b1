import json
from typing import Any

import pytest

from goldsmith.run.batches.letters import BatchLetters
from goldsmith.run.batches.types import BatchRequest, Refusal, RequestState
from goldsmith.run.engine_reply import Reply, ReplyKind
from goldsmith.run.types import Endpoint

ENDPOINT = Endpoint("http://x/v1/", "m", "eng_1")
CHAT = {"choices": [{"message": {"content": "\ud800 hi"}}], "usage": {"prompt_tokens": 3, "completion_tokens": 2}}
GOOD = {
    "/v1/chat/completions": CHAT,
    "/v1/completions": {"choices": [{"text": "hi"}]},
    "/v1/embeddings": {"data": [{"embedding": [0.5]}], "usage": {"prompt_tokens": 4}},
}


@pytest.mark.parametrize("path", GOOD)
def test_each_address_has_answers_of_its_own(path: str) -> None:
    letters = BatchLetters(ENDPOINT, path)
    assert letters.url() == f"http://x{path}"
    assert letters.read(200, json.dumps(GOOD[path]).encode(), {}, 1.0).kind is ReplyKind.ANSWER
    others: list[dict[str, Any]] = [{}, {"choices": []}, {"choices": [{}]}, {"data": []}, {"error": "out of memory"}]
    for other in others:
        assert letters.read(200, json.dumps(other).encode(), {}, 1.0).kind is ReplyKind.ERROR


def test_an_answer_is_kept_whole_with_its_tokens() -> None:
    letters = BatchLetters(ENDPOINT, "/v1/chat/completions")
    reply = letters.read(200, json.dumps(CHAT).encode(), {}, 1.0)
    kept = letters.answered(BatchRequest("q", b"{}"), reply, 1)
    assert json.loads(kept.response or "") == CHAT
    assert (kept.response or "").isascii()
    assert (kept.prompt_tokens, kept.answer_tokens, kept.status_code, kept.served_by) == (3, 2, 200, "eng_1")


def test_an_address_that_the_engine_lacks_is_no_model_that_is_about_to_come() -> None:
    letters = BatchLetters(ENDPOINT, "/v1/embeddings")
    assert letters.read(404, b'{"detail": "Not Found"}', {}, 1.0).kind is ReplyKind.REFUSED
    told = b'{"error": {"message": "The model `m` does not exist."}}'
    assert letters.read(404, told, {}, 1.0).kind is ReplyKind.NO_MODEL


def test_what_was_refused_is_known_without_asking() -> None:
    letters = BatchLetters(ENDPOINT, "/v1/embeddings")
    known = letters.known(BatchRequest("q", refusal=Refusal(400, {"error": {"message": "no"}}, "no")))
    assert known is not None
    assert (known.state, known.status_code, known.response) == (
        RequestState.FAILED,
        400,
        '{"error": {"message": "no"}}',
    )
    assert letters.known(BatchRequest("q", b"{}")) is None


def test_words_of_the_engine_are_kept_and_silence_is_told() -> None:
    letters = BatchLetters(ENDPOINT, "/v1/embeddings")
    said = letters.given_up(BatchRequest("q"), letters.read(400, b'{"error": {"message": "too long"}}', {}, 1.0), 1)
    assert (said.status_code, said.response) == (400, '{"error":{"message":"too long"}}')
    silent = letters.given_up(BatchRequest("q"), Reply(ReplyKind.BROKEN, "No answer came within 1 s."), 3)
    assert (silent.status_code, silent.response, silent.error) == (None, None, "No answer came within 1 s.")
