"""Chats about rows whose answers are heard while they are written: server-sent events, OpenAI's as vLLM sends them.

At the end the parts make the same reply as a chat that was not streamed, so nobody further on sees a difference.
"""

import codecs
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from goldsmith.run.engine_reply import Reply, ReplyKind, RowLetters, body_of, read_reply
from goldsmith.run.types import AnswerRequest

Tell = Callable[[str, bool], None]
"""Takes a piece of an answer's text, and whether the answer begins with it."""
_DATA, _DONE = "data:", "[DONE]"


@dataclass(frozen=True)
class StreamedLetters(RowLetters):
    """Chats that are streamed. `tell` hears each piece of text; an answer that is asked again begins anew."""

    tell: Tell

    def write(self, asked: AnswerRequest) -> bytes:
        """As OpenAI's API wants it, with the counts of tokens at the end."""
        more = {"stream": True, "stream_options": {"include_usage": True}}
        return json.dumps({**body_of(asked, self.endpoint), **more}).encode()

    def listener(self, asked: AnswerRequest) -> Callable[[bytes], None]:
        """Whoever hears one try."""
        del asked
        return Listener(self.tell)

    def read(self, status: int, content: bytes, headers: Mapping[str, str], duration_ms: float) -> Reply:
        """Tell what all of it means."""
        is_stream = status == 200 and headers.get("Content-Type", "").startswith("text/event-stream")
        if not is_stream:
            return read_reply(status, content, headers, duration_ms)
        return read_stream(content, duration_ms)


class Listener:
    """Tells the text of a stream as its bytes come, wherever they are cut."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self._is_first = True
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._rest = ""

    def __call__(self, part: bytes) -> None:
        """Some bytes."""
        *lines, self._rest = (self._rest + self._decoder.decode(part)).split("\n")
        text = "".join(_text(event) for event in _events(lines))
        if text:
            self._tell(text, self._is_first)
            self._is_first = False


def read_stream(content: bytes, duration_ms: float) -> Reply:
    """The reply that a whole stream makes. One that breaks off, or ends with an error, is none."""
    lines = content.decode("utf-8", errors="replace").split("\n")
    events = list(_events(lines))
    error = next((event["error"] for event in events if event.get("error")), None)
    if error is not None:
        words = str(error.get("message", error)) if isinstance(error, Mapping) else str(error)
        return Reply(ReplyKind.ERROR, f"The engine met an error while it answered: {words[:500]}", status=200)
    if not any(line.strip() == f"{_DATA} {_DONE}" for line in lines):
        return Reply(ReplyKind.BROKEN, "The answer broke off before its end.")
    reasons = [choice.get("finish_reason") for event in events for choice in _choices(event)]
    usage: Any = next((event["usage"] for event in reversed(events) if isinstance(event.get("usage"), Mapping)), {})
    message = {"role": "assistant", "content": "".join(map(_text, events))}
    choice = {"message": message, "finish_reason": next((each for each in reversed(reasons) if each), None)}
    whole = json.dumps({"choices": [choice], "usage": usage}).encode()
    return read_reply(200, whole, {}, duration_ms)


def _events(lines: list[str]) -> Iterator[Mapping[str, Any]]:
    for line in lines:
        said = line.strip()
        if said.startswith(_DATA) and said != f"{_DATA} {_DONE}":
            try:
                event = json.loads(said.removeprefix(_DATA))
            except ValueError:
                continue
            if isinstance(event, Mapping):
                yield event


def _choices(event: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    found = event.get("choices")
    return [choice for choice in found if isinstance(choice, Mapping)] if isinstance(found, list) else []


def _text(event: Mapping[str, Any]) -> str:
    deltas = [choice.get("delta") for choice in _choices(event)]
    texts = [delta.get("content") for delta in deltas if isinstance(delta, Mapping)]
    return "".join(text for text in texts if isinstance(text, str))
