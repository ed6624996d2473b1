"""The shapes of a chat request and of what comes back for it, OpenAI's as vLLM and providers speak it. Pure.

`Letters` is what the sender knows of a kind of requests; `RowLetters` are those of runs, which ask about rows.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import Any, Protocol, TypeVar

from goldsmith.run.types import AnswerRequest, AnswerState, Endpoint, SentAnswer
from goldsmith.serve.types import CAN_WAIT_A_LITTLE
from goldsmith.storage import clock

MAX_SHOWN_CHARACTERS = 500
Asked = TypeVar("Asked")
Sent = TypeVar("Sent")
Asked_contra = TypeVar("Asked_contra", contravariant=True)
Sent_co = TypeVar("Sent_co", covariant=True)


class ReplyKind(StrEnum):
    """What a reply means for the row that was asked."""

    ANSWER = "answer"
    REFUSED = "refused"
    """The request can never succeed as written."""
    KEY_REFUSED = "key_refused"
    """No request will succeed until somebody enters another key."""
    LATER = "later"
    """The server is busy and said so."""
    ERROR = "error"
    """The server met an error of its own."""
    BROKEN = "broken"
    """The connection broke, or no answer came in time."""
    NO_MODEL = "no_model"
    """The server is there, and the model is not on it; an engine of ours may be about to get it."""
    AWAY = "away"
    """The server is not there; it may be being started again."""


@dataclass(frozen=True)
class Reply:
    """What came back. `words` says what is wrong, for people."""

    kind: ReplyKind
    words: str = ""
    content: Mapping[str, Any] | None = None
    duration_ms: float | None = None
    retry_after_s: float | None = None
    status: int | None = None
    """None: nothing came back."""


class Letters(Protocol[Asked_contra, Sent_co]):
    """A kind of requests to one endpoint: where they go, how they are written, what becomes of their replies."""

    def url(self) -> str:
        """Where every request goes."""
        ...

    def known(self, asked: Asked_contra) -> Sent_co | None:
        """What is known without asking; then nothing is sent."""
        ...

    def write(self, asked: Asked_contra) -> bytes:
        """The request's body."""
        ...

    def listener(self, asked: Asked_contra) -> Callable[[bytes], None] | None:
        """Who hears a reply's bytes as they come, if anybody does; asked anew for each try."""
        ...

    def read(self, status: int, content: bytes, headers: Mapping[str, str], duration_ms: float) -> Reply:
        """Tell what a reply means."""
        ...

    def answered(self, asked: Asked_contra, reply: Reply, num_tries: int) -> Sent_co:
        """What is kept of a good reply."""
        ...

    def given_up(self, asked: Asked_contra, reply: Reply, num_tries: int) -> Sent_co:
        """What is kept when no good reply came; `reply` is the last one."""
        ...


@dataclass(frozen=True)
class RowLetters:
    """Chats about rows."""

    endpoint: Endpoint

    def url(self) -> str:
        """The endpoint's address for chats."""
        return self.endpoint.chat_url

    def known(self, asked: AnswerRequest) -> SentAnswer | None:
        """A row with a problem is not sent."""
        return _failed(asked, asked.problem) if asked.problem is not None else None

    def write(self, asked: AnswerRequest) -> bytes:
        """As OpenAI's API wants it."""
        return json.dumps(body_of(asked, self.endpoint)).encode()

    def listener(self, asked: AnswerRequest) -> Callable[[bytes], None] | None:
        """Nobody: an answer is of interest when it is there."""
        del asked
        return None

    def read(self, status: int, content: bytes, headers: Mapping[str, str], duration_ms: float) -> Reply:
        """See `read_reply`."""
        return read_reply(status, content, headers, duration_ms)

    def answered(self, asked: AnswerRequest, reply: Reply, num_tries: int) -> SentAnswer:
        """The answer with what was measured."""
        return answer_of(asked, reply, self.endpoint, num_tries=num_tries)

    def given_up(self, asked: AnswerRequest, reply: Reply, num_tries: int) -> SentAnswer:
        """Why there is none."""
        return _failed(asked, reply.words, num_tries=num_tries, served_by=self.endpoint.engine_id)


def headers_of(endpoint: Endpoint) -> dict[str, str]:
    """The headers of every request."""
    return {"Authorization": f"Bearer {endpoint.key}"} if endpoint.key else {}


