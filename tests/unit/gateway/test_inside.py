"""Asking from inside goes the way of every caller: what the gateway refuses is refused here too."""

import asyncio
from typing import Any

import orjson

from goldsmith.gateway import inside
from goldsmith.gateway.answers import listed
from goldsmith.gateway.application import Gateway
from goldsmith.gateway.exchange import Back, Outgoing
from goldsmith.gateway.poller import Poller
from goldsmith.gateway.routes import Tables
from goldsmith.people.types import Person

ADA = Person("per_1", "Ada")
HELLO = {"model": "nobody", "messages": [{"role": "user", "content": "Hello"}]}


class Echo:
    """In the place of the way to the engine."""

    async def forward(self, request: Outgoing, back: Back) -> None:
        await back.answer(listed(orjson.loads(request.body)), request.headers)

    async def close(self) -> None:
        """Nothing is open."""


def ask(tables: Tables, body: dict[str, Any]) -> inside.Heard:
    async def asking() -> inside.Heard:
        poller = Poller(lambda: tables)
        try:
            return await inside.ask(Gateway(inside.nobody, poller=poller, forwarder=Echo()), ADA, body)
        finally:
            await poller.close()

    return asyncio.run(asking())


def test_an_unknown_model_is_refused_in_the_gateways_own_words() -> None:
    heard = ask(Tables({}), HELLO)
    assert heard.status == 404
    assert orjson.loads(heard.body)["error"]["code"] == "model_not_found"


def test_a_field_that_is_on_no_list_is_refused() -> None:
    heard = ask(Tables({}), {**HELLO, "chat_template": "x"})
    assert heard.status == 400
    assert heard.duration_ms > 0
