"""The gateway between a real server on loopback and a stand-in for vLLM, as callers see it."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import openai
import pytest
from aiohttp import web as aiohttp_web

from goldsmith import app
from goldsmith.models.tables import BaseModel, FineTunedModel
from goldsmith.people import service as people
from goldsmith.people.types import Person
from goldsmith.serve import service
from goldsmith.serve.tables import Deployment, Engine
from goldsmith.serve.types import key_path
from goldsmith.settings import Settings
from goldsmith.storage import clock
from goldsmith.storage.files import write_whole
from goldsmith.testing.fake_answers import Adapter
from goldsmith.testing.fake_engine import FakeEngine
from goldsmith.web.factory import Routers
from goldsmith.web.port import listen
from goldsmith.web.server import make_server

BASE, TUNED, OTHER = "bm_06FZ2C8K5Q7V3N9T1B4M", "ftm_06FZ2C8K5Q7V3N9T1B4N", "ftm_06FZ2C8K5Q7V3N9T1B4P"
ENGINE, ENGINE_KEY = "eng_06FZ2C8K5Q7V3N9T1B4Q", "engine-key"
HELLO = {"messages": [{"role": "user", "content": "Hello"}]}
WAIT_S = 10


class GatedEngine(FakeEngine):
    """A FakeEngine that holds its streams back after the first word, until it is told to go on."""

    def __init__(self) -> None:
        super().__init__(BASE, answer=lambda model, *_: f"{model} says hello", key=ENGINE_KEY)
        self.headers: list[Mapping[str, str]] = []
        self.go_on = threading.Event()
        self.was_aborted = threading.Event()
        self.breaks_off = False

    async def _begin(self, request: aiohttp_web.Request, body: dict[str, Any]) -> aiohttp_web.Response | None:
        self.headers.append(dict(request.headers))
        return await super()._begin(request, body)

    async def _stream(
        self, request: aiohttp_web.Request, body: Mapping[str, Any], words: Sequence[str], end: Mapping[str, Any]
    ) -> aiohttp_web.StreamResponse:
        response = aiohttp_web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        try:
            await response.write(chunk_of(body["model"], words[0]))
            while not self.go_on.is_set():
                await asyncio.sleep(0.005)
            if self.breaks_off and request.transport is not None:
                request.transport.abort()
            for word in words[1:]:
                await response.write(chunk_of(body["model"], word))
            await response.write(b"data: [DONE]\n\n")
        except asyncio.CancelledError:
            self.was_aborted.set()
            raise
        return response


def chunk_of(model: str, word: str) -> bytes:
    body = openai.types.chat.ChatCompletionChunk.model_validate(
        {
            "id": "x",
            "object": "chat.completion.chunk",
            "created": 1,
            "model": model,
            "choices": [{"index": 0, "delta": {"content": word}, "finish_reason": None}],
        }
    )
    return f"data: {body.model_dump_json()}\n\n".encode()


@dataclass
class Running:
    """A whole Goldsmith web on a free port, over one engine with a base model and two tuned ones."""

    parts: app.Parts
    engine: GatedEngine
    url: str
    key_id: str
    key: str = field(repr=False)
    person: Person
    refresh: Callable[[], None]

    def client(self, key: str | None = None) -> httpx2.Client:
        headers = {"Authorization": f"Bearer {key or self.key}"}
        return httpx2.Client(base_url=self.url, headers=headers, timeout=WAIT_S, trust_env=False)

    def ask(self, body: Mapping[str, Any], path: str = "/v1/chat/completions") -> httpx2.Response:
        with self.client() as client:
            return client.post(path, json=body)


@pytest.fixture
def running(tmp_path: Path, database_url: str) -> Iterator[Running]:
    parts = app.assemble(Settings(home=tmp_path / "home", database_url=database_url))
    write_whole(parts.home.root / key_path(ENGINE), ENGINE_KEY)
    engine = GatedEngine()
    with engine:
        for name in (TUNED, OTHER):
            engine.adapters[name] = Adapter(name, tmp_path, has_effect=True)
        with parts.database.transaction() as session:
            person = people.known_by_name(session, "Ada")
            key_id, key = people.add_key(session, "tests", by=person)
            session.add_all(models_of(person))
            session.flush()
            session.add(engine_row(engine.url, person))
            session.flush()
            session.add_all(deployment(model_id, person) for model_id in (BASE, TUNED, OTHER))
            session.flush()
            service.switch(session, TUNED, by=person)
        web = app.make_asgi(parts, Routers())
        with serving(web) as url:
            refresh = web.state.web.offers["after_switch"]
            yield Running(parts, engine, url, key_id, key, person, refresh)
    parts.database.dispose()


@contextmanager
def serving(web: Any) -> Iterator[str]:
    server = make_server(web)
    listener = listen(0)
    port = listener.getsockname()[1]
    thread = threading.Thread(target=lambda: server.run(sockets=[listener]), daemon=True)
    thread.start()
    end = time.monotonic() + WAIT_S
    while not server.started and time.monotonic() < end:
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(WAIT_S)
        listener.close()


def models_of(person: Person) -> list[BaseModel | FineTunedModel]:
    owned = {"domain": person.domain, "created_by": person.id, "content_hash": "0", "template_hash": "t"}
    base = BaseModel(
        id=BASE, name="smollm2", source="folder", hub_id="HuggingFaceTB/SmolLM2", folder="models/base",
        size_bytes=1, num_parameters=1, context_length=2048, end_marker="<end>", **owned,
    )  # fmt: skip
    tuned = [
        FineTunedModel(
            id=model_id, name=name, base_model="smollm2", base_model_id=BASE, philosopher="Ada", training_config={},
            model_path=f"models/{model_id}", measured_at={}, status="deployed", lora_rank=8,
            created_at=clock.now(), updated_at=clock.now(), **owned,
        )
        for model_id, name in ((TUNED, "support"), (OTHER, "other"))
    ]  # fmt: skip
    return [base, *tuned]


def engine_row(url: str, person: Person) -> Engine:
    owned = {"domain": person.domain, "created_by": person.id}
    return Engine(
        id=ENGINE, name="vLLM", kind="ours", base_model_id=BASE, url=url, is_wanted=True, state="ready", **owned
    )


def deployment(model_id: str, person: Person) -> Deployment:
    return Deployment(
        id=model_id.replace("ftm_", "dep_").replace("bm_", "dep_"),
        model_id=model_id,
        engine_id=ENGINE,
        is_wanted=True,
        state="loaded",
        proof="not_needed" if model_id == BASE else "proved",
        domain=person.domain,
        created_by=person.id,
    )


def lines_of(response: httpx2.Response) -> Iterator[str]:
    return (line for line in response.iter_lines() if line)


def test_an_answer_comes_back_with_who_gave_it_and_only_our_headers_go_out(running: Running) -> None:
    with running.client() as client:
        response = client.post(
            "/v1/chat/completions",
            json={**HELLO, "model": "support"},
            headers={"X-Secret": "s", "Cookie": "a=b", "Forwarded": "for=1"},
        )
    assert response.status_code == 200
    assert response.json()["choices"][0]["message"]["content"] == f"{TUNED} says hello"
    assert response.headers["x-goldsmith-model"] == TUNED
    assert response.headers["x-goldsmith-engine"] == ENGINE
    assert running.engine.requests[-1] == {**HELLO, "model": TUNED}
    sent = running.engine.headers[-1]
    assert sent["Authorization"] == f"Bearer {ENGINE_KEY}"
    assert set(sent) <= {
        "Host",
        "Authorization",
        "Content-Type",
        "Content-Length",
        "Accept",
        "Accept-Encoding",
        "User-Agent",
    }


def test_a_stream_arrives_word_by_word(running: Running) -> None:
    with running.client() as client, client.stream("POST", "/v1/chat/completions", json={**HELLO, "stream": True}) as r:
        lines = lines_of(r)
        assert TUNED in next(lines)  # it is here while the engine still holds the rest back
        assert not running.engine.go_on.is_set()
        running.engine.go_on.set()
        assert "says" in next(lines)
        assert list(lines)[-1] == "data: [DONE]"
        assert r.headers["content-type"].startswith("text/event-stream")


def test_when_the_caller_goes_the_engine_stops(running: Running) -> None:
    with running.client() as client, client.stream("POST", "/v1/chat/completions", json={**HELLO, "stream": True}) as r:
        lines = lines_of(r)  # held on to: a generator that is thrown away closes its stream
        next(lines)
        assert not running.engine.was_aborted.is_set()
    assert running.engine.was_aborted.wait(WAIT_S)


def test_a_caller_who_goes_before_the_first_word_stops_the_engine_too(running: Running) -> None:
    running.engine.faults.hang = True
    with running.client() as client, pytest.raises(httpx2.TimeoutException):
        client.post("/v1/chat/completions", json=HELLO, timeout=0.3)
    end = time.monotonic() + WAIT_S
    while running.engine.num_running and time.monotonic() < end:
        time.sleep(0.01)
    assert running.engine.num_running == 0


def test_a_stream_that_breaks_off_says_so(running: Running) -> None:
    running.engine.breaks_off = True
    with running.client() as client, client.stream("POST", "/v1/chat/completions", json={**HELLO, "stream": True}) as r:
        lines = lines_of(r)
        next(lines)
        running.engine.go_on.set()
        rest = list(lines)
    assert "engine_unreachable" in rest[-1]
    assert "data: [DONE]" not in rest


@pytest.mark.parametrize("name", [None, "", "default", "support", TUNED])
def test_no_name_the_alias_the_name_and_the_id_lead_to_the_same_model(running: Running, name: str | None) -> None:
    response = running.ask(HELLO if name is None else {**HELLO, "model": name})
    assert response.headers["x-goldsmith-model"] == TUNED


@pytest.mark.parametrize("name", [BASE, "smollm2", "HuggingFaceTB/SmolLM2"])
def test_a_base_model_answers_to_its_hub_id(running: Running, name: str) -> None:
    assert running.ask({**HELLO, "model": name}).headers["x-goldsmith-model"] == BASE


def test_after_a_switch_the_next_request_goes_to_the_new_model(running: Running) -> None:
    for model_id in (OTHER, TUNED, OTHER):
        with running.parts.database.transaction() as session:
            service.switch(session, model_id, by=running.person)
        running.refresh()
        assert running.ask(HELLO).headers["x-goldsmith-model"] == model_id


def test_an_unknown_model_is_told_what_there_is(running: Running) -> None:
    response = running.ask({**HELLO, "model": "gpt-4o"})
    assert response.status_code == 404
    assert response.json()["error"]["code"] == "model_not_found"
    assert "support" in response.json()["error"]["message"]


def test_an_engine_that_is_starting_is_said_and_when_to_come_back(running: Running) -> None:
    with running.parts.database.transaction() as session:
        session.get_one(Engine, ENGINE).state = "starting"
    running.refresh()
    response = running.ask(HELLO)
    assert (response.status_code, response.json()["error"]["code"]) == (503, "engine_not_ready")
    assert int(response.headers["retry-after"]) > 0


def test_a_dead_engine_is_said(running: Running) -> None:
    running.engine.stop()
    response = running.ask(HELLO)
    assert (response.status_code, response.json()["error"]["code"]) == (503, "engine_unreachable")


@pytest.mark.parametrize(
    ("more", "param"),
    [
        ({"cache_salt": "x"}, "cache_salt"),
        ({"chat_template_kwargs": {"chat_template": "x"}}, "chat_template_kwargs.chat_template"),
        ({"prompt_logprobs": 1}, "prompt_logprobs"),
        ({"n": 99}, "n"),
    ],
)
def test_refused_fields_never_reach_the_engine(running: Running, more: dict[str, Any], param: str) -> None:
    response = running.ask({**HELLO, **more})
    assert (response.status_code, response.json()["error"]["param"]) == (400, param)
    assert running.engine.requests == []


@pytest.mark.parametrize(("method", "path"), [("POST", "/v1/chat/completions"), ("GET", "/v1/models")])
@pytest.mark.parametrize("authorization", [None, "Bearer gsk_wrong", "Basic x"])
def test_a_key_is_needed(running: Running, method: str, path: str, authorization: str | None) -> None:
    headers = {"Authorization": authorization} if authorization else {}
    with httpx2.Client(base_url=running.url, headers=headers, trust_env=False) as client:
        response = client.request(method, path, json=HELLO if method == "POST" else None)
    assert response.status_code == 401
    assert response.json()["error"]["code"] == "invalid_api_key"
    assert running.engine.requests == []


def test_a_revoked_key_is_worthless_within_two_seconds(running: Running) -> None:
    assert running.ask(HELLO).status_code == 200
    with running.parts.database.transaction() as session:
        people.revoke_key(session, running.key_id)
    end = time.monotonic() + 2
    while (status := running.ask(HELLO).status_code) == 200 and time.monotonic() < end:
        time.sleep(0.05)
    assert status == 401


def test_a_foreign_host_is_turned_away_whatever_the_key(running: Running) -> None:
    with running.client() as client:
        response = client.post("/v1/chat/completions", json=HELLO, headers={"Host": "evil.example"})
    assert response.status_code == 421
    assert running.engine.requests == []


@pytest.mark.parametrize("path", ["/invocations", "/tokenize", "/v1/load_lora_adapter", "/pause", "/update_weights"])
def test_what_is_not_on_the_list_is_not_passed_on(running: Running, path: str) -> None:
    assert running.ask(HELLO, path).status_code == 404
    assert running.engine.headers == []


def test_what_the_engine_cannot_do_is_said_in_openai_s_shape(running: Running) -> None:
    response = running.ask({"input": "Hello"}, "/v1/embeddings")
    assert (response.status_code, response.json()["error"]["code"]) == (404, "not_offered_by_engine")


def test_the_official_client_works_by_changing_its_base_url_alone(running: Running) -> None:
    with openai.OpenAI(base_url=f"{running.url}/v1", api_key=running.key, max_retries=0) as client:
        assert "default" in [model.id for model in client.models.list()]
        assert client.models.retrieve("HuggingFaceTB/SmolLM2").owned_by == "goldsmith"
        answer = client.chat.completions.create(model="support", messages=[{"role": "user", "content": "Hi"}])
        assert answer.choices[0].message.content == f"{TUNED} says hello"
        running.engine.go_on.set()
        stream = client.chat.completions.create(
            model="default", messages=[{"role": "user", "content": "Hi"}], stream=True
        )
        assert "".join(chunk.choices[0].delta.content or "" for chunk in stream) == f"{TUNED} says hello"
        text = client.completions.create(model="smollm2", prompt="Hi", max_tokens=3)
        assert text.choices[0].text
        with pytest.raises(openai.NotFoundError, match="gpt-4o"):
            client.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": "Hi"}])
    with (
        openai.OpenAI(base_url=f"{running.url}/v1", api_key="gsk_wrong", max_retries=0) as stranger,
        pytest.raises(openai.AuthenticationError),
    ):
        stranger.models.list()


def test_fifty_callers_at_once_all_get_their_own_answer(running: Running) -> None:
    async def ask(client: httpx2.AsyncClient, name: str, model_id: str) -> bool:
        response = await client.post("/v1/chat/completions", json={**HELLO, "model": name})
        return bool(response.json()["choices"][0]["message"]["content"] == f"{model_id} says hello")

    async def run() -> list[bool]:
        headers = {"Authorization": f"Bearer {running.key}"}
        async with httpx2.AsyncClient(base_url=running.url, headers=headers, timeout=WAIT_S, trust_env=False) as client:
            return await asyncio.gather(*(ask(client, *pair) for pair in [("support", TUNED), ("other", OTHER)] * 25))

    assert all(asyncio.run(run()))
