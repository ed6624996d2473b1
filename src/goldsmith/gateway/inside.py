"""Asks the gateway from inside this process, as a caller from outside does: the same checks, routes and engines.

For pages that have to answer a form. Whoever asks stands behind the door already.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import anyio.from_thread
import orjson

from goldsmith.people.types import Person

CHAT: Final = "/v1/chat/completions"
Message = MutableMapping[str, Any]
App = Callable[
    [MutableMapping[str, Any], Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]], Awaitable[None]
]


@dataclass
class Heard:
    """What came back, whole, and how long it took."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    duration_ms: float = 0.0

    async def hear(self, message: Message) -> None:
        """Take a message as a server would."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = {
                name.decode("latin-1").lower(): value.decode("latin-1") for name, value in message["headers"]
            }
        else:
            self.body += message.get("body", b"")


def ask_all(gateway: App, person: Person, bodies: Sequence[Mapping[str, Any]]) -> list[Heard]:
    """Ask several chats at once, from a thread of the server's; one answer each, in their order."""
    return anyio.from_thread.run(_all, gateway, person, bodies)


async def _all(gateway: App, person: Person, bodies: Sequence[Mapping[str, Any]]) -> list[Heard]:
    return list(await asyncio.gather(*(ask(gateway, person, body) for body in bodies)))


async def ask(gateway: App, person: Person, body: Mapping[str, Any]) -> Heard:
    """Ask one chat."""
    heard = Heard()
    waiting: list[Message] = [{"type": "http.request", "body": orjson.dumps(body), "more_body": False}]

    async def receive() -> Message:
        if waiting:
            return waiting.pop()
        await asyncio.Event().wait()  # the caller stays until the end
        return {"type": "http.disconnect"}

    scope: dict[str, Any] = {
        "type": "http",
        "method": "POST",
        "path": CHAT,
        "query_string": b"",
        "headers": [(b"content-type", b"application/json")],
        "state": {"person": person},
    }
    began = time.monotonic()
    await gateway(scope, receive, heard.hear)
    heard.duration_ms = 1000 * (time.monotonic() - began)
    return heard


async def nobody(scope: Any, receive: Any, send: Any) -> None:
    """What stands behind a gateway that is asked from inside: nothing, since only its own addresses are asked for."""
    del scope, receive, send
