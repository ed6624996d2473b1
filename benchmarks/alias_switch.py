"""An alias is switched 100 times while 200 callers ask: is a request lost, and how long is the old model still asked?

A whole `goldsmith web` stands before an engine that answers after 50 ms. The alias is switched over the API, and as the
command line does, from another process. A switch is over when no request that is sent later goes to the old model.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
from benchmarks.measure import Measured, table, write_section
from benchmarks.servers import empty_home, served
from tests.factories import make_base_model
from tests.web.models.factories import make_tuned_model

from goldsmith import app
from goldsmith.people import service as people
from goldsmith.people.types import Person
from goldsmith.serve import aliases, bell, outside, queries, service
from goldsmith.serve.types import Part
from goldsmith.settings import Settings
from goldsmith.storage.files import Home
from goldsmith.testing.fake_answers import Adapter
from goldsmith.testing.fake_engine import FakeEngine

NUM_CALLERS = 200
NUM_SWITCHES = 100
ENGINE_S = 0.05
PAUSE_S = 0.1
WITHIN_MS = 50.0
PATIENCE_S = 30.0
ALIAS = "support"
Switch = Callable[[str], Awaitable[None]]


@dataclass(frozen=True)
class Place:
    """A Goldsmith with two proved models of one engine, and a key for it."""

    parts: app.Parts
    person: Person
    key: str
    models: tuple[str, str]

    def lead_to(self, model_id: str) -> None:
        """Switch as the command line does."""
        with self.parts.database.transaction() as session:
            aliases.point(session, ALIAS, [Part(model_id, 1.0)], by=self.person)
        bell.ring(self.parts.home)


@dataclass
class Callers:
    """Callers who ask again and again, and what became of it."""

    url: str
    client: aiohttp.ClientSession
    asked: list[tuple[float, str]] = field(default_factory=list)
    """When each request was sent, and which model answered."""
    num_failed: int = 0
    is_over: bool = False

    async def ask_for_ever(self) -> None:
        """One of them."""
        body = {"model": ALIAS, "messages": [{"role": "user", "content": "Hello"}]}
        while not self.is_over:
            sent_at = time.perf_counter()
            try:
                async with self.client.post(f"{self.url}/v1/chat/completions", json=body) as answer:
                    text = await answer.text()
                    if answer.status == 200:
                        self.asked.append((sent_at, answer.headers["x-goldsmith-model"]))
                        continue
                    print(answer.status, text, flush=True)
            except aiohttp.ClientError as error:
                print(error, flush=True)
            self.num_failed += 1

    async def stale_ms(self, switch: Switch, new: str) -> float:
        """Switch; how long after it was written a request that was sent still went to the old model."""
        await switch(new)
        written_at = time.perf_counter()
        end = time.monotonic() + PATIENCE_S
        await asyncio.sleep(PAUSE_S)
        while not [1 for at, model in self.asked[-50:] if at > written_at and model == new]:
            if time.monotonic() > end:
                raise RuntimeError("the switch had no effect")
            await asyncio.sleep(0.01)
        old = [at for at, model in self.asked if at > written_at and model != new]
        return 1000 * (max(old) - written_at) if old else 0.0


async def measure(url: str, place: Place, way: str) -> tuple[Measured, int, int]:
    """All switches by one way: how late each was, requests that were answered, and that failed."""
    headers = {"Authorization": f"Bearer {place.key}"}
    async with aiohttp.ClientSession(
        headers=headers, connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=2)
    ) as client:

        async def over_the_api(model_id: str) -> None:
            body = {"targets": [{"model_id": model_id, "share": 1.0}]}
            async with client.put(f"{url}/v1/aliases/{ALIAS}", json=body) as answer:
                answer.raise_for_status()

        async def from_another_process(model_id: str) -> None:
            await asyncio.to_thread(place.lead_to, model_id)

        switch = over_the_api if way == "over the API" else from_another_process
        await switch(place.models[1])
        await asyncio.sleep(2)
        callers = Callers(url, client)
        work = [asyncio.create_task(callers.ask_for_ever()) for _ in range(NUM_CALLERS)]
        await asyncio.sleep(2)
        late = [await callers.stale_ms(switch, place.models[number % 2]) for number in range(NUM_SWITCHES)]
        callers.is_over = True
        await asyncio.gather(*work)
    return Measured(tuple(late)), len(callers.asked), callers.num_failed


def make_place(parts: app.Parts, engine: FakeEngine) -> Place:
    """Two proved models on an engine, and what the keeper would have written."""
    app.prepare_database(parts)
    with parts.database.transaction() as session:
        person = people.known_by_name(session, "Ada")
        _, key = people.add_key(session, "benchmark", by=person)
        base = make_base_model(session, by=person)
        models = [make_tuned_model(session, base, by=person, name=f"support-{number}") for number in (1, 2)]
        row = outside.attach_engine(session, engine.url, base_model_id=base.id, by=person)
        for model in models:
            service.deploy(session, model.id, by=person)
            engine.adapters[model.id] = Adapter(model.id, Path(), has_effect=True)
        row.state = "ready"
        for deployment in queries.deployments(session, row.id):
            deployment.state, deployment.generation = "loaded", row.generation
            deployment.proof = "not_needed" if deployment.model_id == base.id else "proved"
    return Place(parts, person, key, (models[0].id, models[1].id))


def main() -> None:
    """Measure both ways, and write the section."""
    rows = []
    with ExitStack() as stack:
        env = stack.enter_context(empty_home())
        engine = stack.enter_context(FakeEngine(delay_s=ENGINE_S))
        home = Home(Path(env["GOLDSMITH_HOME"])).prepare()
        parts = app.assemble(Settings(home=home.root, database_url=None))
        place = make_place(parts, engine)
        server = stack.enter_context(served(["-m", "goldsmith", "web"], port=int(env["GOLDSMITH_PORT"]), env=env))
        for way in ("over the API", "from another process"):
            late, num_asked, num_failed = asyncio.run(measure(server.url, place, way))
            within = sum(value < WITHIN_MS for value in late.values)
            figures = (f"{late.median:.1f} ms", f"{late.p95:.1f} ms", f"{max(late.values):.1f} ms")
            rows.append((way, *figures, f"{within} of {NUM_SWITCHES}", f"{num_asked:,}", str(num_failed)))
            print(rows[-1], flush=True)
        parts.database.dispose()
    heads = ("switched", "median", "95 of 100", "slowest", f"under {WITHIN_MS:.0f} ms", "answered", "failed")
    about = (
        f"{NUM_CALLERS} callers ask an alias again and again, the engine (a stand-in) answers after "
        f"{1000 * ENGINE_S:.0f} ms, and the alias is switched {NUM_SWITCHES} times between two models. How long after "
        "a switch was written a request that was sent still went to the old model; 0: none did. Callers, engine and "
        f"Goldsmith share the machine. Goal: under {WITHIN_MS:.0f} ms, and none failed."
    )
    write_section(
        "Switching an alias", about, table(heads, rows), command=".venv/bin/python -m benchmarks.alias_switch"
    )


if __name__ == "__main__":
    main()
