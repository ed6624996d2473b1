"""A connection of a caller that hands what an answer consists of to the network at once: head and body in one packet.

The event loop sends whatever it is given there and then, and a system call costs more than all else in an answer of
the gateway. So what is written in one turn of the loop is kept until the next, and goes out together.
"""

import asyncio
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

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


class Connection(HttpToolsProtocol):
    """uvicorn's connection, with joined writes."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Somebody connected."""
        joined: Any = JoinedWrites(transport, self.loop)
        super().connection_made(joined)
