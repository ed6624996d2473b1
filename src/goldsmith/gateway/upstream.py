"""Asks engines over HTTP/1.1 (RFC 9112): one question at a time on a connection, which is then kept for the next.

The bytes are read by httptools, the parser that also reads what callers send us. Only what the gateway needs is here:
POST, and an answer that comes in pieces. No redirect is followed, no cookie kept, no proxy asked.
"""

import asyncio
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from types import TracebackType
from typing import Self, cast
from urllib.parse import quote, urlsplit

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

MAX_HEAD_BYTES = 64 * 1024
MAX_WAITING_BYTES = 256 * 1024
"""So much of an answer waits here for a caller who reads slowly; then the engine is read no further."""
MAX_JOINED_BYTES = 64 * 1024
"""A body up to this is sent in one piece with its head."""


class NotReached(Exception):
    """There is no connection: nothing was sent."""


class BrokenOff(Exception):
    """The answer has no end, or is no HTTP."""


class _Stale(BrokenOff):
    """A kept connection was closed just as it was used again, and nothing came."""


_AS_THEY_ARE = "/%:@!$&'()*+,;=~"
"""What may stand in the path of an address (RFC 3986, pchar)."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long an engine may be silent. A connection is let go before vLLM would close it (5 s)."""

    connect_s: float = 5.0
    silent_s: float = 600.0
    idle_s: float = 4.0


@dataclass(frozen=True, slots=True)
class _Place:
    """Where an engine is."""

    host: str
    port: int
    is_encrypted: bool
    host_header: str
    path: str


@lru_cache(maxsize=256)
def _place_of(url: str) -> _Place:
    """Raises NotReached."""
    try:
        parts = urlsplit(url)
        port, host = parts.port, (parts.hostname or "").encode("idna").decode("ascii")
    except ValueError as error:
        raise NotReached(f"its address cannot be used: {error}") from None
    if parts.scheme not in ("http", "https") or not host:
        raise NotReached("its address does not begin with http:// or https:// and a host")
    is_encrypted = parts.scheme == "https"
    name = f"[{host}]" if ":" in host else host
    named = name if port is None else f"{name}:{port}"
    port = port or (443 if is_encrypted else 80)
    return _Place(host, port, is_encrypted, named, quote(parts.path, safe=_AS_THEY_ARE))


@cache
def _trusted() -> ssl.SSLContext:
    return ssl.create_default_context()


