"""Calls something at a time, to within some hundredths of a millisecond: an event loop's own timers count whole ones.

Callers of an engine that answers on whole milliseconds come in step with it, and whoever stands between them seems to
cost a whole millisecond more or nothing. Linux alone has the timer that this takes (timerfd_create(2)).
"""

import asyncio
import ctypes
import heapq
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field

_libc = ctypes.CDLL(None, use_errno=True)
_MONOTONIC, _ABSOLUTE = 1, 1
_NONBLOCK_AND_CLOEXEC = os.O_NONBLOCK | os.O_CLOEXEC
_TIMES = ctypes.c_long * 4
_READ_BYTES = 8


@dataclass(order=True)
class Timer:
    """Something that is to be called at a time of `time.monotonic`."""

    at: float
    number: int
    call: Callable[[], None] = field(compare=False)
    is_cancelled: bool = field(default=False, compare=False)

    def cancel(self) -> None:
        """Do not call it."""
        self.is_cancelled = True


class ExactClock:
    """Used in the loop in which it was made."""

    def __init__(self) -> None:
        self._file = _libc.timerfd_create(_MONOTONIC, _NONBLOCK_AND_CLOEXEC)
        if self._file < 0:
            raise OSError(ctypes.get_errno(), "there is no exact timer here")
        self._timers: list[Timer] = []
        self._num_made = 0
        self._set_to = 0.0
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._file, self._ring)

    def call_at(self, at: float, call: Callable[[], None]) -> Timer:
        """Call it then, or as soon as may be when that is over."""
        self._num_made += 1
        timer = Timer(at, self._num_made, call)
        if at <= time.monotonic():
            self._loop.call_soon(self._do, timer)
        else:
            heapq.heappush(self._timers, timer)
            if self._timers[0] is timer:
                self._set()
        return timer

    def _do(self, timer: Timer) -> None:
        if not timer.is_cancelled:
            timer.call()

    def _ring(self) -> None:
        os.read(self._file, _READ_BYTES)
        while self._timers and self._timers[0].at <= time.monotonic():
            self._do(heapq.heappop(self._timers))
        self._set()

    def _set(self) -> None:
        if self._timers and self._timers[0].at != self._set_to:
            self._set_to = self._timers[0].at
            seconds, rest = divmod(self._set_to, 1)
            _libc.timerfd_settime(self._file, _ABSOLUTE, _TIMES(0, 0, int(seconds), int(rest * 1e9)), None)
