"""Aliases under traffic, between a real server and a stand-in for vLLM: nothing is lost, and everything is counted."""

import asyncio
import time
from collections import Counter
from dataclasses import dataclass, field

import aiohttp
import pytest
from tests.web.gateway_site import HELLO, OTHER, TUNED, Running

from goldsmith.serve import aliases, bell, traffic
from goldsmith.serve.types import Part

ALIAS = "support-desk"
SLOWEST_SWITCH_S = 5.0
"""On a machine that does much else; `benchmarks/alias_switch.py` says what it is on one that does not."""


def lead_to(running: Running, *parts: Part) -> None:
    """Point the alias as another process does: written, committed, and the bell rung."""
    with running.parts.database.transaction() as session:
        aliases.point(session, ALIAS, parts, by=running.person)
    bell.ring(running.parts.home)


@dataclass
class Callers:
    """Many callers who ask again and again."""

    running: Running
    num: int
    asked: list[tuple[float, str]] = field(default_factory=list)
    """When each request was sent, and which model answered."""
    failed: list[str] = field(default_factory=list)
    is_over: bool = False

    async def ask_for_ever(self, client: aiohttp.ClientSession) -> None:
        while not self.is_over:
            sent_at = time.monotonic()
            body = {**HELLO, "model": ALIAS}
            async with client.post(f"{self.running.url}/v1/chat/completions", json=body) as answer:
                text = await answer.text()
                if answer.status == 200:
                    self.asked.append((sent_at, answer.headers["x-goldsmith-model"]))
                else:
                    self.failed.append(text)

    async def while_switching(self, num_switches: int) -> list[float]:
        """Switch to and fro while all ask; how long after each switch a request still went to the old model."""
        headers = {"Authorization": f"Bearer {self.running.key}"}
        took = []
        async with aiohttp.ClientSession(
            headers=headers, connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=2)
        ) as client:
            callers = [asyncio.create_task(self.ask_for_ever(client)) for _ in range(self.num)]
            for number in range(num_switches):
                new = (OTHER, TUNED)[number % 2]
                await asyncio.to_thread(lead_to, self.running, Part(new, 1.0))
                written_at = time.monotonic()
                await self._until_answered_by(new, written_at)
                took.append(
                    max((at - written_at for at, model in self.asked if at > written_at and model != new), default=0)
                )
            self.is_over = True
            await asyncio.gather(*callers)
        return took

    async def _until_answered_by(self, model: str, since: float) -> None:
        end = time.monotonic() + 30
        while time.monotonic() < end:
            lately = [name for at, name in self.asked if at > since]
            if lately and lately[-1] == model:
                return
            await asyncio.sleep(0.01)
        raise AssertionError("no request came to the new model within 30 s")


@pytest.mark.parametrize(("num_callers", "num_switches"), [(20, 8), pytest.param(200, 100, marks=pytest.mark.long)])
def test_no_request_is_lost_while_an_alias_is_switched(running: Running, num_callers: int, num_switches: int) -> None:
    running.engine.delay_s = 0.02
    lead_to(running, Part(TUNED, 1.0))
    running.refresh()
    callers = Callers(running, num_callers)
    took = asyncio.run(callers.while_switching(num_switches))
    assert callers.failed == []
    assert len(took) == num_switches
    assert max(took) < SLOWEST_SWITCH_S
    assert {model for _, model in callers.asked} == {TUNED, OTHER}


def test_a_caller_stays_where_it_is_and_is_told_where_that_is(running: Running) -> None:
    lead_to(running, Part(TUNED, 0.5), Part(OTHER, 0.5))
    running.refresh()
    with running.client() as client:
        gets: dict[str, set[str]] = {}
        for number in range(30):
            body = {**HELLO, "model": ALIAS, "user": f"u-{number % 6}"}
            headers = client.post("/v1/chat/completions", json=body).headers
            gets.setdefault(f"u-{number % 6}", set()).add(headers["x-goldsmith-model"])
            assert (headers["x-goldsmith-alias"], headers["x-goldsmith-share"]) == (ALIAS, "0.5")
        named = {"x-goldsmith-session": "u-0"}
        assert (
            client.post("/v1/chat/completions", json={**HELLO, "model": ALIAS}, headers=named).headers[
                "x-goldsmith-model"
            ]
            in gets["u-0"]
        )
    assert all(len(models) == 1 for models in gets.values())


def test_every_answer_is_counted_for_its_model(running: Running) -> None:
    lead_to(running, Part(TUNED, 0.5), Part(OTHER, 0.5))
    running.refresh()
    form = {"response_format": {"type": "json_object"}}
    got: Counter[str] = Counter()
    for number in range(8):
        body = {**HELLO, **form, "model": ALIAS, "user": f"u-{number}", "stream": number % 2 == 1}
        running.engine.go_on.set()
        got[running.ask(body).headers["x-goldsmith-model"]] += 1
    end = time.monotonic() + 30
    while time.monotonic() < end:
        with running.parts.database.reading() as session:
            found = traffic.by_model(session, domain="local", alias=ALIAS)
        if sum(counts.num_requests for counts in found.values()) == 8:
            break
        time.sleep(0.1)
    assert {model_id: counts.num_requests for model_id, counts in found.items()} == got
    assert sum(counts.num_timed for counts in found.values()) == 8
    assert sum(counts.num_invalid_json for counts in found.values()) == 8, "the stand-in says hello instead of JSON"
