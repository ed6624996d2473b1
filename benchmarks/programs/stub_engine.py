"""An engine that only keeps time: answers a chat after a set delay, or streams chunks that say when they were sent.

    python benchmarks/programs/stub_engine.py PORT

`POST /control` sets `delay_s`, `spread` (0.5: plus or minus a half, in the same order each time), `num_chunks` and
`every_s`. `GET /counts` says how many requests are in work, how many were broken off, and when the last of these was.
"""

import asyncio
import sys
import time
from dataclasses import dataclass
from typing import Any

import httptools
import orjson
import uvloop
from exact_clock import ExactClock, Timer

GOLDEN = 0.6180339887498949
MODEL = "bm_benchmark"
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
STREAM_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\ntransfer-encoding: chunked\r\n\r\n"
ENVELOPE = {"id": "chatcmpl-stub", "created": 1_700_000_000, "model": MODEL}
ANSWER = orjson.dumps(
    {
        **ENVELOPE,
        "object": "chat.completion",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "The parcel comes on Tuesday. " * 6},
                "finish_reason": "stop",
            }
        ],
        "usage": {"prompt_tokens": 40, "completion_tokens": 48, "total_tokens": 88},
    }
)


@dataclass
class Engine:
    """What it was told, and what it counted."""

    delay_s: float = 0.0
    spread: float = 0.0
    num_chunks: int = 100
    every_s: float = 0.02
    num_begun: int = 0
    num_running: int = 0
    num_gone: int = 0
    last_gone_ns: int = 0

    def next_share(self) -> float:
        """The next of a fixed order of numbers from 0 to 1, spread evenly."""
        self.num_begun += 1
        return (self.num_begun * GOLDEN) % 1

    def control(self, wanted: dict[str, Any]) -> bytes:
        """Set what is named, and begin the order anew."""
        for name, value in wanted.items():
            setattr(self, name, value)
        self.num_begun = 0
        return b"{}"


class Connection(asyncio.Protocol):
    """One connection, with one request at a time."""

    def __init__(self, engine: Engine, clock: ExactClock) -> None:
        self._engine = engine
        self._clock = clock
        self._parser = httptools.HttpRequestParser(self)
        self._url, self._body = b"", b""
        self._timer: Timer | None = None
        self._left = 0
        self._at = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Somebody connected."""
        self._transport: Any = transport

    def connection_lost(self, exc: Exception | None) -> None:
        """Work that nobody waits for ends."""
        del exc
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
            self._engine.num_running -= 1
            self._engine.num_gone += 1
            self._engine.last_gone_ns = time.monotonic_ns()

    def data_received(self, data: bytes) -> None:
        """Part of a request."""
        self._parser.feed_data(data)

    def on_url(self, url: bytes) -> None:
        """The address."""
        self._url, self._body = url, b""

    def on_body(self, body: bytes) -> None:
        """Part of the body."""
        self._body += body

    def on_message_complete(self) -> None:
        """Answer, or begin to."""
        engine = self._engine
        if self._url == b"/v1/chat/completions":
            self._begin(orjson.loads(self._body))
        elif self._url == b"/control":
            self._send(engine.control(orjson.loads(self._body)))
        elif self._url == b"/counts":
            names = ("num_running", "num_gone", "last_gone_ns")
            self._send(orjson.dumps({name: getattr(engine, name) for name in names}))
        else:
            self._send(orjson.dumps({"object": "list", "data": [{"id": MODEL, "object": "model"}]}))

    def _begin(self, body: dict[str, Any]) -> None:
        engine = self._engine
        engine.num_running += 1
        share = engine.next_share()
        if body.get("stream"):
            self._transport.write(STREAM_HEAD)
            self._left = engine.num_chunks
            self._at = time.monotonic() + share * engine.every_s
            self._timer = self._clock.call_at(self._at, self._chunk)
        else:
            delay_s = engine.delay_s * (1 + engine.spread * (2 * share - 1))
            self._timer = self._clock.call_at(time.monotonic() + delay_s, self._answer)

    def _answer(self) -> None:
        self._end()
        self._send(ANSWER)

    def _chunk(self) -> None:
        if self._left == 0:
            self._end()
            self._event(b"data: [DONE]\n\n")
            self._transport.write(b"0\r\n\r\n")
            return
        self._left -= 1
        self._at += self._engine.every_s
        reason = None if self._left else "stop"
        choice = {"index": 0, "delta": {"content": f"{time.monotonic_ns()} "}, "finish_reason": reason}
        chunk = {**ENVELOPE, "object": "chat.completion.chunk", "choices": [choice]}
        self._timer = self._clock.call_at(self._at, self._chunk)
        self._event(b"data: " + orjson.dumps(chunk) + b"\n\n")

    def _event(self, event: bytes) -> None:
        self._transport.write(b"%x\r\n%b\r\n" % (len(event), event))

    def _end(self) -> None:
        self._timer = None
        self._engine.num_running -= 1

    def _send(self, body: bytes) -> None:
        self._transport.write(HEAD % len(body) + body)


async def main(port: int) -> None:
    """Serve until killed."""
    engine, clock = Engine(), ExactClock()
    server = await asyncio.get_running_loop().create_server(
        lambda: Connection(engine, clock), "127.0.0.1", port, backlog=2048, start_serving=True
    )
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1])))
