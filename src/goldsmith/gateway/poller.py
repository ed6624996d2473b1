"""Keeps the gateway's tables fresh: read every second in a thread, and at once when somebody changed something.

Somebody in another process rings a bell, which is listened to fifty times a second and costs no query. Reading is a
callable that `app.py` hands over. Tables that are too old are never used: then nobody gets an answer.
"""

import asyncio
import logging
import threading
import time
from collections.abc import Callable

from goldsmith.gateway.errors import RoutesTooOld
from goldsmith.gateway.routes import Tables

EVERY_S = 1.0
LISTEN_EVERY_S = 0.02
TOO_OLD_S = 30.0
log = logging.getLogger(__name__)


class Poller:
    """The tables as of the last time that they could be read."""

    def __init__(
        self,
        read: Callable[[], Tables],
        *,
        every_s: float = EVERY_S,
        too_old_s: float = TOO_OLD_S,
        clock: Callable[[], float] = time.monotonic,
        bell: Callable[[], object] | None = None,
    ) -> None:
        self._read = read
        self._every_s = every_s
        self._too_old_s = too_old_s
        self._clock = clock
        self._bell = bell
        self._heard: object = None
        self._lock = threading.Lock()
        self._tables: Tables | None = None
        self._read_at = 0.0
        self._task: asyncio.Task[None] | None = None

    def refresh(self) -> None:
        """Read now, in this thread. When it returns, the next request goes by what was committed before the call."""
        with self._lock:
            began = self._clock()
            self._heard = self._bell() if self._bell is not None else None
            self._tables, self._read_at = self._read(), began

    async def tables(self) -> Tables:
        """The tables in force. Raises RoutesTooOld."""
        self.start()
        if self._tables is None:
            await asyncio.to_thread(self._try_to_refresh)
        if self._tables is None or self._clock() - self._read_at > self._too_old_s:
            raise RoutesTooOld(f"For more than {self._too_old_s:.0f} s it could not be read where models are.")
        return self._tables

    def start(self) -> None:
        """Begin to look every second; does nothing when it was begun."""
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._watch())

    async def close(self) -> None:
        """Look no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
            self._task = None

    async def _watch(self) -> None:
        while True:
            await asyncio.to_thread(self._try_to_refresh)
            await self._wait()

    async def _wait(self) -> None:
        """Until it is time to look again, or the bell rings."""
        loop = asyncio.get_running_loop()
        end = loop.time() + self._every_s
        while loop.time() < end and (self._bell is None or self._bell() == self._heard):
            await asyncio.sleep(self._every_s if self._bell is None else LISTEN_EVERY_S)

    def _try_to_refresh(self) -> None:
        try:
            self.refresh()
        except Exception as error:  # noqa: BLE001 - whatever the reader raises, the tables grow old, and that is said
            log.warning("it could not be read where models are: %s", error)
