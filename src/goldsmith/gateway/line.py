"""The waiting line before an engine that is away for the moment: starting, being changed, or just gone.

A caller waits for a bounded time instead of getting an error, and looks again and again whether the engine is there.
The line is bounded too: who finds it full is sent away at once, with the time after which to come back.
"""

import asyncio
import time
from collections import Counter
from typing import Final

MAX_WAITING: Final = 256
LOOK_EVERY_S: Final = 0.2


class Line:
    """Who waits for which engine."""

    def __init__(
        self, patience_s: float = 0.0, *, max_waiting: int = MAX_WAITING, look_every_s: float = LOOK_EVERY_S
    ) -> None:
        self.patience_s = patience_s
        self.max_waiting = max_waiting
        self.look_every_s = look_every_s
        self.num_waiting: Counter[str] = Counter()

    def join(self) -> "Place":
        """A place in the line, to be left whatever happens."""
        return Place(self)


class Place:
    """A caller's place; taken with the first `wait`."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._name = ""
        self._until: float | None = None

    async def wait(self, name: str) -> bool:
        """Wait a moment for this engine. False: the line is full, or the patience is over."""
        line, now = self._line, time.monotonic()
        if self._until is None:
            if line.patience_s <= 0 or line.num_waiting[name] >= line.max_waiting:
                return False
            self._name = name
            line.num_waiting[self._name] += 1
            self._until = now + line.patience_s
        if now >= self._until:
            return False
        await asyncio.sleep(min(line.look_every_s, self._until - now))
        return True

    def leave(self) -> None:
        """Wait no longer."""
        if self._until is not None:
            self._until = None
            self._line.num_waiting -= Counter({self._name: 1})
