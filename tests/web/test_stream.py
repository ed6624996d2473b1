"""Server-sent events: one poller for everybody, nothing missed after a break, nobody waited for."""

import asyncio
import json
from collections.abc import AsyncGenerator, Callable
from typing import Any, cast

import pytest
from starlette.responses import StreamingResponse
from tests.web.conftest import Site

from goldsmith.jobs import queries, queue
from goldsmith.jobs.queue import NewJob
from goldsmith.jobs.states import JobState
from goldsmith.web import stream as streams
from goldsmith.web.stream import Stream


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "LOOK_EVERY_S", 0.02)


def add_job(site: Site, title: str = "Job") -> str:
    with site.database.transaction() as session:
        return queue.add(session, NewJob("run", title, {}), by=site.person).id


def start_job(site: Site, job_id: str) -> None:
    with site.database.transaction() as session:
        queue.claim(session, machine="m", slot=None)
        queue.move(session, queries.one(session, job_id), JobState.RUNNING, "its program was started")


def opened(response: StreamingResponse) -> AsyncGenerator[bytes]:
    """What the answer sends."""
    return cast("AsyncGenerator[bytes]", response.body_iterator)


async def read(messages: AsyncGenerator[bytes], wanted: int) -> list[dict[str, Any]]:
    """The next messages that carry data."""
    found: list[dict[str, Any]] = []
    async with asyncio.timeout(20):
        while len(found) < wanted:
            lines = (await anext(messages)).decode().splitlines()
            values = dict(line.split(": ", 1) for line in lines if ": " in line and not line.startswith(":"))
            if values.get("event") != "begun" and "data" in values:
                found.append({**values, "data": json.loads(values["data"])})
    return found


def test_progress_and_events_reach_every_listener_of_the_domain(site: Site) -> None:
    job_id = add_job(site)

    async def listen() -> None:
        stream = Stream(site.database)
        mine, strangers = opened(stream.response("local")), opened(stream.response("elsewhere"))
        await anext(mine)
        await anext(strangers)
        await asyncio.to_thread(start_job, site, job_id)
        messages = await read(mine, 3)
        assert {message["event"] for message in messages} == {"event", "job"}
        assert messages[-1]["data"]["state"] == "running"
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await anext(strangers)
        stream.close()

    asyncio.run(listen())


def test_who_comes_back_gets_what_was_missed_and_then_what_is_new(site: Site) -> None:
    job_id = add_job(site)
    start_job(site, job_id)
    with site.database.reading() as session:
        ids = [event.id for event in queries.events(session, job_id)]

    async def listen() -> None:
        stream = Stream(site.database)
        messages = opened(stream.response("local", job_id=job_id, after=ids[0]))
        missed = await read(messages, 2)
        assert [int(message["id"]) for message in missed] == ids[1:]
        with site.database.transaction() as session:
            queue.report(session, queries.one(session, job_id), progress=0.5, message="half")
        assert (await read(messages, 1))[0]["data"]["progress"] == 0.5
        stream.close()
        async with asyncio.timeout(20):
            assert b"retry" not in b"".join([message async for message in messages])

    asyncio.run(listen())


async def until(is_so: Callable[[], bool]) -> None:
    """Wait for something that has to happen soon, however busy the machine is."""
    async with asyncio.timeout(20):
        while not is_so():
            await asyncio.sleep(0.01)


def test_one_look_serves_everybody_and_ends_with_the_last_listener(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    at_once: list[int] = [0]
    look = Stream._look

    def counted(stream: Stream, seen: Any) -> Any:
        at_once.append(at_once[-1] + 1)
        messages = look(stream, seen)
        at_once.append(at_once[-1] - 1)
        return messages

    monkeypatch.setattr(Stream, "_look", counted)

    async def listen() -> None:
        stream = Stream(site.database)
        tabs = [opened(stream.response("local")) for _ in range(20)]
        for tab in tabs:
            await anext(tab)
        await until(lambda: len(at_once) > 6)
        for tab in tabs:
            await tab.aclose()
        await until(lambda: stream._task is not None and stream._task.done())
        assert max(at_once) == 1

    asyncio.run(listen())


def test_a_listener_that_does_not_read_is_let_go(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "MAX_WAITING", 2)

    async def listen() -> None:
        stream = Stream(site.database)
        messages = opened(stream.response("local"))
        await anext(messages)
        for n in range(4):
            await asyncio.to_thread(add_job, site, f"Job {n}")
        await until(lambda: not stream._listeners)
        assert b"retry" not in b"".join([message async for message in messages])

    asyncio.run(listen())


def test_the_api_streams_when_it_is_asked_for_a_stream(site: Site) -> None:
    job_id = add_job(site)
    site.web.state.stream.close()
    headers = {"accept": "text/event-stream", "last-event-id": "0"}
    answer = site.program().get(f"/v1/jobs/{job_id}/events", headers=headers)
    assert answer.headers["content-type"].startswith("text/event-stream")
