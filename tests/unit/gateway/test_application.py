import asyncio
import json
from typing import Any

import pytest
from tests.unit.gateway.conftest import BASE, TUNED

from goldsmith.gateway.application import ADDRESSES, Asked, Gateway, is_model_address, prepare
from goldsmith.gateway.endpoints import CHAT
from goldsmith.gateway.errors import ModelNotOffered
from goldsmith.gateway.forward import Forwarder
from goldsmith.gateway.poller import Poller
from goldsmith.gateway.routes import Tables
from goldsmith.people.types import Person

ASK = b'{"messages": [{"role": "user", "content": "Hello"}]}'


def ask(
    read: Any, method: str, path: str, *, person: Person | None = Person("per_1", "Ada"), body: bytes = b""
) -> tuple[int, Any]:
    """Status and body of what the gateway answers; what it lets through is status 299."""
    sent: list[Any] = []

    async def inner(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 299, "headers": []})
        await send({"type": "http.response.body", "body": b"null"})

    async def receive() -> Any:
        return {"type": "http.request", "body": body}

    async def send(message: Any) -> None:
        sent.append(message)

    async def run() -> None:
        poller, forwarder = Poller(read), Forwarder()
        state = {"person": person} if person else {}
        scope = {"type": "http", "method": method, "path": path, "headers": [], "state": state}
        try:
            await Gateway(inner, poller, forwarder)(scope, receive, send)
        finally:
            await poller.close()
            await forwarder.close()

    asyncio.run(run())
    return sent[0]["status"], json.loads(b"".join(message.get("body", b"") for message in sent[1:]))


@pytest.mark.parametrize(("method", "path"), [(m, p.replace("{model:path}", BASE)) for m, p in ADDRESSES])
def test_nobody_gets_an_answer_without_a_person(tables: Tables, method: str, path: str) -> None:
    status, told = ask(lambda: tables, method, path, person=None, body=ASK)
    assert (status, told["error"]["code"]) == (401, "invalid_api_key")


@pytest.mark.parametrize(("method", "path"), [(m, p.replace("{model:path}", BASE)) for m, p in ADDRESSES])
def test_without_tables_the_answer_is_never_yes(method: str, path: str) -> None:
    def read() -> Tables:
        raise OSError("the database is away")

    status, told = ask(read, method, path, body=ASK)
    assert (status, told["error"]["code"]) == (503, "routes_too_old")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"),
        ("GET", "/v1/models/active"),
        ("POST", "/v1/models/switch"),
        ("POST", "/v1/models/load"),
        ("GET", "/v1/modelsx"),
        ("GET", "/v1/models/"),
        ("GET", "/v1/chat/completions"),
        ("POST", "/v1/chat/completions/"),
        ("POST", "/invocations"),
        ("POST", "/v1/load_lora_adapter"),
    ],
)
def test_everything_else_is_let_through(tables: Tables, method: str, path: str) -> None:
    assert ask(lambda: tables, method, path) == (299, None)


def test_models_are_those_of_the_person_s_organisation(tables: Tables) -> None:
    assert ask(lambda: tables, "GET", "/v1/models")[1]["data"][0]["id"] == "default"
    stranger = Person("per_2", "Bob", "elsewhere")
    assert ask(lambda: tables, "GET", "/v1/models", person=stranger) == (200, {"object": "list", "data": []})
    assert ask(lambda: tables, "GET", f"/v1/models/{BASE}", person=stranger)[0] == 404
    with pytest.raises(ModelNotOffered):
        prepare(CHAT, ASK.replace(b"{", b'{"model": "support", ', 1), Asked("elsewhere", 0), tables=tables)


def test_a_hub_id_with_a_slash_is_an_address(tables: Tables) -> None:
    assert is_model_address("/v1/models/HuggingFaceTB/SmolLM2")
    assert ask(lambda: tables, "GET", "/v1/models/HuggingFaceTB/SmolLM2")[0] == 200


def test_an_engine_gets_its_own_key_and_the_model_s_id(tables: Tables) -> None:
    request = prepare(CHAT, ASK, Asked("local", 0), tables=tables)
    assert (request.key, json.loads(request.body)["model"]) == ("k3y", TUNED)
    assert request.headers == {"x-goldsmith-model": TUNED, "x-goldsmith-engine": "eng_1"}
    assert "k3y" not in repr(request)
    assert "k3y" not in repr(tables)


def test_a_dead_engine_is_said(tables: Tables) -> None:
    status, told = ask(lambda: tables, "POST", "/v1/chat/completions", body=ASK)
    assert (status, told["error"]["code"]) == (503, "engine_unreachable")


def test_a_body_without_end_is_not_read_to_its_end(tables: Tables) -> None:
    status, told = ask(lambda: tables, "POST", "/v1/chat/completions", body=b"x" * (25 * 1024 * 1024))
    assert (status, told["error"]["code"]) == (413, "body_too_long")
