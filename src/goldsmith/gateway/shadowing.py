"""Has a second model answer a copy of an alias's requests, after the caller has its answer, and hands both over.

Nobody waits for it and nobody is sent what it says. A bounded number of copies is under way for each alias; what comes
beyond, and what finds no engine that is ready, is not asked. What takes too long is broken off, at the engine too.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial

from goldsmith.errors import GoldsmithError
from goldsmith.gateway import body, routes
from goldsmith.gateway.endpoints import ENDPOINTS
from goldsmith.gateway.exchange import Back, Forwards, Outgoing
from goldsmith.gateway.handing import EVERY_S, MAX_ANSWER_BYTES, MAX_REQUEST_BYTES, Dropped, Handing, Noted, exchange_of
from goldsmith.people.types import Person
from goldsmith.serve.shadow.types import Pair, Shadow

Sink = Callable[[tuple[Pair, ...], Dropped], None]


class Shadowing:
    """The copies that are under way, and the pairs that wait to be kept. Used in the loop of the server only."""

    def __init__(
        self,
        forwarder: Forwards | None = None,
        sink: Sink | None = None,
        *,
        every_s: float = EVERY_S,
        dice: Callable[[], float] = random.random,
    ) -> None:
        self._forwarder = forwarder
        self._handing: Handing[Pair] = Handing(sink, every_s=every_s)
        self._dice = dice
        self._tasks: set[asyncio.Task[None]] = set()
        self._num_running: Counter[tuple[str, str]] = Counter()
        self.start, self.hand_over = self._handing.start, self._handing.hand_over

    async def close(self) -> None:
        """Break off what is under way, and hand over what is there."""
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        await self._handing.close()

    @contextmanager
    def watching(
        self, request: Outgoing, person: Person, tables: routes.Tables, back: Back, load: routes.Load = routes.NO_LOAD
    ) -> Iterator[Back]:
        """Note the answer that goes this way back; once it is whole, ask the alias's shadow the same."""
        alias = request.headers.get("x-goldsmith-alias", "")
        shadow = tables.shadows.get(person.domain, {}).get(alias)
        is_meant = shadow is not None and shadow.model_id != request.headers.get("x-goldsmith-model")
        if shadow is None or not is_meant or not self._handing.is_wanted or self._dice() >= shadow.share:
            yield back
            return
        noted = Noted(back, self._handing.has_room)
        try:
            yield noted.back
        finally:
            self._handing.give_back(noted.num_bytes)
        key = (person.domain, alias)
        is_too_much = noted.is_too_long or len(request.body) > MAX_REQUEST_BYTES
        if noted.is_good and (is_too_much or self._num_running[key] >= shadow.max_at_once):
            self._handing.drop(key)
        elif noted.is_good:
            sent = exchange_of(request, person, noted, rule="", hides=shadow.hides)
            copy = partial(copied, request, shadow.model_id, tables, person.domain, load)
            self._begin(shadow, Pair(sent, shadow.model_id, request.is_json_wanted), copy)

    def _begin(self, shadow: Shadow, pair: Pair, copy: Callable[[], Outgoing]) -> None:
        key = (pair.sent.domain, pair.sent.alias)
        self._num_running[key] += 1

        def over(task: asyncio.Task[None]) -> None:
            self._tasks.discard(task)
            self._num_running[key] -= 1

        task = asyncio.get_running_loop().create_task(self._ask(shadow, pair, copy))
        self._tasks.add(task)
        task.add_done_callback(over)

    async def _ask(self, shadow: Shadow, pair: Pair, copy: Callable[[], Outgoing]) -> None:
        heard = Noted(Back(_nowhere, _nowhere), lambda _: True)
        error = ""
        try:
            request = copy()
            async with asyncio.timeout(shadow.within_s):
                await self._forward(request, heard.back)
        except TimeoutError:
            error = f"It took longer than {shadow.within_s:g} s and was broken off."
        except GoldsmithError as refused:
            error = refused.message
        except Exception as unforeseen:  # noqa: BLE001 - whatever a copy meets, callers must not feel it
            error = f"{type(unforeseen).__name__} while it answered."
        if not error and not heard.is_good:
            error = f"It answered with status {heard.status}."
        elif not error and heard.is_too_long:
            error = f"Its answer is longer than {MAX_ANSWER_BYTES // 1024} kB."
        if error:
            pair = replace(pair, error=error)
        else:
            pair = replace(pair, answer=heard.content, duration_ms=heard.duration_ms)
        self._handing.add(pair, pair.num_bytes, (pair.sent.domain, pair.sent.alias))

    async def _forward(self, request: Outgoing, back: Back) -> None:
        if self._forwarder is not None:
            await self._forwarder.forward(request, back)


def copied(request: Outgoing, model_id: str, tables: routes.Tables, domain: str, load: routes.Load) -> Outgoing:
    """The same request for another model, to be answered whole. Raises what is wrong with it."""
    endpoint = ENDPOINTS[request.path]
    asked = {name: value for name, value in body.read(request.body).items() if name not in ("stream", "stream_options")}
    share = routes.resolve(tables.by_domain.get(domain), model_id, pick=0.0)
    target = routes.least_busy(share, load).target
    return Outgoing(
        url=target.url,
        path=request.path,
        body=body.for_target(endpoint, {**asked, "model": model_id}, target),
        key=tables.engine_keys.get(target.engine_id),
        headers={"x-goldsmith-model": share.model_id, "x-goldsmith-engine": target.engine_id},
        engine_id=target.engine_id,
    )


async def _nowhere(*_: object) -> None:
    """Nobody is sent what a shadow says."""
