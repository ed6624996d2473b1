"""Many callers at once over raw connections: how long answers take, and how late the chunks of a stream come.

The least that a client can do, so that what is measured is the server. A caller asks again as soon as it was answered;
a stream's chunks say when they were sent (`programs/stub_engine.py`), by the clock that all processes share.
"""

import asyncio
import re
import socket
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import httptools
import numpy as np
import orjson
import uvloop

STAMP = re.compile(rb'"content":\s*"(\d{12,}) ')
MAX_WAIT_S = 30.0
CONNECTS_AT_ONCE = 50


@dataclass(frozen=True)
class Door:
    """Where a server listens, with what a request there needs."""

    port: int
    key: str
    model: str

    def request(self, *, is_stream: bool = False) -> bytes:
        """The bytes of a chat request."""
        words = "Where is my parcel? I ordered it ten days ago and have heard nothing since. " * 2
        body = orjson.dumps(
            {
                "model": self.model,
                "messages": [
                    {"role": "system", "content": "You answer for a shop, briefly and kindly."},
                    {"role": "user", "content": words},
                ],
                "max_tokens": 64,
                **({"stream": True} if is_stream else {}),
            }
        )
        lines = [
            "POST /v1/chat/completions HTTP/1.1",
            f"Host: 127.0.0.1:{self.port}",
            f"Authorization: Bearer {self.key}",
            "Content-Type: application/json",
            f"Content-Length: {len(body)}",
        ]
        return "\r\n".join([*lines, "", ""]).encode() + body


@dataclass
class Found:
    """What the callers saw."""

    seconds: list[float] = field(default_factory=list)
    """How long each answer took."""
    late_s: list[float] = field(default_factory=list)
    """How long after it was sent each chunk was here."""
    gaps_s: list[float] = field(default_factory=list)
    """Between two chunks of a stream."""
    num_errors: int = 0
    first_error: bytes = b""
    duration_s: float = 0.0

    @property
    def per_s(self) -> float:
        """Answers a second."""
        return len(self.seconds) / self.duration_s


def percentile(values: Sequence[float], share: int) -> float:
    """In milliseconds."""
    return float(np.percentile(np.asarray(values), share)) * 1000 if values else float("nan")


class Caller(asyncio.Protocol):
    """One connection that asks again and again until `until`, then closes."""

    def __init__(self, request: bytes, found: Found, until: float) -> None:
        self._request = request
        self._found = found
        self._until = until
        self._parser = httptools.HttpResponseParser(self)
        self._began = 0.0
        self._error = b""
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for the first time."""
        self._transport: Any = transport
        self._ask()

    def data_received(self, data: bytes) -> None:
        """Part of an answer."""
        self._parser.feed_data(data)

    def on_body(self, body: bytes) -> None:
        """Kept when it is an error's."""
        if self._parser.get_status_code() != 200:
            self._error += body

    def on_message_complete(self) -> None:
        """An answer is whole."""
        now = time.perf_counter()
        if self._parser.get_status_code() == 200:
            self._found.seconds.append(now - self._began)
        else:
            self._fail(self._error)
        if now < self._until:
            self._parser = httptools.HttpResponseParser(self)
            self._ask()
        else:
            self._transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """Over; an error when an answer was outstanding."""
        if time.perf_counter() < self._until:
            self._fail(str(exc or "the connection was closed").encode())
        if not self.done.done():
            self.done.set_result(None)

    def close(self) -> None:
        """Wait no longer."""
        self._transport.abort()

    def _fail(self, words: bytes) -> None:
        self._found.num_errors += 1
        self._found.first_error = self._found.first_error or words

    def _ask(self) -> None:
        self._began = time.perf_counter()
        self._error = b""
        self._transport.write(self._request)


class Listener(Caller):
    """One connection with one stream; counts as failed unless it was told that the stream is over."""

    def __init__(self, request: bytes, found: Found, until: float) -> None:
        super().__init__(request, found, until)
        self._last_at = 0.0
        self._is_over = False

    def on_body(self, body: bytes) -> None:
        """Chunks, each with the time at which it was sent."""
        super().on_body(body)
        now = time.monotonic()
        for stamp in STAMP.findall(body):
            self._found.late_s.append(now - int(stamp) / 1e9)
            if self._last_at:
                self._found.gaps_s.append(now - self._last_at)
            self._last_at = now
        self._is_over = self._is_over or b"[DONE]" in body

    def on_message_complete(self) -> None:
        """The stream has ended."""
        if not self._is_over:
            self._fail(self._error or b"the stream ended without its last word")
        self._found.seconds.append(time.perf_counter() - self._began)
        self._until = 0.0
        self._transport.close()


def ask_for(door: Door, *, callers: int, seconds: float) -> Found:
    """So many callers, each with one request at a time, for so long."""

    async def run() -> Found:
        found = Found()
        began = time.perf_counter()
        made = [Caller(door.request(), found, began + seconds) for _ in range(callers)]
        await _connect(door, made)
        await _until_done(made, seconds)
        found.duration_s = time.perf_counter() - began
        return found

    return uvloop.run(run())


def listen_to(door: Door, *, streams: int, during: Callable[[], Awaitable[None]] | None = None) -> Found:
    """So many streams at once; `during` is called when all are open."""

    async def run() -> Found:
        found = Found()
        began = time.perf_counter()
        made = [Listener(door.request(is_stream=True), found, began + 3600) for _ in range(streams)]
        await _connect(door, made)
        if during is not None:
            await during()
        await _until_done(made, 60)
        found.duration_s = time.perf_counter() - began
        return found

    return uvloop.run(run())


def go_away(door: Door, *, is_stream: bool, after_s: float = 0.2) -> int:
    """Ask, and close the connection in the middle; the moment at which it was closed, in nanoseconds."""
    with socket.create_connection(("127.0.0.1", door.port)) as connection:
        connection.sendall(door.request(is_stream=is_stream))
        time.sleep(after_s)
        return time.monotonic_ns()


async def _connect(door: Door, callers: Sequence[Caller]) -> None:
    loop = asyncio.get_running_loop()
    for start in range(0, len(callers), CONNECTS_AT_ONCE):
        some = callers[start : start + CONNECTS_AT_ONCE]
        await asyncio.gather(
            *(loop.create_connection(lambda c=caller: c, "127.0.0.1", door.port) for caller in some)  # type: ignore[misc]
        )


async def _until_done(callers: Sequence[Caller], seconds: float) -> None:
    waiting = [caller.done for caller in callers]
    _, late = await asyncio.wait(waiting, timeout=seconds + MAX_WAIT_S)
    for caller in callers:
        if caller.done in late:
            caller.close()
    if late:
        await asyncio.wait(late, timeout=5)
