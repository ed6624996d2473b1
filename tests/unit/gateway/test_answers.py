import json

import pytest

from goldsmith.errors import GoldsmithError
from goldsmith.gateway import answers, errors
from goldsmith.gateway.answers import Answer, from_engine, refused


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (errors.ModelNotOffered("No."), 404, "model_not_found"),
        (errors.FieldNotAllowed("No.", param="a.b"), 400, "field_not_allowed"),
        (errors.BodyTooLong("No."), 413, "body_too_long"),
        (errors.NoPerson("No."), 401, "invalid_api_key"),
        (errors.EngineNotReady("No."), 503, "engine_not_ready"),
        (errors.RoutesTooOld("No."), 503, "routes_too_old"),
    ],
)
def test_errors_have_openai_s_shape(error: GoldsmithError, status: int, code: str) -> None:
    answer = refused(error)
    told = json.loads(answer.body)["error"]
    assert answer.status == status
    assert set(told) == {"message", "type", "param", "code"}
    assert told["code"] == code
    assert told["param"] == getattr(error, "param", None)


def test_who_asks_too_early_is_told_when_to_come_back() -> None:
    assert int(refused(errors.EngineNotReady("Not yet.")).headers["retry-after"]) > 0


def test_an_engine_s_own_words_are_passed_on() -> None:
    body = b'{"error": {"message": "too long", "type": "BadRequestError", "param": null, "code": 400, "x": 1}}'
    answer = from_engine(400, body, path="/v1/x")
    assert isinstance(answer, Answer)
    assert answer.status == 400
    assert json.loads(answer.body)["error"]["message"] == "too long"


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (401, b'{"error": "Unauthorized"}', errors.EngineSaysNo),
        (404, b'{"detail": "Not Found"}', errors.NotOfferedByEngine),
        (404, b'{"error": {"message": "The model `x` does not exist."}}', errors.EngineNotReady),
        (302, b"", errors.EngineUnreachable),
        (500, b"<html>", errors.EngineUnreachable),
        (500, b"[]", errors.EngineUnreachable),
    ],
)
def test_what_an_engine_means_is_said(status: int, body: bytes, expected: type[GoldsmithError]) -> None:
    assert isinstance(from_engine(status, body, path="/v1/x"), expected)


def test_the_engine_s_refusal_of_our_key_is_not_the_caller_s_fault() -> None:
    answer = answers.refused(errors.EngineSaysNo("No."))
    assert answer.status == 502
