"""What the gateway itself answers, in OpenAI's shapes: lists and errors. Knows bytes and statuses, no network."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from goldsmith.errors import Conflict, Denied, GoldsmithError, Invalid, NotFound, Unavailable
from goldsmith.gateway import errors

STATUS: Mapping[type[GoldsmithError], int] = {
    errors.BodyTooLong: 413,
    errors.NoPerson: 401,
    errors.TooManyRequests: 429,
    errors.EngineTooSlow: 504,
    errors.EngineSaysNo: 502,
    errors.EngineTalksNonsense: 502,
    Invalid: 400,
    NotFound: 404,
    Denied: 403,
    Conflict: 409,
    Unavailable: 503,
    GoldsmithError: 500,
}
"""The same families as everywhere; what cannot work as written is 400 here, because OpenAI says so."""
CODES: Mapping[type[GoldsmithError], str] = {
    errors.ModelNotOffered: "model_not_found",
    errors.NoDefaultModel: "model_not_found",
    errors.NoPerson: "invalid_api_key",
    errors.TooManyRequests: "rate_limit_exceeded",
}
RETRY_AFTER_S = 2
MAX_TOLD_CHARACTERS = 500
_SIGNS: Mapping[str, bytes] = {
    "/v1/chat/completions": b'"choices"',
    "/v1/completions": b'"choices"',
    "/v1/embeddings": b'"data"',
    "/v1/responses": b'"output"',
}
"""What every answer has. Looked for and not parsed: that would cost more than all else."""
_ENDS = (b"response.completed", b"response.incomplete", b"response.failed")


@dataclass(frozen=True)
class Answer:
    """A whole answer."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


def listed(data: Any) -> Answer:
    """JSON that worked."""
    return Answer(200, orjson.dumps(data), {"content-type": "application/json"})


def refused(error: GoldsmithError) -> Answer:
    """An error of ours."""
    status = status_of(error)
    headers = {"content-type": "application/json"}
    if isinstance(error, errors.EngineNotReady | errors.EngineUnreachable):
        headers["retry-after"] = str(RETRY_AFTER_S)
    if isinstance(error, errors.TooManyRequests):
        headers |= {**error.headers, "retry-after": str(error.retry_after_s)}
    if status == 401:
        headers["www-authenticate"] = "Bearer"
    return Answer(status, orjson.dumps(error_object(error, status)), headers)


def status_of(error: GoldsmithError) -> int:
    """The status that stands for an error of ours."""
    return next(STATUS[cls] for cls in type(error).__mro__ if cls in STATUS)


def error_object(error: GoldsmithError, status: int) -> dict[str, Any]:
    """An error as clients of OpenAI's API read it."""
    return {
        "error": {
            "message": f"{error.message} {error.hint}",
            "type": _kind(error, status),
            "param": getattr(error, "param", None),
            "code": CODES.get(type(error), error.slug().replace("-", "_")),
        }
    }


def _kind(error: GoldsmithError, status: int) -> str:
    if isinstance(error, errors.TooManyRequests):
        return error.kind
    return "server_error" if status >= 500 else "invalid_request_error"


def from_engine(status: int, body: bytes, *, path: str) -> Answer | GoldsmithError:
    """What an engine's error means for the caller: its own words when they are in OpenAI's shape."""
    if status in (401, 403):
        return errors.EngineSaysNo("The engine did not accept the key that Goldsmith has for it.")
    if status < 400:
        return errors.EngineUnreachable(f"The engine answered with status {status}, which leads elsewhere.")
    told = _told(body)
    if told is not None and status == 404 and "does not exist" in str(told.get("message")):
        return errors.EngineNotReady("The engine does not have the model at the moment.")
    if told is not None:
        return Answer(status, orjson.dumps({"error": told}), {"content-type": "application/json"})
    if status in (404, 405, 501):
        return errors.NotOfferedByEngine(f"The engine of this model has nothing at {path}.")
    return errors.EngineUnreachable(f"The engine answered with status {status} and no reason.")


def what_is_wrong(path: str, body: bytes) -> GoldsmithError | None:
    """Why a body that came with 200 is no answer; None when it is one."""
    if _SIGNS.get(path, b"") in body and body[:1] == b"{" and body.rstrip()[-1:] == b"}":
        return None
    told = _told(body)
    words = f"an error instead: {told['message']}" if told is not None else "something that is no answer."
    return errors.EngineTalksNonsense(f"The engine said that all is well, but sent {words}"[:MAX_TOLD_CHARACTERS])


def is_end_of_stream(path: str, end: bytes) -> bool:
    """Whether a stream that ended so was meant to end there."""
    return any(word in end for word in _ENDS) if path == "/v1/responses" else b"data: [DONE]" in end


def _told(body: bytes) -> dict[str, Any] | None:
    try:
        parsed = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    error = parsed.get("error") if isinstance(parsed, dict) else None
    if not isinstance(error, dict) or "message" not in error:
        return None
    return {name: error.get(name) for name in ("message", "type", "param", "code")}
