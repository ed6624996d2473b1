"""Hands over what is to be kept of the traffic, behind its back: in memory up to a limit, and dropped beyond it.

An answer is noted as it passes and never waits: nothing is read, changed or written on its way. A sink that `app.py`
hands in takes portions in a thread. What finds no room is counted and forgotten.
"""

import asyncio
import logging
import random
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from goldsmith.gateway.exchange import Back, Outgoing
from goldsmith.people.types import Person
from goldsmith.serve.kept.types import Exchange, Handed, Rules, rule_for

EVERY_S = 1.0
MAX_WAITING_BYTES = 32 * 1024 * 1024
MAX_ANSWER_BYTES = 512 * 1024
MAX_REQUEST_BYTES = 512 * 1024
"""Longer ones hold pictures, or whole books; they are not kept."""
MAX_AT_ONCE = 500
Sink = Callable[[Handed], None]
log = logging.getLogger(__name__)


class KeepingLine:
    """What waits to be kept. Used in the loop of the server only."""

    def __init__(
        self,
        sink: Sink | None = None,
        *,
        every_s: float = EVERY_S,
        max_bytes: int = MAX_WAITING_BYTES,
        dice: Callable[[], float] = random.random,
    ) -> None:
        self._sink = sink
        self._every_s = every_s
        self._max_bytes = max_bytes
        self._dice = dice
        self._waiting: deque[Exchange] = deque()
        self._num_bytes = 0
        self._dropped: Counter[tuple[str, str]] = Counter()
        self._task: asyncio.Task[None] | None = None

    @contextmanager
    def watching(self, request: Outgoing, person: Person, rules: Rules, back: Back) -> Iterator[Back]:
        """Note the answer that goes this way back, when it is one that is to be kept, and comes whole."""
        alias = request.headers.get("x-goldsmith-alias", "")
        name, keeping = rule_for(rules, alias)
        if self._sink is None or not keeping.is_on or self._dice() >= keeping.share:
            yield back
            return
        noted = _Noted(back, self._has_room)
        try:
            yield Back(noted.start, noted.chunk)
        finally:
            self._num_bytes -= noted.num_bytes
        if not noted.is_good:
            return
        exchange = Exchange(
            domain=person.domain,
            asked_by=person.id,
            rule=name,
            alias=alias,
            model_id=request.headers.get("x-goldsmith-model", ""),
            path=request.path,
            request=request.body,
            answer=b"".join(noted.parts),
            is_stream=noted.is_stream,
            duration_ms=1000 * (time.monotonic() - noted.began_at),
            at_s=time.time(),
            hides=keeping.hides,
        )
        self._add(exchange, is_too_long=noted.is_too_long or len(request.body) > MAX_REQUEST_BYTES)

    def _has_room(self, num_bytes: int) -> bool:
        """Take room for an answer that is on its way; whoever took it gives it back."""
        if self._num_bytes + num_bytes > self._max_bytes:
            return False
        self._num_bytes += num_bytes
        return True

    def _add(self, exchange: Exchange, *, is_too_long: bool) -> None:
        if is_too_long or self._num_bytes + exchange.num_bytes > self._max_bytes:
            self._dropped[exchange.domain, exchange.rule] += 1
            return
        self._waiting.append(exchange)
        self._num_bytes += exchange.num_bytes

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
        while self._waiting and await self.hand_over():
            pass

    async def hand_over(self) -> bool:
        """Hand over the next portion; False when it was not taken, and waits for the next time."""
        if self._sink is None or not (self._waiting or self._dropped):
            return True
        some = [self._waiting.popleft() for _ in range(min(MAX_AT_ONCE, len(self._waiting)))]
        dropped, self._dropped = self._dropped, Counter()
        try:
            await asyncio.to_thread(self._sink, Handed(tuple(some), dict(dropped)))
        except Exception as error:  # noqa: BLE001 - whatever the sink raises, answers go on, and it is tried again
            log.warning("kept requests could not be written yet: %s", error)
            self._waiting.extendleft(reversed(some))
            self._dropped.update(dropped)
            return False
        self._num_bytes -= sum(exchange.num_bytes for exchange in some)
        return True

    async def _hand_over_for_ever(self) -> None:
        while True:
            await asyncio.sleep(0 if len(self._waiting) >= MAX_AT_ONCE and await self.hand_over() else self._every_s)
            await self.hand_over()


class _Noted:
    """The answer as it passes."""

    def __init__(self, inner: Back, has_room: Callable[[int], bool]) -> None:
        self._inner = inner
        self._has_room = has_room
        self.num_bytes = 0
        self.began_at = time.monotonic()
        self.parts: list[bytes] = []
        self.is_stream = False
        self.is_too_long = False
        self._status = 0
        self._is_whole = False

    @property
    def is_good(self) -> bool:
        """Whether the answer came whole, and was no error."""
        return self._status == 200 and self._is_whole

    async def start(self, status: int, headers: Mapping[str, str]) -> None:
        self._status = status
        self.is_stream = headers.get("content-type", "").startswith("text/event-stream")
        await self._inner.start(status, headers)

    async def chunk(self, content: bytes, has_more: bool) -> None:
        await self._inner.chunk(content, has_more)
        if self.is_too_long or self.num_bytes + len(content) > MAX_ANSWER_BYTES or not self._has_room(len(content)):
            self.is_too_long = True
            self.parts.clear()
        elif content:
            self.num_bytes += len(content)
            self.parts.append(content)
        self._is_whole = self._is_whole or not has_more