class Reply:
    """An answer on its way. Leaving it before its end closes the connection, which ends the engine's work on it."""

    def __init__(self, connection: "_Connection") -> None:
        self.status = 0
        self.headers: dict[str, str] = {}
        """By names in small letters; of several with one name the last."""
        self._connection = connection
        self._parser = HttpResponseParser(self)
        self._parts: list[bytes] = []
        self._num_waiting = self._num_heard = 0
        self._is_begun = self._is_ended = False
        self._error: Exception | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._wait_until = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.leave(is_clean=self._is_ended)

    @property
    def length(self) -> int | None:
        """How many bytes it says that it has."""
        said = self.headers.get("content-length")
        return int(said) if said is not None else None

    async def begin(self) -> None:
        """Wait for its status and headers. Raises BrokenOff, TimeoutError."""
        while not self._is_begun:
            await self._more()

    async def chunk(self) -> bytes:
        """What has come of its contents; nothing at their end. Raises BrokenOff, TimeoutError."""
        while not self._parts:
            if self._is_ended:
                return b""
            await self._more()
        content = self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)
        self._parts.clear()
        if self._num_waiting > MAX_WAITING_BYTES:
            self._connection.read_on()
        self._num_waiting = 0
        return content

    async def read(self, limit: int) -> bytes:
        """All of it, or somewhat more than `limit` bytes of a longer one. Raises BrokenOff, TimeoutError."""
        parts, num_bytes = [], 0
        while num_bytes <= limit and (part := await self.chunk()):
            parts.append(part)
            num_bytes += len(part)
        return b"".join(parts)

    async def _more(self) -> None:
        if self._error is not None:
            raise self._error
        loop = asyncio.get_running_loop()
        self._waiter, self._wait_until = loop.create_future(), loop.time() + self._connection.patience.silent_s
        try:
            await self._waiter
        finally:
            self._waiter = None

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    # What the connection tells.

    def heard(self, data: bytes) -> None:
        """Take in what came."""
        self._num_heard += len(data)
        try:
            self._parser.feed_data(data)
        except (HttpParserError, HttpParserUpgrade):
            self.fail(BrokenOff("what came is no HTTP"))
        if not self._is_begun and self._num_heard > MAX_HEAD_BYTES:
            self.fail(BrokenOff("its headers have no end"))
        self._wake()

    def lost(self, *, was_used_before: bool) -> None:
        """The connection has gone; that is the end of an answer which says of no other."""
        if self._is_begun and "content-length" not in self.headers and "transfer-encoding" not in self.headers:
            self._is_ended = True
        elif was_used_before and not self._num_heard:
            self.fail(_Stale("a kept connection was closed"))
        else:
            self.fail(BrokenOff("it ends before its end"))
        self._wake()

    def fail(self, error: Exception) -> None:
        """Nothing more will come."""
        if not self._is_ended and self._error is None:
            self._error = error
        self._connection.spoil()
        self._wake()

    def look(self, now: float) -> None:
        """Give up an engine that was silent for too long while somebody waits."""
        if self._waiter is not None and now > self._wait_until:
            self.fail(TimeoutError("the engine is silent"))

    # What the parser tells.

    def on_message_begin(self) -> None:
        """Another one: after an interim answer (1xx), or unasked."""
        if self._is_begun:
            self._connection.spoil()
        else:
            self.headers = {}

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header; what comes behind the contents (trailers) is nothing to us."""
        if not self._is_begun:
            self.headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        """The head is there; interim answers are passed over."""
        status = self._parser.get_status_code()
        if status >= 200 and not self._is_begun:
            self.status, self._is_begun = status, True

    def on_body(self, body: bytes) -> None:
        """A piece of its contents."""
        if self._is_ended:
            return
        self._parts.append(body)
        before, self._num_waiting = self._num_waiting, self._num_waiting + len(body)
        if before <= MAX_WAITING_BYTES < self._num_waiting:
            self._connection.read_on(False)

    def on_message_complete(self) -> None:
        """It is there in whole."""
        if self._is_begun:
            self._is_ended = True
            if not self._parser.should_keep_alive():
                self._connection.spoil()


class _Connection(asyncio.Protocol):
    """One connection to an engine, with at most one question on it."""

    _transport: asyncio.Transport
    """From the moment it is open; nobody has it earlier."""

    def __init__(self, client: "Client", place: _Place) -> None:
        self.place, self.patience = place, client.patience
        self.idle_until = 0.0
        self.is_good = True
        """Whether it may be used again."""
        self._client = client
        self._reply: Reply | None = None
        self._num_asked = 0

    async def ask(self, head: bytes, body: bytes) -> Reply:
        """Send a question, and wait until its answer begins. Raises BrokenOff, TimeoutError."""
        reply = self._reply = Reply(self)
        self._num_asked += 1
        if len(body) <= MAX_JOINED_BYTES:
            self._transport.write(head + body)
        else:
            self._transport.writelines((head, body))
        try:
            await reply.begin()
        except BaseException:
            self.leave(is_clean=False)
            raise
        return reply

    def leave(self, *, is_clean: bool) -> None:
        """The answer is of no more interest."""
        self._reply = None
        if is_clean and self.is_good:
            self._client.keep(self)
        else:
            self.abort()

    def look(self, now: float) -> None:
        """Give up what takes too long."""
        if self._reply is not None:
            self._reply.look(now)
        elif now > self.idle_until:
            self.abort()

    def spoil(self) -> None:
        """Do not use it again."""
        self.is_good = False

    def abort(self) -> None:
        """Close it at once."""
        self.is_good = False
        self._transport.abort()

    def read_on(self, is_wanted: bool = True) -> None:
        """Read on, or no further."""
        if not self._transport.is_closing():
            (self._transport.resume_reading if is_wanted else self._transport.pause_reading)()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It is open."""
        self._transport = cast(asyncio.Transport, transport)
        self._client.add(self)

    def data_received(self, data: bytes) -> None:
        """Something came; unasked it means nothing good."""
        if self._reply is not None:
            self._reply.heard(data)
        else:
            self.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """It is closed."""
        del exc
        self.is_good = False
        self._client.forget(self)
        if self._reply is not None:
            self._reply.lost(was_used_before=self._num_asked > 1)


