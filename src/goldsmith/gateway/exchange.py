"""What goes to an engine, and the way back."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Protocol

from goldsmith.gateway.answers import Answer

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


@asynccontextmanager
async def ended_when_gone(receive: Callable[[], Awaitable[Mapping[str, object]]]) -> AsyncIterator[None]:
    """Break off what is inside when the caller has gone; that is no error."""
    here = asyncio.current_task()
    watch = asyncio.get_running_loop().create_task(_until_gone(receive))

    def stop(_: object) -> None:
        if here is not None and not watch.cancelled():
            here.cancel()

    watch.add_done_callback(stop)
    try:
        yield
    except asyncio.CancelledError:
        if here is None or not watch.done() or here.uncancel():
            raise  # somebody else ended it: the server
    finally:
        watch.remove_done_callback(stop)
        watch.cancel()


async def _until_gone(receive: Callable[[], Awaitable[Mapping[str, object]]]) -> None:
    while (await receive())["type"] != "http.disconnect":
        await asyncio.sleep(0)
