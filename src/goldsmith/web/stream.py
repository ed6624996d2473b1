"""Server-sent events: one look at the database every half second for all tabs, handed to everybody who listens.

A listener names a domain and perhaps a job. Events carry their database id, so a browser that comes back says with
`Last-Event-ID` what it saw last; changes of a job's progress have no id, since only the newest counts.
"""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.exc import SQLAlchemyError
from starlette.concurrency import run_in_threadpool
from starlette.responses import StreamingResponse

from goldsmith.jobs import queries
from goldsmith.jobs.tables import JobEvent
from goldsmith.storage import clock
from goldsmith.storage.database import Database
from goldsmith.web import changes

LOOK_EVERY_S = 0.5
BEAT_EVERY_S = 15.0
BEGIN_TIMEOUT_S = 5.0
MAX_WAITING = 1000
SETTLED_AFTER = timedelta(seconds=10)
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Message:
    """One server-sent event. `id` is the database's, or None for what need not be seen again."""

    kind: str
    job_id: str
    domain: str
    data: Mapping[str, Any]
    id: int | None = None

    def encode(self) -> bytes:
        """As it goes over the wire."""
        start = f"id: {self.id}\n" if self.id is not None else ""
        return f"{start}event: {self.kind}\ndata: {json.dumps(self.data, ensure_ascii=False)}\n\n".encode()


@dataclass(eq=False)
class Listener:
    """An open tab or program. It is let go when it does not read."""

    domain: str
    job_id: str | None
    queue: asyncio.Queue[Message | None] = field(default_factory=lambda: asyncio.Queue(MAX_WAITING))

    def hears(self, message: Message) -> bool:
        """Whether the message is for this listener."""
        return message.domain == self.domain and self.job_id in (None, message.job_id)


@dataclass
class Seen:
    """What the last look saw, so that the next one tells only what is new.

    On PostgreSQL an event with a lower number may become visible after one with a higher. So the look begins at the
    last event that is ten seconds old, and what was told already is left out.
    """

    floor: int
    events: dict[int, datetime] = field(default_factory=dict)
    jobs: dict[str, changes.JobChange] = field(default_factory=dict)

    def settle(self) -> None:
        """Forget events that are old enough that nothing can appear before them."""
        limit = clock.now() - SETTLED_AFTER
        settled = [event_id for event_id, at in self.events.items() if at < limit]
        self.floor = max([self.floor, *settled])
        self.events = {event_id: at for event_id, at in self.events.items() if event_id > self.floor}


class Stream:
    """The one poller and everybody who listens to it. It looks only while somebody listens."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._listeners: set[Listener] = set()
        self._task: asyncio.Task[None] | None = None
        self._is_closed = False
        self._begun = asyncio.Event()

    def response(self, domain: str, *, job_id: str | None = None, after: int | None = None) -> StreamingResponse:
        """An answer that stays open. With `after`, a job's events behind that id come first."""
        headers = {"cache-control": "no-cache", "x-accel-buffering": "no"}
        messages = self._messages(Listener(domain, job_id), after)
        return StreamingResponse(messages, media_type="text/event-stream", headers=headers)

    def close(self) -> None:
        """Let everybody go, so that the server can end."""
        self._is_closed = True
        for listener in list(self._listeners):
            self._let_go(listener)
        if self._task is not None:
            self._task.cancel()

    async def _messages(self, listener: Listener, after: int | None) -> AsyncIterator[bytes]:
        if self._is_closed:
            return
        self._listeners.add(listener)
        try:
            await self._wake()
            yield b"retry: 2000\nevent: begun\ndata: {}\n\n"
            last = 0
            for message in await run_in_threadpool(self._missed, listener, after):
                last = message.id or last
                yield message.encode()
            async for news in self._live(listener):
                if news is None:
                    yield b": still here\n\n"
                elif news.id is None or news.id > last:
                    yield news.encode()
        finally:
            self._listeners.discard(listener)

    async def _live(self, listener: Listener) -> AsyncIterator[Message | None]:
        while listener in self._listeners:
            try:
                message = await asyncio.wait_for(listener.queue.get(), BEAT_EVERY_S)
            except TimeoutError:
                yield None
                continue
            if message is None:
                return
            yield message

    def _missed(self, listener: Listener, after: int | None) -> list[Message]:
        if after is None:
            return []
        with self._database.reading() as session:
            if listener.job_id is None:
                found = changes.events_after(session, after)
                return [_event(event, domain) for event, domain in found if domain == listener.domain]
            missed = queries.events(session, listener.job_id, after=after, limit=changes.MAX_EVENTS)
            return [_event(event, listener.domain) for event in missed]

    async def _wake(self) -> None:
        """Return when whatever happens from now on will be told; or soon, when the database does not answer."""
        if self._task is None or self._task.done():
            self._begun.clear()
            self._task = asyncio.get_running_loop().create_task(self._watch())
        with suppress(TimeoutError):
            await asyncio.wait_for(self._begun.wait(), BEGIN_TIMEOUT_S)

    async def _watch(self) -> None:
        seen: Seen | None = None
        while self._listeners:
            try:
                if seen is None:
                    seen = await run_in_threadpool(self._begin)
                    self._begun.set()
                messages = await run_in_threadpool(self._look, seen)
            except SQLAlchemyError as error:
                log.warning("the stream cannot read the database: %s", error)
                messages = []
            for message in messages:
                self._tell(message)
            await asyncio.sleep(LOOK_EVERY_S)

    def _begin(self) -> Seen:
        with self._database.reading() as session:
            return Seen(changes.last_event_id(session), jobs=changes.moving(session))

    def _look(self, seen: Seen) -> list[Message]:
        with self._database.reading() as session:
            new = [pair for pair in changes.events_after(session, seen.floor) if pair[0].id not in seen.events]
            jobs = changes.moving(session, [*seen.jobs, *{event.job_id for event, _ in new}])
        messages = [_event(event, domain) for event, domain in new]
        messages += [_change(job) for job in jobs.values() if seen.jobs.get(job.job_id) != job]
        seen.events |= {event.id: event.at for event, _ in new}
        seen.jobs = {job.job_id: job for job in jobs.values() if job.state in changes.WAITING}
        seen.settle()
        return messages

    def _tell(self, message: Message) -> None:
        for listener in [each for each in self._listeners if each.hears(message)]:
            if listener.queue.full():
                self._let_go(listener)
            else:
                listener.queue.put_nowait(message)

    def _let_go(self, listener: Listener) -> None:
        self._listeners.discard(listener)
        while not listener.queue.empty():
            listener.queue.get_nowait()
        listener.queue.put_nowait(None)


def _event(event: JobEvent, domain: str) -> Message:
    data = {
        "id": event.id,
        "job_id": event.job_id,
        "attempt": event.attempt,
        "source": event.source,
        "kind": event.kind,
        "data": event.data,
        "at": event.at.isoformat(),
    }
    return Message("event", event.job_id, domain, data, event.id)


def _change(job: changes.JobChange) -> Message:
    return Message("job", job.job_id, job.domain, job.to_dict())
