"""Requests of a batch for the sender: they go out as they were checked, and what comes back is kept whole. Pure."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from goldsmith.run.batches.types import BatchReply, BatchRequest, RequestState
from goldsmith.run.engine_reply import Reply, ReplyKind, is_chat, read_reply
from goldsmith.run.types import Endpoint
from goldsmith.storage import clock

NO_SUCH_MODEL = "does not exist"
"""What vLLM and its like say of a model; any other 404 says that the engine has no such address."""


@dataclass(frozen=True)
class BatchLetters:
    """Requests to one address of one endpoint."""

    endpoint: Endpoint
    path: str

    def url(self) -> str:
        """The endpoint's address for them."""
        return self.endpoint.url_of(self.path)

    def known(self, asked: BatchRequest) -> BatchReply | None:
        """What was refused already is not sent."""
        if asked.refusal is None:
            return None
        return BatchReply(
            asked.id,
            RequestState.FAILED,
            clock.now(),
            status_code=asked.refusal.status,
            response=json.dumps(asked.refusal.content),
            error=asked.refusal.message,
        )

    def write(self, asked: BatchRequest) -> bytes:
        """The body as it was checked."""
        return asked.body

    def listener(self, asked: BatchRequest) -> None:
        """Nobody hears parts."""
        del asked

    def read(self, status: int, content: bytes, headers: Mapping[str, str], duration_ms: float) -> Reply:
        """See `read_reply`; an address that the engine does not have is no model that is about to come."""
        reply = read_reply(status, content, headers, duration_ms, is_answer=IS_ANSWER[self.path])
        if reply.kind is ReplyKind.NO_MODEL and NO_SUCH_MODEL not in reply.words:
            return Reply(ReplyKind.REFUSED, reply.words, reply.content, status=reply.status)
        return reply

    def answered(self, asked: BatchRequest, reply: Reply, num_tries: int) -> BatchReply:
        """The answer as it came, and its tokens."""
        usage = (reply.content or {}).get("usage")
        usage = usage if isinstance(usage, Mapping) else {}
        return BatchReply(
            asked.id,
            RequestState.ANSWERED,
            clock.now(),
            status_code=reply.status,
            response=_json(reply.content),
            prompt_tokens=_count(usage.get("prompt_tokens")),
            answer_tokens=_count(usage.get("completion_tokens")),
            served_by=self.endpoint.engine_id,
            num_tries=num_tries,
        )

    def given_up(self, asked: BatchRequest, reply: Reply, num_tries: int) -> BatchReply:
        """What was said instead of an answer, if anything."""
        return BatchReply(
            asked.id,
            RequestState.FAILED,
            clock.now(),
            status_code=reply.status,
            response=_json(reply.content) if reply.content is not None and "error" in reply.content else None,
            error=reply.words,
            served_by=self.endpoint.engine_id,
            num_tries=num_tries,
        )


def _is_completion(content: Mapping[str, Any] | None) -> bool:
    choices = (content or {}).get("choices")
    return isinstance(choices, list) and bool(choices) and isinstance(choices[0].get("text"), str)


def _is_embedding(content: Mapping[str, Any] | None) -> bool:
    data = (content or {}).get("data")
    return isinstance(data, list) and bool(data)


IS_ANSWER: Mapping[str, Callable[[Mapping[str, Any] | None], bool]] = {
    "/v1/chat/completions": is_chat,
    "/v1/completions": _is_completion,
    "/v1/embeddings": _is_embedding,
}


def _json(content: Mapping[str, Any] | None) -> str:
    """As it came; a half character stays escaped, so that any database keeps it."""
    return json.dumps(content, separators=(",", ":"))


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
