"""Counts what every model answers, in memory, and hands the sums over every few seconds. No database on the way.

The sink is a callable that `app.py` hands in; it runs in a thread. What it does not take is kept for the next time, up
to a limit, and what goes beyond that is said and forgotten: counting never holds up an answer.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

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

    @contextmanager
    def watching(self, request: Outgoing, domain: str, back: Back) -> Iterator[Back]:
        """Count the answer that goes this way back, whatever becomes of it; not when nothing was sent yet."""
        observed = Observed(back, request.is_json_wanted)
        is_counted = True
        try:
            yield observed.back
        except (EngineUnreachable, EngineNotReady):
            is_counted = False
            raise
        except Exception:
            observed.has_failed = True
            raise
        finally:
            if is_counted:
                self.add(self._key(request, domain), observed.counts())

    def add_failed(self, request: Outgoing, domain: str) -> None:
        """Count a request that found no engine, however often it was tried."""
        self.add(self._key(request, domain), Counts(num_requests=1, num_errors=1))

    def _key(self, request: Outgoing, domain: str) -> TrafficKey:
        told = request.headers
        minute = int(self._clock() // 60)
        return TrafficKey(minute, domain, told.get("x-goldsmith-alias", ""), request.version, told["x-goldsmith-model"])

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
