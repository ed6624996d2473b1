"""The gateway as an ASGI application: answers its own addresses, and lets everything else through.

It stands behind the door, which has checked the host, the origin and the key, and says in `scope["state"]` who asks.
"""

import random
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping, MutableMapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final, NamedTuple, Protocol

from goldsmith.errors import GoldsmithError
from goldsmith.gateway import body, routes, sticky
from goldsmith.gateway.answers import listed, refused
from goldsmith.gateway.endpoints import ENDPOINTS, Endpoint
from goldsmith.gateway.errors import BodyTooLong, EngineNotReady, EngineUnreachable, NoPerson
from goldsmith.gateway.exchange import Back, EndedWhenGone, Forwards, Outgoing, Receive, watching
from goldsmith.gateway.keeping import KeepingLine
from goldsmith.gateway.limits import Admitted, Limiter
from goldsmith.gateway.line import Line, Place
from goldsmith.gateway.observing import wants_json
from goldsmith.gateway.poller import Poller
from goldsmith.gateway.shadowing import Shadowing
from goldsmith.gateway.traffic import Traffic
from goldsmith.people.types import Person
from goldsmith.serve.types import RESERVED_NAMES, Share

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

MODELS: Final = "/v1/models"
ADDRESSES: Final = (
    *(("POST", path) for path in ENDPOINTS),
    ("GET", MODELS),
    ("GET", f"{MODELS}/{{model:path}}"),
)
"""What the gateway answers, for whoever lists routes."""
MAX_BODY_BYTES = 24 * 1024 * 1024


class Asked(NamedTuple):
    """By whom, as far as it matters for where a request goes."""

    domain: str
    pick: float
    """From 0 to 1: which part of an alias answers where no caller is named."""
    caller: str | None = None


class Make(Protocol):
    """Makes a request ready for an engine, by where names lead now."""

    def __call__(self, *, tables: routes.Tables, load: routes.Load) -> Outgoing:
        """Pure."""
        ...


