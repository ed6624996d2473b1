"""What waits to be written, behind an answer's back: in memory up to a limit, dropped and counted beyond it.

A sink that `app.py` hands in takes portions in a thread. What it does not take waits for the next time.
"""

import asyncio
import logging
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping
from typing import Generic, TypeVar

from goldsmith.gateway.exchange import Back, Outgoing
from goldsmith.people.types import Person
from goldsmith.serve.kept.types import Exchange, Hidden

EVERY_S = 1.0
MAX_WAITING_BYTES = 32 * 1024 * 1024
MAX_ANSWER_BYTES = 512 * 1024
MAX_REQUEST_BYTES = 512 * 1024
"""Longer ones hold pictures, or whole books; they are neither kept nor copied."""
MAX_AT_ONCE = 500
Dropped = Mapping[tuple[str, str], int]
"""By organisation and rule."""
T = TypeVar("T")
Sink = Callable[[tuple[T, ...], Dropped], None]
log = logging.getLogger(__name__)


class Handing(Generic[T]):
    """Used in the loop of the server only."""

    def __init__(self, sink: Sink[T] | None, *, every_s: float = EVERY_S, max_bytes: int = MAX_WAITING_BYTES) -> None:
        self._sink = sink
        self._every_s = every_s
        self._max_bytes = max_bytes
        self._waiting: deque[tuple[T, int]] = deque()
        self._num_bytes = 0
        self._dropped: Counter[tuple[str, str]] = Counter()
        self._task: asyncio.Task[None] | None = None

    @property
    def is_wanted(self) -> bool:
        """Whether anybody takes anything."""
        return self._sink is not None

    def has_room(self, num_bytes: int) -> bool:
        """Take room for what is on its way; whoever took it gives it back."""
        if self._num_bytes + num_bytes > self._max_bytes:
            return False
        self._num_bytes += num_bytes
        return True

    def give_back(self, num_bytes: int) -> None:
        """The room is free again."""
        self._num_bytes -= num_bytes

    def add(self, item: T, num_bytes: int, key: tuple[str, str]) -> None:
        """Have it written, or drop it when there is no room."""
        if self.has_room(num_bytes):
            self._waiting.append((item, num_bytes))
        else:
            self.drop(key)

    def drop(self, key: tuple[str, str]) -> None:
        """Count what is not written."""
        self._dropped[key] += 1

    def start(self) -> None:
        """Begin to hand over; does nothing when it was begun, or when nobody takes anything."""
        if self._sink is not None and (self._task is None or self._task.done()):
            self._task = asyncio.get_running_loop().create_task(self._hand_over_for_ever())

    async def close(self) -> None:
        """Hand over what is left, and stop."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
            self._task = None
        while (self._waiting or self._dropped) and await self.hand_over():
            pass

    async def hand_over(self) -> bool:
        """Hand over the next portion; False when it was not taken, and waits for the next time."""
        if self._sink is None or not (self._waiting or self._dropped):
            return True
        some = [self._waiting.popleft() for _ in range(min(MAX_AT_ONCE, len(self._waiting)))]
        dropped, self._dropped = self._dropped, Counter()
        try:
            await asyncio.to_thread(self._sink, tuple(item for item, _ in some), dict(dropped))
        except Exception as error:  # noqa: BLE001 - whatever the sink raises, answers go on, and it is tried again
            log.warning("what passed could not be written yet: %s", error)
            self._waiting.extendleft(reversed(some))
            self._dropped.update(dropped)
            return False
        self._num_bytes -= sum(num_bytes for _, num_bytes in some)
        return True

    async def _hand_over_for_ever(self) -> None:
        while True:
            await asyncio.sleep(0 if len(self._waiting) >= MAX_AT_ONCE and await self.hand_over() else self._every_s)
            await self.hand_over()


class Noted:
    """An answer as it passes, noted after it was sent on. `room` says whether there is memory for it."""

    def __init__(self, inner: Back, room: Callable[[int], bool]) -> None:
        self._inner = inner
        self._room = room
        self._began_at = time.monotonic()
        self._is_whole = False
        self.num_bytes = 0
        self.parts: list[bytes] = []
        self.status = 0
        self.is_stream = False
        self.is_too_long = False
        self.duration_ms = 0.0

    @property
    def is_good(self) -> bool:
        """Whether the answer came whole, and was no error."""
        return self.status == 200 and self._is_whole

    @property
    def content(self) -> bytes:
        """All of it."""
        return b"".join(self.parts)

    @property
    def back(self) -> Back:
        """The way back, with somebody at its side."""
        return Back(self._start, self._chunk)

    async def _start(self, status: int, headers: Mapping[str, str]) -> None:
        self.status = status
        self.is_stream = headers.get("content-type", "").startswith("text/event-stream")
        await self._inner.start(status, headers)

    async def _chunk(self, content: bytes, has_more: bool) -> None:
        await self._inner.chunk(content, has_more)
        if self.is_too_long or self.num_bytes + len(content) > MAX_ANSWER_BYTES or not self._room(len(content)):
            self.is_too_long = True
            self.parts.clear()
        elif content:
            self.num_bytes += len(content)
            self.parts.append(content)
        if not has_more:
            self._is_whole = True
            self.duration_ms = 1000 * (time.monotonic() - self._began_at)


def exchange_of(request: Outgoing, person: Person, noted: Noted, *, rule: str, hides: tuple[Hidden, ...]) -> Exchange:
    """What was asked and answered, as it is handed over."""
    return Exchange(
        domain=person.domain,
        asked_by=person.id,
        rule=rule,
        alias=request.headers.get("x-goldsmith-alias", ""),
        model_id=request.headers.get("x-goldsmith-model", ""),
        path=request.path,
        request=request.body,
        answer=noted.content,
        is_stream=noted.is_stream,
        duration_ms=noted.duration_ms,
        at_s=time.time(),
        hides=hides,
    )
