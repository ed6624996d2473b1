"""Sends many requests to one engine or provider, a bounded number at once, and hands the answers over in batches.

Memory stays constant: requests are pulled as they are sent. Async, and touches no database: what it reads from and
writes to are callables, each called in a thread. Called by runs, comparisons and batches, which differ in their
`Letters`.
"""

import asyncio
import random
import time
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Generic

import aiohttp

from goldsmith.run.engine_reply import Asked, Letters, Reply, ReplyKind, Sent, headers_of
from goldsmith.run.errors import EngineGone, EngineKeyNotAccepted, ModelNotAtProvider
from goldsmith.run.types import Endpoint, SendLimits

BATCH_EVERY_S = 0.1
MAX_UNWRITTEN = 512
"""So many answers may wait for the writer; then nothing more is asked until it has caught up."""
GRACE_S = 3.0
"""How long requests in flight may go on after somebody asked to stop."""
NUM_BAD_UNTIL_ILL = 16
"""After so many server errors in a row, without one answer, the engine is ill, and no longer the rows."""
MAX_PAUSE_S = 60.0

JSON = {"Content-Type": "application/json"}


class Sender(Generic[Asked, Sent]):
    """One stream of requests to one endpoint."""

    def __init__(self, endpoint: Endpoint, limits: SendLimits, letters: Letters[Asked, Sent]) -> None:
        self._endpoint = endpoint
        self._limits = limits
        self._letters = letters
        self._inbox: asyncio.Queue[Asked | None] = asyncio.Queue(maxsize=limits.concurrency)
        self._outbox: asyncio.Queue[Sent | None] = asyncio.Queue(maxsize=MAX_UNWRITTEN)
        self._is_stopping = False
        self._down_since: float | None = None
        self._num_bad_in_a_row = 0
        self._paused_until = 0.0

    async def send(
        self,
        requests: Iterable[Asked],
        *,
        on_answers: Callable[[list[Sent]], None],
        should_stop: Callable[[], bool],
    ) -> None:
        """Send everything; `on_answers` gets each answer once, failed ones too, at most every 100 ms.

        Returns early, with everything written, when `should_stop`. Raises EngineGone, EngineKeyNotAccepted,
        ModelNotAtProvider.
        """
        timeout = aiohttp.ClientTimeout(total=self._limits.timeout_s, sock_connect=min(10.0, self._limits.timeout_s))
        connector = aiohttp.TCPConnector(limit=0)
        try:
            async with (
                aiohttp.ClientSession(
                    connector=connector,
                    timeout=timeout,
                    headers={**JSON, **headers_of(self._endpoint)},
                    trust_env=False,
                ) as http,
                asyncio.TaskGroup() as group,
            ):
                writer = group.create_task(self._write(on_answers))
                problem = await self._ask_all(http, iter(requests), should_stop)
                await self._outbox.put(None)
                await writer
        except BaseExceptionGroup as several:
            raise _first(several) from None
        if problem is not None:
            raise problem

    async def _ask_all(
        self, http: aiohttp.ClientSession, requests: Iterator[Asked], should_stop: Callable[[], bool]
    ) -> Exception | None:
        """Returns the problem that ended it, so that what was answered before is still written."""
        try:
            async with asyncio.TaskGroup() as group:
                feeder = group.create_task(self._feed(requests))
                workers = [group.create_task(self._work(http)) for _ in range(self._limits.concurrency)]
                watcher = group.create_task(self._watch(should_stop, workers))
                await asyncio.wait(workers)
                watcher.cancel()
                feeder.cancel()
        except BaseExceptionGroup as several:
            problem = _first(several)
            if isinstance(problem, Exception):
                return problem
            raise problem from None
        return None

    async def _feed(self, requests: Iterator[Asked]) -> None:
        size = self._limits.concurrency
        while not self._is_stopping:
            batch = await asyncio.to_thread(lambda: list(islice(requests, size)))
            for request in batch:
                await self._inbox.put(request)
            if len(batch) < size:
                break
        for _ in range(size):
            await self._inbox.put(None)

    async def _work(self, http: aiohttp.ClientSession) -> None:
        while not self._is_stopping:
            request = await self._inbox.get()
            if request is None:
                return
            await self._outbox.put(await self._answer(http, request))

    async def _watch(self, should_stop: Callable[[], bool], workers: list[asyncio.Task[None]]) -> None:
        while not should_stop():
            await asyncio.sleep(BATCH_EVERY_S)
        self._is_stopping = True
        await asyncio.wait(workers, timeout=GRACE_S)
        for worker in workers:
            worker.cancel()

    async def _write(self, on_answers: Callable[[list[Sent]], None]) -> None:
        is_over = False
        while not is_over:
            batch = [await self._outbox.get()]
            if batch[0] is not None and self._outbox.empty():
                await asyncio.sleep(BATCH_EVERY_S)
            while not self._outbox.empty():
                batch.append(self._outbox.get_nowait())
            is_over = None in batch
            answers = [answer for answer in batch if answer is not None]
            if answers:
                await asyncio.to_thread(on_answers, answers)

    async def _answer(self, http: aiohttp.ClientSession, request: Asked) -> Sent:
        known = self._letters.known(request)
        if known is not None:
            return known
        num_tries = num_rate_limited = 0
        body = self._letters.write(request)
        while True:
            await asyncio.sleep(max(0.0, self._paused_until - time.monotonic()))
            reply = await self._ask(http, body, self._letters.listener(request))
            kind = self._judge(reply)
            if kind is ReplyKind.NO_MODEL and not self._endpoint.is_ours:
                raise ModelNotAtProvider(f"{self._endpoint.url} has no {self._endpoint.model_name}: {reply.words}")
            if kind in (ReplyKind.AWAY, ReplyKind.NO_MODEL):
                self._check_patience(reply)
                await self._back_off(2)
                continue
            num_tries += 1
            if kind is ReplyKind.ANSWER:
                return self._letters.answered(request, reply, num_tries)
            if kind is ReplyKind.KEY_REFUSED:
                raise EngineKeyNotAccepted(f"{self._endpoint.url} does not accept the key: {reply.words}")
            if kind is ReplyKind.LATER and num_rate_limited < self._limits.num_rate_limited:
                num_tries -= 1
                num_rate_limited += 1
                self._pause(reply, num_rate_limited)
                continue
            if kind is ReplyKind.REFUSED or num_tries >= self._limits.num_tries:
                return self._letters.given_up(request, reply, num_tries)
            await self._back_off(num_tries)

    async def _ask(self, http: aiohttp.ClientSession, body: bytes, hear: Callable[[bytes], None] | None) -> Reply:
        began = time.monotonic()
        try:
            async with http.post(self._letters.url(), data=body, allow_redirects=False) as response:
                content = await _read(response, hear)
                duration_ms = 1000 * (time.monotonic() - began)
                return self._letters.read(response.status, content, response.headers, duration_ms)
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError):
            return Reply(ReplyKind.AWAY, "it cannot be reached")
        except TimeoutError:
            return Reply(ReplyKind.BROKEN, f"No answer came within {self._limits.timeout_s:g} s.")
        except (aiohttp.ClientError, OSError) as error:
            return Reply(ReplyKind.BROKEN, f"The connection broke in the middle of the answer: {error}.")

    def _judge(self, reply: Reply) -> ReplyKind:
        """The kind of a reply, in view of those before it: an engine that only ever fails is ill."""
        if reply.kind in (ReplyKind.ANSWER, ReplyKind.REFUSED, ReplyKind.LATER):
            self._down_since = None
            self._num_bad_in_a_row = 0
        elif reply.kind is ReplyKind.ERROR:
            self._num_bad_in_a_row += 1
            if self._num_bad_in_a_row > NUM_BAD_UNTIL_ILL:
                return ReplyKind.AWAY
        return reply.kind

    def _check_patience(self, reply: Reply) -> None:
        now = time.monotonic()
        self._down_since = self._down_since or now
        if now - self._down_since > self._limits.engine_wait_s:
            raise EngineGone(
                f"The engine at {self._endpoint.url} was away for {now - self._down_since:.0f} s: {reply.words}"
            )

    def _pause(self, reply: Reply, count: int) -> None:
        """Nobody asks before the time that the server named, or a growing one."""
        pause_s = reply.retry_after_s if reply.retry_after_s is not None else self._delay_s(count)
        self._paused_until = max(self._paused_until, time.monotonic() + min(pause_s, MAX_PAUSE_S))

    async def _back_off(self, count: int) -> None:
        await asyncio.sleep(self._delay_s(count))

    def _delay_s(self, count: int) -> float:
        jitter = random.uniform(0.5, 1.5)  # noqa: S311 - so that not all come back at once; nothing secret
        return float(min(self._limits.backoff_s * 2 ** (count - 1), MAX_PAUSE_S / 2) * jitter)


async def _read(response: aiohttp.ClientResponse, hear: Callable[[bytes], None] | None) -> bytes:
    if hear is None:
        return await response.read()
    parts = []
    async for part in response.content.iter_any():
        parts.append(part)
        hear(part)
    return b"".join(parts)


def _first(several: BaseExceptionGroup[BaseException]) -> BaseException:
    """The first thing that went wrong, out of however many groups."""
    first = several.exceptions[0]
    return _first(first) if isinstance(first, BaseExceptionGroup) else first
