"""What goes to an engine, and the way back."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass, field
from functools import partial
from types import TracebackType
from typing import Any, Protocol

from goldsmith.gateway.answers import Answer
from goldsmith.wire.asgi import GONE, Stop, WhenGone

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Start = Callable[[int, Mapping[str, str]], Awaitable[None]]
Chunk = Callable[[bytes, bool], Awaitable[None]]


@dataclass(frozen=True)
class Outgoing:
    """A request to an engine."""

    url: str
    path: str
    body: bytes
    key: str | None = field(repr=False)
    headers: Mapping[str, str]
    """What the caller is told about who answered."""
    version: int = 0
    """The version of the alias that led there."""
    is_json_wanted: bool = False
    engine_id: str = ""
    num_engines: int = 1
    """How many engines have the model now."""
    may_wait: bool = True
    """Whether it is worth waiting for this engine: one of ours is started again, an outside service is not."""


@dataclass(frozen=True)
class Back:
    """The way back to the caller."""

    start: Start
    chunk: Chunk

    async def answer(self, answer: Answer, more: Mapping[str, str]) -> None:
        """Send a whole answer."""
        length = {"content-length": str(len(answer.body))}
        await self.start(answer.status, {**answer.headers, **length, **more})
        await self.chunk(answer.body, False)


class Forwards(Protocol):
    """The one way to an engine."""

    async def forward(self, request: Outgoing, back: Back) -> None:
        """Send the request, and everything that comes back. Being cancelled ends the engine's work on it.

        Raises EngineUnreachable, EngineNotReady: then nothing was sent to the engine, and nothing to the caller.
        """
        ...

    async def close(self) -> None:
        """Close all connections."""
        ...


class EndedWhenGone:
    """Breaks off what is inside when the caller has gone; that is no error."""

    __slots__ = ("_here", "_is_gone", "_stop", "_when_gone")

    def __init__(self, when_gone: WhenGone) -> None:
        self._here = asyncio.current_task()
        self._is_gone = False
        self._when_gone = when_gone

    def __enter__(self) -> None:
        self._stop = self._when_gone(self._end)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        self._stop()
        if not self._is_gone or not isinstance(error, asyncio.CancelledError):
            return False
        # Where somebody else ended it, too, it is the server that ends.
        return self._here is not None and not self._here.uncancel()

    def _end(self) -> None:
        if self._here is not None and not self._is_gone:
            self._is_gone = True
            self._here.cancel()


def watching(scope: Mapping[str, Any], receive: Receive) -> WhenGone:
    """How to hear that the caller of this request has gone: from our server, or by waiting for it as ASGI has it."""
    told: WhenGone | None = scope.get("extensions", {}).get(GONE)
    return told if told is not None else partial(_wait, receive)


def _wait(receive: Receive, call: Callable[[], None]) -> Stop:
    task = asyncio.get_running_loop().create_task(_until_gone(receive))

    def over(_: object) -> None:
        if not task.cancelled():
            call()

    def stop() -> None:
        task.remove_done_callback(over)
        task.cancel()

    task.add_done_callback(over)
    return stop


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        await asyncio.sleep(0)