@dataclass(frozen=True)
class Gateway:
    """Stands before `app`."""

    app: App
    poller: Poller
    forwarder: Forwards
    traffic: Traffic = field(default_factory=Traffic)
    line: Line = field(default_factory=Line)
    keeping: KeepingLine = field(default_factory=KeepingLine)
    shadowing: Shadowing = field(default_factory=Shadowing)
    limiter: Limiter = field(default_factory=Limiter)
    num_running: Counter[str] = field(default_factory=Counter)
    """Requests in work, by engine."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request, or the beginning and end of the server's life."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, self._living(send))
            return
        if scope["type"] == "http":
            path, method = scope["path"], scope["method"]
            endpoint = ENDPOINTS.get(path) if method == "POST" else None
            if endpoint is not None:
                await self._pass_on(endpoint, scope, receive, _back(send))
                return
            if method == "GET" and path.startswith(MODELS) and is_model_address(path):
                await self._list(scope, path, _back(send))
                return
        await self.app(scope, receive, send)

    def _living(self, send: Send) -> Send:
        async def send_and_live(message: Message) -> None:
            if message["type"] == "lifespan.startup.complete":
                self.poller.start()
                self.traffic.start()
                self.keeping.start()
                self.shadowing.start()
            elif message["type"].startswith("lifespan.shutdown"):
                await self.poller.close()
                await self.traffic.close()
                await self.keeping.close()
                await self.shadowing.close()
                await self.forwarder.close()
            await send(message)

        return send_and_live

    async def _list(self, scope: Scope, path: str, back: Back) -> None:
        try:
            table = (await self.poller.tables()).by_domain.get(person_of(scope).domain)
            if path == MODELS:
                answer = listed({"object": "list", "data": routes.models(table)})
            else:
                answer = listed(routes.model(table, path.removeprefix(f"{MODELS}/")))
        except GoldsmithError as error:
            answer = refused(error)
        await back.answer(answer, {})

    async def _pass_on(self, endpoint: Endpoint, scope: Scope, receive: Receive, back: Back) -> None:
        try:
            person = person_of(scope)
            await self.poller.tables()
            raw = await read_body(receive)
            if raw is None:
                return
            asked = Asked(person.domain, _pick(), sticky.named_in(scope["headers"]))
            make = partial(prepare, endpoint, raw, asked)
            admitting = self.limiter.admitted(scope["state"].get("holder"), len(raw))
            with EndedWhenGone(watching(scope, receive)), admitting as admitted:
                await self._until_answered(make, person, told_by(back, admitted))
        except GoldsmithError as error:
            await back.answer(refused(error), {})

    async def _until_answered(self, make: Make, person: Person, back: Back) -> None:
        """Nobody gets an error while another engine has the model, or while its engine may come back soon."""
        place, away = self.line.join(), set[str]()
        try:
            while not await self._is_answered(make, person, back, place, away):
                pass
        finally:
            place.leave()

    async def _is_answered(self, make: Make, person: Person, back: Back, place: Place, away: set[str]) -> bool:
        request = None
        try:
            tables, load = await self.poller.tables(), routes.Load(self.num_running, away)
            request = make(tables=tables, load=load)
            is_noted = tables.keeping.get(person.domain) or tables.shadows.get(person.domain)
            with self._noting(request, person, tables, back, load) if is_noted else nullcontext(back) as noted:
                await self._forward(request, person.domain, noted)
        except (EngineUnreachable, EngineNotReady) as error:  # nothing was sent yet
            if await self._may_ask_again(error, request, place, away):
                return False
            if request is not None:
                self.traffic.add_failed(request, person.domain)
            raise
        return True

    @contextmanager
    def _noting(
        self, request: Outgoing, person: Person, tables: routes.Tables, back: Back, load: routes.Load
    ) -> Iterator[Back]:
        """The way back, with those at its side who keep the answer, or have another model asked the same."""
        rules = tables.keeping.get(person.domain, {})
        with (
            self.keeping.watching(request, person, rules, back) as kept,
            self.shadowing.watching(request, person, tables, kept, load) as noted,
        ):
            yield noted

    async def _may_ask_again(
        self, error: GoldsmithError, request: Outgoing | None, place: Place, away: set[str]
    ) -> bool:
        if isinstance(error, EngineNotReady):
            return await place.wait(error.engine_id)
        if request is None:
            return False
        away.add(request.engine_id)
        if len(away) < request.num_engines:
            return True
        away.clear()
        return request.may_wait and await place.wait(request.engine_id)

    async def _forward(self, request: Outgoing, domain: str, back: Back) -> None:
        self.num_running[request.engine_id] += 1
        try:
            with self.traffic.watching(request, domain, back) as watched:
                await self.forwarder.forward(request, watched)
        finally:
            self.num_running[request.engine_id] -= 1


def prepare(
    endpoint: Endpoint, raw: bytes, asked: Asked, *, tables: routes.Tables, load: routes.Load = routes.NO_LOAD
) -> Outgoing:
    """What goes to which engine for a request. Pure; raises what is wrong with it."""
    read = body.read(raw)
    checked = body.check(endpoint, read)
    who = asked.caller or sticky.named_by(read)
    share = routes.resolve(tables.by_domain.get(asked.domain), checked.get("model"), pick=asked.pick, caller=who)
    share = routes.least_busy(share, load)
    target = share.target
    return Outgoing(
        url=target.url,
        path=endpoint.path,
        body=body.for_target(endpoint, checked, target),
        key=tables.engine_keys.get(target.engine_id),
        headers=told_of(share),
        version=share.version,
        is_json_wanted=wants_json(checked),
        engine_id=target.engine_id,
        num_engines=1 + len(share.others),
        may_wait=target.is_ours,
    )


def told_of(share: Share) -> dict[str, str]:
    """What the caller is told about who answered: model and engine, and which part of which alias that was."""
    headers = {"x-goldsmith-model": share.model_id, "x-goldsmith-engine": share.target.engine_id}
    if share.alias is not None:
        headers |= {"x-goldsmith-alias": share.alias, "x-goldsmith-share": f"{share.share:g}"}
    return headers


def told_by(back: Back, admitted: Admitted | None) -> Back:
    """The way back, with what a key with limits is told, and with its tokens counted."""
    if admitted is None:
        return back

    async def start(status: int, headers: Mapping[str, str]) -> None:
        await back.start(status, {**headers, **admitted.headers})

    async def chunk(content: bytes, has_more: bool) -> None:
        admitted.saw(content)
        await back.chunk(content, has_more)

    return Back(start, chunk)


def person_of(scope: Mapping[str, Any]) -> Person:
    """Who asks, as the door found out. Raises NoPerson: without a door nobody gets in."""
    person = scope.get("state", {}).get("person")
    if not isinstance(person, Person):
        raise NoPerson("Neither a cookie of this browser nor a key came with the request.")
    return person


async def read_body(receive: Receive) -> bytes | None:
    """The whole body; None when the caller has gone before its end. Raises BodyTooLong."""
    parts: list[bytes] = []
    num_bytes = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        part: bytes = message.get("body", b"")
        parts.append(part)
        num_bytes += len(part)
        if num_bytes > MAX_BODY_BYTES:
            raise BodyTooLong(f"The body has more than {MAX_BODY_BYTES:,} bytes.")
        if not message.get("more_body", False):
            return b"".join(parts)


def is_model_address(path: str) -> bool:
    """Whether this is the list of models or one of them, and no verb of ours."""
    name = path.removeprefix(MODELS)
    return not name or (name.startswith("/") and len(name) > 1 and name[1:] not in RESERVED_NAMES)


def _back(send: Send) -> Back:
    async def start(status: int, headers: Mapping[str, str]) -> None:
        raw = [(name.encode("latin-1"), value.encode("latin-1", "replace")) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": status, "headers": raw})

    async def chunk(content: bytes, has_more: bool) -> None:
        await send({"type": "http.response.body", "body": content, "more_body": has_more})

    return Back(start, chunk)


def _pick() -> float:
    return random.random()  # noqa: S311 - which part of an alias answers is no secret
