"""Counts what every model answers, in memory, and hands the sums over every few seconds. No database on the way.

The sink is a callable that `app.py` hands in; it runs in a thread. What it does not take is kept for the next time, up
to a limit, and what goes beyond that is said and forgotten: counting never holds up an answer.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from types import TracebackType

from goldsmith.gateway.errors import EngineNotReady, EngineUnreachable
from goldsmith.gateway.exchange import Back, Outgoing
from goldsmith.gateway.observing import Observed
from goldsmith.serve.counts import Counts, TrafficKey

EVERY_S = 5.0
MAX_KEYS = 2_000
"""Minutes of models that are kept at most, about 1 MB."""
Sink = Callable[[Mapping[TrafficKey, Counts]], None]
log = logging.getLogger(__name__)


class Traffic:
    """The sums since they were last handed over. Used in the loop of the server only."""

    def __init__(
        self, sink: Sink | None = None, *, every_s: float = EVERY_S, clock: Callable[[], float] = time.time
    ) -> None:
        self._sink = sink
        self._every_s = every_s
        self._clock = clock
        self._sums: dict[TrafficKey, Counts] = {}
        self._task: asyncio.Task[None] | None = None
        self.num_forgotten = 0
        """Requests that were not counted, because the sink took nothing for too long."""

    def watching(self, request: Outgoing, domain: str, back: Back) -> "Watching":
        """Count the answer that goes this way back, whatever becomes of it; not when nothing was sent yet."""
        return Watching(self, request, domain, Observed(back, request.is_json_wanted))

    def add_failed(self, request: Outgoing, domain: str) -> None:
        """Count a request that found no engine, however often it was tried."""
        self.add_of(request, domain, Counts(num_requests=1, num_errors=1))

    def add_of(self, request: Outgoing, domain: str, counts: Counts) -> None:
        """Add to the sums of where this request went."""
        told, minute = request.headers, int(self._clock() // 60)
        alias, model_id = told.get("x-goldsmith-alias", ""), told["x-goldsmith-model"]
        self.add(TrafficKey(minute, domain, alias, request.version, model_id), counts)

    def add(self, key: TrafficKey, counts: Counts) -> None:
        """Add to the sums of this minute."""
        sums = self._sums.get(key)
        if sums is None:
            if len(self._sums) >= MAX_KEYS:
                self.num_forgotten += counts.num_requests
                return
            sums = self._sums[key] = Counts()
        sums.add(counts)

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
        await self.hand_over()

    async def hand_over(self) -> None:
        """Hand over everything that was counted until now."""
        if self._sink is None or not self._sums:
            return
        taken, self._sums = self._sums, {}
        try:
            await asyncio.to_thread(self._sink, taken)
        except Exception as error:  # noqa: BLE001 - whatever the sink raises, answers go on, and it is tried again
            log.warning("what was counted could not be kept yet: %s", error)
            self._keep(taken)

    def _keep(self, taken: Mapping[TrafficKey, Counts]) -> None:
        for key, counts in taken.items():
            self.add(key, counts)

    async def _hand_over_for_ever(self) -> None:
        while True:
            await asyncio.sleep(self._every_s)
            await self.hand_over()


class Watching:
    """An answer that is being counted; entered, it is the way back with somebody at its side."""

    __slots__ = ("_domain", "_observed", "_request", "_traffic")

    def __init__(self, traffic: Traffic, request: Outgoing, domain: str, observed: Observed) -> None:
        self._traffic, self._request, self._domain, self._observed = traffic, request, domain, observed

    def __enter__(self) -> Back:
        return self._observed.back

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, EngineUnreachable | EngineNotReady):
            return
        if isinstance(error, Exception):
            self._observed.has_failed = True
        self._traffic.add_of(self._request, self._domain, self._observed.counts())