def body_of(request: AnswerRequest, endpoint: Endpoint) -> dict[str, Any]:
    """The request as OpenAI's API wants it; what is None is left out."""
    body: dict[str, Any] = {
        "model": endpoint.model_name,
        "messages": request.messages,
        "max_tokens": request.max_tokens,
        "temperature": request.temperature,
    }
    if endpoint.takes_priority:
        body["priority"] = CAN_WAIT_A_LITTLE
    if request.seed is not None:
        body["seed"] = request.seed
    if request.cache_salt is not None:
        body["cache_salt"] = request.cache_salt
    if request.answer_schema is not None:
        form = {"name": "answer", "schema": request.answer_schema}
        body["response_format"] = {"type": "json_schema", "json_schema": form}
    return body


def is_chat(content: Mapping[str, Any] | None) -> bool:
    """Whether there is an answer of a chat in it."""
    return _choice(content) is not None


def read_reply(
    status: int,
    content: bytes,
    headers: Mapping[str, str],
    duration_ms: float,
    *,
    is_answer: Callable[[Mapping[str, Any] | None], bool] = is_chat,
) -> Reply:
    """Tell what a reply means."""
    parsed = _parse(content)
    if status == 200:
        if is_answer(parsed):
            return Reply(ReplyKind.ANSWER, content=parsed, duration_ms=duration_ms, status=status)
        return Reply(ReplyKind.ERROR, "The engine said that all is well, but sent no answer.", parsed, status=status)
    words = _words(status, parsed, content)
    retry_after_s = _retry_after_s(headers.get("Retry-After"))
    return Reply(_kind_of(status, headers), words, parsed, retry_after_s=retry_after_s, status=status)


def answer_of(request: AnswerRequest, reply: Reply, endpoint: Endpoint, *, num_tries: int) -> SentAnswer:
    """The answer that a good reply holds."""
    choice = _choice(reply.content) or {}
    usage = (reply.content or {}).get("usage")
    usage = usage if isinstance(usage, Mapping) else {}
    return SentAnswer(
        row_id=request.row_id,
        position=request.position,
        state=AnswerState.ANSWERED,
        at=clock.now(),
        text=_plain_text(choice["message"].get("content")),
        prompt_tokens=_count(usage.get("prompt_tokens")),
        answer_tokens=_count(usage.get("completion_tokens")),
        duration_ms=reply.duration_ms,
        finish_reason=str(choice.get("finish_reason") or "unknown")[:32],
        served_by=endpoint.engine_id,
        num_tries=num_tries,
    )


def _kind_of(status: int, headers: Mapping[str, str]) -> ReplyKind:
    if status in (401, 403):
        return ReplyKind.KEY_REFUSED
    if status == 404:
        return ReplyKind.NO_MODEL
    if status in (429, 503) and (status == 429 or "Retry-After" in headers):
        return ReplyKind.LATER
    return ReplyKind.ERROR if status >= 500 or status in (408, 409, 425) else ReplyKind.REFUSED


def _failed(request: AnswerRequest, words: str, *, num_tries: int = 0, served_by: str | None = None) -> SentAnswer:
    return SentAnswer(
        row_id=request.row_id,
        position=request.position,
        state=AnswerState.FAILED,
        at=clock.now(),
        error=words,
        served_by=served_by,
        num_tries=num_tries,
    )


def _parse(content: bytes) -> Mapping[str, Any] | None:
    try:
        parsed = json.loads(content)
    except (ValueError, RecursionError):
        return None
    return parsed if isinstance(parsed, dict) else None


def _choice(content: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    choices = (content or {}).get("choices")
    first = choices[0] if isinstance(choices, list) and choices else None
    return first if isinstance(first, dict) and isinstance(first.get("message"), dict) else None


def _plain_text(text: Any) -> str:
    """A text that any database takes: PostgreSQL has no NUL, and half a character is no text."""
    if not isinstance(text, str):
        return ""
    return text.replace("\x00", "�").encode("utf-8", "replace").decode("utf-8")


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _words(status: int, parsed: Mapping[str, Any] | None, content: bytes) -> str:
    error: Any = (parsed or {}).get("error", parsed)
    if isinstance(error, Mapping):
        error = error.get("message", error)
    text = str(error) if error is not None else content.decode("utf-8", "replace")
    return f"The engine answered {status}: {_plain_text(text)[:MAX_SHOWN_CHARACTERS].strip() or '(nothing)'}"


def _retry_after_s(value: str | None) -> float | None:
    if not value:
        return None
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        at = parsedate_to_datetime(value)
    except ValueError:
        return None
    return max(0.0, (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() - datetime.now(UTC).timestamp())
