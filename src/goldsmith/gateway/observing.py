"""Looks at an answer as it passes, after it was sent on: did it work, how long was it, is it the JSON that was wanted.

Holds little: of a stream only what is not a whole line yet, and text only where JSON was asked for, up to a limit.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import orjson

from goldsmith.gateway.exchange import Back
from goldsmith.serve.counts import Counts

MAX_BYTES: Final = 1024 * 1024
"""A longer answer is counted, but not looked into."""
MAX_LINE_BYTES: Final = 64 * 1024
DATA: Final = b"data: "


def wants_json(body: Mapping[str, Any]) -> bool:
    """Whether a request asks for an answer in JSON."""
    form = body.get("response_format")
    structured = body.get("structured_outputs")
    is_bound = isinstance(structured, Mapping) and ("json" in structured or "json_object" in structured)
    return is_bound or (isinstance(form, Mapping) and form.get("type") in ("json_object", "json_schema"))


@dataclass
class Observed:
    """An answer on its way back; `back` is the way, `counts` what was seen once it is over."""

    inner: Back
    is_json_wanted: bool
    began_at: float = field(default_factory=time.monotonic)
    status: int = 0
    is_whole: bool = False
    is_stream: bool = False
    has_failed: bool = False
    num_tokens: int | None = None
    _num_events: int = 0
    _texts: list[str] = field(default_factory=list)
    _kept: bytes = b""
    _num_bytes: int = 0

    @property
    def back(self) -> Back:
        """The way back, with somebody at its side."""
        return Back(self._start, self._chunk)

    def counts(self) -> Counts:
        """What is known of it; an answer that its caller did not wait for is a request and nothing more."""
        seen = Counts(num_requests=1)
        if self.status >= 500 or self.has_failed:
            seen.num_errors = 1
        elif self.status == 200 and self.is_whole:
            seen.time(time.monotonic() - self.began_at)
            if self.is_stream and self.num_tokens is None and self._num_events:
                self.num_tokens = self._num_events
            if self.num_tokens is not None:
                seen.measure(self.num_tokens)
            if self.is_json_wanted and self._texts:
                seen.num_with_schema = 1
                seen.num_invalid_json = 0 if _is_json("".join(self._texts)) else 1
        return seen

    async def _start(self, status: int, headers: Mapping[str, str]) -> None:
        self.status = status
        self.is_stream = headers.get("content-type", "").startswith("text/event-stream")
        await self.inner.start(status, headers)

    async def _chunk(self, content: bytes, has_more: bool) -> None:
        await self.inner.chunk(content, has_more)
        self._num_bytes += len(content)
        if self.status == 200 and self._num_bytes <= MAX_BYTES:
            if self.is_stream:
                self._look_at_lines(content)
            else:
                self._kept += content
        if not has_more:
            self.is_whole = True
            if self.status == 200 and not self.is_stream and self._num_bytes <= MAX_BYTES:
                self._look_at_answer(_read(self._kept))
            self._kept = b""

    def _look_at_lines(self, content: bytes) -> None:
        lines = (self._kept + content).split(b"\n")
        self._kept = lines.pop()[-MAX_LINE_BYTES:]
        for line in lines:
            if not line.startswith(DATA) or line.startswith(b"data: [DONE]"):
                continue
            has_more_to_say = b'"usage":{' in line or line.startswith(b'data: {"error"')
            if self.is_json_wanted or has_more_to_say:
                self._look_at_event(_read(line[len(DATA) :]))
            self._num_events += b'"content":""' not in line and b'"choices":[]' not in line

    def _look_at_event(self, event: Mapping[str, Any]) -> None:
        if "error" in event:
            self.has_failed = True
        self._take(event, "delta")

    def _look_at_answer(self, answer: Mapping[str, Any]) -> None:
        self._take(answer, "message")

    def _take(self, said: Mapping[str, Any], part: str) -> None:
        usage = said.get("usage")
        if isinstance(usage, Mapping):
            tokens = usage.get("completion_tokens", usage.get("output_tokens"))
            self.num_tokens = tokens if isinstance(tokens, int) else self.num_tokens
        choices = said.get("choices")
        if self.is_json_wanted and isinstance(choices, list) and choices and isinstance(choices[0], Mapping):
            inner = choices[0].get(part)
            text = inner.get("content") if isinstance(inner, Mapping) else choices[0].get("text")
            if isinstance(text, str):
                self._texts.append(text)


def _read(raw: bytes) -> Mapping[str, Any]:
    try:
        found = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}


def _is_json(text: str) -> bool:
    try:
        orjson.loads(text)
    except orjson.JSONDecodeError:
        return False
    return True
