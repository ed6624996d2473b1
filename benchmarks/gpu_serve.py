"""What serving costs on a GPU: start, load, switch, sleep and wake; tokens/s of a base and of its adapters, both ways.

One engine is started as the keeper starts it, and eight adapters of a trained one's size are loaded into it. A
Goldsmith stands before it. Direct and through the gateway the same callers ask in turn: the base, one adapter, all
eight. Where no GPU is at hand it runs on the CPU, with fewer requests, and says what is missing.

    .venv/bin/python -m benchmarks.gpu_serve [--rounds N] [--requests N] [--callers N]
"""

import argparse
import asyncio
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
from benchmarks.measure import Measured, interleaved, table, write_section
from benchmarks.product import NotGood, say
from benchmarks.servers import empty_home, served
from benchmarks.serving import SERVED_NAME, OwnEngine, make_adapter
from tests.factories import make_base_model
from tests.web.models.factories import make_tuned_model

from goldsmith import app
from goldsmith.environments import machine
from goldsmith.people import service as people
from goldsmith.serve import engine as engines
from goldsmith.serve import outside, queries, service
from goldsmith.settings import Settings
from goldsmith.storage.files import Home

NUM_ADAPTERS = 8
MAX_TOKENS = 64
ALIAS = "support"
DIRECT, GATEWAY = "direct", "through the gateway"
SWITCH_WITHIN_S = 30.0
CHATS = "/v1/chat/completions"


@dataclass(frozen=True)
class Size:
    """How much is asked."""

    rounds: int
    requests: int
    callers: int


SIZES = {"cuda": Size(rounds=5, requests=512, callers=64), "cpu": Size(rounds=3, requests=16, callers=8)}


@dataclass(frozen=True)
class Place:
    """The engine and a Goldsmith before it, each with a key."""

    doors: dict[str, tuple[str, str]]
    """Address and key, by way."""
    base_names: dict[str, str]
    adapters: list[str]
    """Called the same by both."""

    async def tokens_per_s(self, way: str, adapters: Sequence[str], size: Size) -> float:
        """Of these adapters in turn, or of the base where there is none."""
        names = list(adapters) or [self.base_names[way]]
        line = asyncio.Semaphore(size.callers)
        async with _client(*self.doors[way]) as client:

            async def ask(number: int) -> int:
                async with line:
                    return await _num_tokens(client, names[number % len(names)], number)

            began = time.monotonic()
            counts = await asyncio.gather(*(ask(number) for number in range(size.requests)))
            return sum(counts) / (time.monotonic() - began)

    async def switch_s(self, model_id: str) -> float:
        """From the switch over the API to the end of the first answer by this model under the alias."""
        async with _client(*self.doors[GATEWAY]) as client:
            began = time.monotonic()
            body = {"targets": [{"model_id": model_id, "share": 1.0}]}
            async with client.put(f"/v1/aliases/{ALIAS}", json=body) as answer:
                answer.raise_for_status()
            while time.monotonic() - began < SWITCH_WITHIN_S:
                async with client.post(CHATS, json=_body(ALIAS, 1, max_tokens=1)) as answer:
                    await answer.read()
                    if answer.status == 200 and answer.headers["x-goldsmith-model"] == model_id:
                        return time.monotonic() - began
        raise NotGood(f"{model_id} did not answer as {ALIAS} within {SWITCH_WITHIN_S:.0f} s.")


def main() -> None:
    """Measure, and write the section."""
    device = machine.look().device
    size = _size(device)
    with tempfile.TemporaryDirectory(prefix="goldsmith-bench-") as name, ExitStack() as stack:
        folder = Path(name)
        own = OwnEngine(folder, device=device, num_adapters=NUM_ADAPTERS)
        stack.callback(own.stop)
        adapter = make_adapter(folder)
        say("starting the engine …")
        start_s = own.start_s()
        place = stack.enter_context(_goldsmith(own))
        loads = Measured(tuple(own.load_s(adapter, model_id) for model_id in place.adapters))
        blocks = [_starts(start_s, loads), _throughput(place, size), _switches(place, size), _sleep(own)]
    is_gpu = device == "cuda"
    options = f"--rounds {size.rounds} --requests {size.requests} --callers {size.callers}"
    write_section(
        "Serving on a GPU" if is_gpu else "The GPU's benchmark of serving, on a CPU",
        f"SmolLM2-135M on vLLM, {NUM_ADAPTERS} adapters of rank 8, {MAX_TOKENS} tokens an answer, greedy.",
        *blocks,
        command=f".venv/bin/python -m benchmarks.gpu_serve {options}",
    )


def _size(device: str) -> Size:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("rounds", "requests", "callers"):
        parser.add_argument(f"--{name}", type=int, default=getattr(SIZES[device], name))
    return Size(**vars(parser.parse_args()))