@lru_cache(maxsize=256)
def _head(place: _Place, headers: tuple[tuple[str, str], ...]) -> bytes:
    """All but its length and end. Raises NotReached when a value cannot stand in a header: it would begin another."""
    try:
        lines = [f"{name}: {value}".encode("latin-1") for name, value in headers]
    except UnicodeEncodeError:
        raise NotReached("its key holds something that no header can hold") from None
    if any(line.find(mark) >= 0 for line in lines for mark in (b"\r", b"\n", b"\0")):
        raise NotReached("its key holds the end of a line")
    first = f"POST {place.path} HTTP/1.1\r\nhost: {place.host_header}".encode("latin-1")
    return b"\r\n".join((first, *lines))


class Client:
    """Connections to all engines, made in the loop that uses it."""

    def __init__(self, patience: Patience | None = None) -> None:
        self.patience = patience or Patience()
        self._open: set[_Connection] = set()
        self._idle: dict[_Place, list[_Connection]] = {}
        self._look_s = min(0.5, self.patience.silent_s / 4, self.patience.idle_s / 4)
        self._timer: asyncio.TimerHandle | None = None

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Reply:
        """Ask; the answer is there as soon as its headers are. Leave it as a context manager.

        Raises NotReached, BrokenOff, TimeoutError.
        """
        place = _place_of(url)
        head = b"%b\r\ncontent-length: %d\r\n\r\n" % (_head(place, tuple(headers.items())), len(body))
        kept = self._take(place)
        if kept is not None:
            try:
                return await kept.ask(head, body)
            except _Stale:
                pass
        return await (await self._connect(place)).ask(head, body)

    async def close(self) -> None:
        """Close all connections."""
        for connection in list(self._open):
            connection.abort()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    async def _connect(self, place: _Place) -> _Connection:
        loop = asyncio.get_running_loop()
        context = _trusted() if place.is_encrypted else None
        making = loop.create_connection(lambda: _Connection(self, place), place.host, place.port, ssl=context)
        try:
            _, connection = await asyncio.wait_for(making, self.patience.connect_s)
        except (OSError, TimeoutError, UnicodeError) as error:
            raise NotReached(str(error)) from error
        return connection

    def _take(self, place: _Place) -> _Connection | None:
        """The one that was used last, so that those which are too many grow old."""
        idle, now = self._idle.get(place, []), asyncio.get_running_loop().time()
        while idle:
            connection = idle.pop()
            if connection.is_good and now <= connection.idle_until:
                return connection
            connection.abort()
        return None

    # What connections tell.

    def add(self, connection: _Connection) -> None:
        """It is open."""
        self._open.add(connection)
        connection.idle_until = asyncio.get_running_loop().time() + self.patience.idle_s
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self._look_s, self._look)

    def keep(self, connection: _Connection) -> None:
        """It is free for the next question."""
        connection.idle_until = asyncio.get_running_loop().time() + self.patience.idle_s
        self._idle.setdefault(connection.place, []).append(connection)

    def forget(self, connection: _Connection) -> None:
        """It is closed."""
        self._open.discard(connection)
        idle = self._idle.get(connection.place)
        if idle is not None and connection in idle:
            idle.remove(connection)
        if not idle:
            self._idle.pop(connection.place, None)

    def _look(self) -> None:
        loop = asyncio.get_running_loop()
        for connection in list(self._open):
            connection.look(loop.time())
        self._timer = loop.call_later(self._look_s, self._look) if self._open else None
