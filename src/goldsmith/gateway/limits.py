"""How much a key may ask: requests and tokens in any minute, and requests at the same time. Kept in memory.

What was spent is known to the second, so in no 60 s more goes through than was allowed. A request's tokens are guessed
from its length when it comes, and counted when the engine has said how many there were.
"""

import math
import re
import time
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import dataclass, field
from typing import Final

from goldsmith.gateway.errors import TooManyRequests
from goldsmith.people.types import Holder, Limits

WINDOW_S: Final = 60.0
CHARACTERS_A_TOKEN: Final = 4
MOST_GUESSED: Final = 4_096
"""Because a picture is long and has few tokens."""
PARALLEL_RETRY_S: Final = 1
_TOTAL: Final = re.compile(rb'"total_tokens":\s*(\d+)')
_TAIL_BYTES: Final = 40
Clock = Callable[[], float]


class Spent:
    """What was spent in the last minute, entry by entry."""

    def __init__(self) -> None:
        self._entries: deque[list[float]] = deque()
        self._sum = 0.0

    def add(self, now: float, amount: int) -> list[float]:
        """Spend; the entry can be corrected with `correct`."""
        entry = [now, float(amount)]
        self._entries.append(entry)
        self._sum += amount
        return entry

    def correct(self, entry: list[float], amount: int) -> None:
        """It was another amount. An entry older than a minute no longer counts."""
        if self._entries and entry[0] >= self._entries[0][0]:
            self._sum += amount - entry[1]
        entry[1] = float(amount)

    def total(self, now: float) -> int:
        """What still counts."""
        while self._entries and self._entries[0][0] <= now - WINDOW_S:
            self._sum -= self._entries.popleft()[1]
        return round(self._sum)

    def free_in_s(self, now: float, amount: float) -> float:
        """Seconds until so much more no longer counts than now."""
        for at, spent in self._entries:
            amount -= spent
            if amount <= 0:
                return max(0.0, at + WINDOW_S - now)
        return WINDOW_S if self._entries and amount > 0 else 0.0


@dataclass
class Use:
    """What one key does."""

    requests: Spent = field(default_factory=Spent)
    tokens: Spent = field(default_factory=Spent)
    num_running: int = 0


class Admitted:
    """A request that was let in. `saw` gets what comes back, `close` is called at its end."""

    def __init__(self, use: Use, limits: Limits, *, guess: int, now: float) -> None:
        self._use = use
        self._guess = guess
        self._entry = use.tokens.add(now, guess) if limits.tokens_per_minute is not None else None
        self._total: int | None = None
        self._num_events = 0
        self._tail = b""
        use.requests.add(now, 1)
        use.num_running += 1
        self.headers = _headers(use, limits, now)

    def saw(self, content: bytes) -> None:
        """Part of an answer: it may say how many tokens there were; else each event of a stream counts as one."""
        if self._entry is None:
            return
        known = _TOTAL.findall(self._tail + content)
        if known:
            self._total = int(known[-1])
        self._num_events += content.count(b"data:")
        self._tail = content[-_TAIL_BYTES:]

    def close(self) -> None:
        """It is over."""
        self._use.num_running -= 1
        if self._entry is not None:
            self._use.tokens.correct(self._entry, self._total or self._guess + self._num_events)


class Limiter:
    """What all keys with limits do, by their ids."""

    def __init__(self, clock: Clock = time.monotonic) -> None:
        self._clock = clock
        self._uses: dict[str, Use] = {}

    def admitted(self, holder: Holder | None, num_bytes: int) -> AbstractContextManager[Admitted | None]:
        """Let a request of that length in, or raise TooManyRequests. None: nothing about it is limited."""
        if holder is None or not holder.limits.has_any:
            return nullcontext()
        return closing(self.admit(holder, num_bytes))

    def admit(self, holder: Holder, num_bytes: int) -> Admitted:
        """Let a request of that length in, or raise TooManyRequests."""
        limits, now = holder.limits, self._clock()
        use = self._uses.setdefault(holder.key_id, Use())
        guess = min(-(-num_bytes // CHARACTERS_A_TOKEN), MOST_GUESSED)
        self._check(use, limits, guess, now)
        return Admitted(use, limits, guess=guess, now=now)

    def _check(self, use: Use, limits: Limits, guess: int, now: float) -> None:
        if limits.parallel_requests is not None and use.num_running >= limits.parallel_requests:
            raise TooManyRequests(
                f"The key has {use.num_running} requests in work, and may have {limits.parallel_requests}.",
                kind="requests",
                retry_after_s=PARALLEL_RETRY_S,
                headers=_headers(use, limits, now),
            )
        for kind, spent, limit, more in (
            ("requests", use.requests, limits.requests_per_minute, 1),
            ("tokens", use.tokens, limits.tokens_per_minute, guess),
        ):
            if limit is not None and spent.total(now) + more > limit:
                wait_s = spent.free_in_s(now, spent.total(now) + more - limit)
                raise TooManyRequests(
                    f"The key has used {spent.total(now):,} of {limit:,} {kind} a minute; this needs {more:,}.",
                    kind=kind,
                    retry_after_s=max(1, math.ceil(wait_s)),
                    headers=_headers(use, limits, now),
                )


def _headers(use: Use, limits: Limits, now: float) -> Mapping[str, str]:
    """How much is left, as OpenAI says it."""
    headers: dict[str, str] = {}
    for kind, spent, limit in (
        ("requests", use.requests, limits.requests_per_minute),
        ("tokens", use.tokens, limits.tokens_per_minute),
    ):
        if limit is not None:
            total = spent.total(now)
            headers[f"x-ratelimit-limit-{kind}"] = str(limit)
            headers[f"x-ratelimit-remaining-{kind}"] = str(max(0, limit - total))
            headers[f"x-ratelimit-reset-{kind}"] = f"{math.ceil(spent.free_in_s(now, total))}s"
    return headers
