"""A connection of a caller that hands what an answer consists of to the network at once: head and body in one packet.

The event loop sends whatever it is given there and then, and a system call costs more than all else in an answer of
the gateway. So what is written in one turn of the loop is kept until the next, and goes out together.

A connection that nobody uses is closed after a while, but never one on which a request has come already: a loop that
was busy for long looks at its clock before it looks at the network, and would close it under the caller.
"""

import asyncio
import select
from collections.abc import Callable
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from goldsmith.wire.asgi import GONE, Stop

MAX_KEPT_BYTES: Final = 64 * 1024


class JoinedWrites:
    """Stands before a transport; everything but writing and closing is the transport's own."""

    __slots__ = ("_kept", "_loop", "_num_bytes", "_transport")

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._kept: list[bytes] = []
        self._num_bytes = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """Keep it for this turn of the loop; much of it goes out now."""
        if not data:
            return
        if not self._kept:
            self._loop.call_soon(self.flush)
        self._kept.append(data)
        self._num_bytes += len(data)
        if self._num_bytes > MAX_KEPT_BYTES:
            self.flush()

    def flush(self) -> None:
        """Send what is kept."""
        if self._kept:
            kept, self._kept, self._num_bytes = self._kept, [], 0
            self._transport.write(kept[0] if len(kept) == 1 else b"".join(kept))

    def close(self) -> None:
        """Send what is kept, then close."""
        self.flush()
        self._transport.close()


def has_something(transport: asyncio.BaseTransport) -> bool:
    """Whether the network holds something of a connection that nobody has read yet."""
    found = transport.get_extra_info("socket")
    number = found.fileno() if found is not None else -1
    if number < 0:
        return False
    look = select.poll()
    look.register(number, select.POLLIN)
    return bool(look.poll(0))


class Connection(HttpToolsProtocol):
    """uvicorn's connection, with joined writes, and never closed under a caller who has just asked.

    Whoever answers can have something called when the caller has gone (`wire/asgi.py`).
    """

    _told_when_gone: Callable[[], None] | None = None

    def on_message_begin(self) -> None:
        """A request begins."""
        super().on_message_begin()
        self.scope["extensions"] = {GONE: self._when_gone}  # type: ignore[dict-item]

    def connection_lost(self, exc: Exception | None) -> None:
        """The caller has gone."""
        super().connection_lost(exc)
        self._tell_that_gone()

    def _when_gone(self, call: Callable[[], None]) -> Stop:
        # Reading pauses at a long body, and only whoever reads it begins again: without that nobody sees its end.
        self.flow.resume_reading()
        self._told_when_gone = call
        if self.transport.is_closing():
            self.loop.call_soon(self._tell_that_gone)
        return self._tell_nobody

    def _tell_that_gone(self) -> None:
        if self._told_when_gone is not None:
            self._told_when_gone()

    def _tell_nobody(self) -> None:
        self._told_when_gone = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Somebody connected."""
        joined: Any = JoinedWrites(transport, self.loop)
        super().connection_made(joined)

    def timeout_keep_alive_handler(self) -> None:
        """Nobody has asked for a while, as far as was read by now."""
        if not self.transport.is_closing() and has_something(self.transport):
            again = self.loop.call_later(self.timeout_keep_alive, self.timeout_keep_alive_handler)
            self.timeout_keep_alive_task = again
        else:
            super().timeout_keep_alive_handler()