@contextmanager
def _goldsmith(own: OwnEngine) -> Iterator[Place]:
    """A web process before the engine, in whose database its adapters are live and proved."""
    with ExitStack() as stack:
        env = stack.enter_context(empty_home())
        parts = app.assemble(Settings(home=Path(env["GOLDSMITH_HOME"]), database_url=None))
        stack.callback(parts.database.dispose)
        key, base_name, adapters = _fill(parts, own)
        server = stack.enter_context(served(["-m", "goldsmith", "web"], port=int(env["GOLDSMITH_PORT"]), env=env))
        doors = {DIRECT: (own.url, own.plan.key), GATEWAY: (server.url, key)}
        yield Place(doors, {DIRECT: SERVED_NAME, GATEWAY: base_name}, adapters)


def _fill(parts: app.Parts, own: OwnEngine) -> tuple[str, str, list[str]]:
    """What the keeper would have written; a key, the base's name, the adapters' ids."""
    app.prepare_database(parts)
    with parts.database.transaction() as session:
        person = people.known_by_name(session, "Ada")
        _, key = people.add_key(session, "benchmark", by=person)
        base = make_base_model(session, by=person)
        models = [make_tuned_model(session, base, by=person, name=f"tuned-{number}") for number in range(NUM_ADAPTERS)]
        row = outside.attach_engine(session, own.url, base_model_id=base.id, by=person, name_in_engine=SERVED_NAME)
        engines.write_key(Home(parts.home.root).prepare(), row.id, own.plan.key)
        for model in models:
            service.deploy(session, model.id, by=person)
        row.state = "ready"
        for deployment in queries.deployments(session, row.id):
            deployment.state, deployment.generation = "loaded", row.generation
            deployment.proof = "not_needed" if deployment.model_id == base.id else "proved"
        return key, base.id, [model.id for model in models]


def _starts(start_s: float, loads: Measured) -> str:
    lines = [["start of the engine, to its first token", f"{start_s:.1f} s"]]
    lines.append([f"load of an adapter, to its first token, {len(loads.values)} of them", loads.text("s", 3)])
    return table(["", "took"], lines)


def _throughput(place: Place, size: Size) -> str:
    kinds = {"base": [], "one adapter": place.adapters[:1], f"{NUM_ADAPTERS} adapters": place.adapters}
    subjects: dict[str, Callable[[], float]] = {}
    for kind, names in kinds.items():
        for way in (DIRECT, GATEWAY):
            subjects[f"{kind}, {way}"] = lambda way=way, names=names: asyncio.run(  # type: ignore[misc]
                place.tokens_per_s(way, names, size)
            )
    say("asking once, which is not counted …")
    asyncio.run(place.tokens_per_s(GATEWAY, place.adapters, size))
    found = interleaved(subjects, rounds=size.rounds)
    base = found[f"base, {DIRECT}"]
    lines = []
    for kind in kinds:
        direct, through = found[f"{kind}, {DIRECT}"], found[f"{kind}, {GATEWAY}"]
        lines.append([kind, direct.text(digits=0), (through / direct).text(), (direct / base).text()])
    heads = [
        f"{size.callers} callers, {size.requests} requests",
        "tokens/s, direct",
        "gateway of direct",
        "of the base",
    ]
    return table(heads, lines)


def _switches(place: Place, size: Size) -> str:
    took = [asyncio.run(place.switch_s(place.adapters[number % 2])) for number in range(2 * size.rounds)]
    return (
        "An alias is switched between two adapters, over the API, until the first whole answer by the other: "
        f"{Measured(tuple(took)).text('s', 3)}."
    )


def _sleep(own: OwnEngine) -> str:
    if own.plan.device != "cuda":
        return "Missing here: sleep and wake, which vLLM has on GPUs alone, and every figure of a GPU."
    asleep, awake = zip(*(own.sleep_and_wake_s() for _ in range(3)), strict=True)
    lines = [["falling asleep", Measured(asleep).text("s")], ["waking, to its first token", Measured(awake).text("s")]]
    return table(["", "took"], lines)


def _client(url: str, key: str) -> aiohttp.ClientSession:
    headers = {"Authorization": f"Bearer {key}"}
    connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=2)
    return aiohttp.ClientSession(url, headers=headers, connector=connector)


def _body(model: str, number: int, *, max_tokens: int = MAX_TOKENS) -> dict[str, Any]:
    words = f"Question {number}: where is my parcel? I ordered it {number % 30 + 2} days ago."
    body = {"model": model, "messages": [{"role": "user", "content": words}], "temperature": 0}
    return {**body, "max_tokens": max_tokens, "ignore_eos": True}


async def _num_tokens(client: aiohttp.ClientSession, model: str, number: int) -> int:
    async with client.post(CHATS, json=_body(model, number)) as answer:
        if answer.status != 200:
            raise NotGood(f"{model} answered with {answer.status}: {(await answer.text())[:500]}")
        count: int = (await answer.json())["usage"]["completion_tokens"]
        return count


if __name__ == "__main__":
    main()
