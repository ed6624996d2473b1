"""A whole Goldsmith on a free port over a stand-in for vLLM that can be told to hold back or to be ill."""

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
def gateway_wait_s() -> float:
    """How long who comes too early waits for an engine, in seconds: a test in which nobody comes in time says less."""
    return WAIT_S


@pytest.fixture
def running(tmp_path: Path, database_url: str, gateway_wait_s: float) -> Iterator[Running]:
    home = tmp_path / "home"
    parts = app.assemble(Settings(home=home, database_url=database_url, gateway_wait_s=gateway_wait_s))
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
