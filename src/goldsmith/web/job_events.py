"""A job's events, as a list and as a stream that goes on. Every API that has jobs of its own answers with these."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import Header, Query, Request
from pydantic import BaseModel, ConfigDict
from sqlalchemy import orm
from starlette.responses import StreamingResponse

from goldsmith.jobs import queries
from goldsmith.jobs.tables import Job
from goldsmith.web.stream import Stream

MAX_ID = 2**53 - 1
After = Annotated[int, Query(ge=0, le=MAX_ID, description="The id of the last event that was seen.")]
LastEventId = Annotated[int | None, Header(alias="Last-Event-ID", ge=0, le=MAX_ID)]


STREAM: dict[int | str, dict[str, Any]] = {200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}}}
"""For the description of routes that answer with `events_of`."""


class EventAnswer(BaseModel):
    """Something that happened to a job."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    job_id: str
    attempt: int
    source: str
    seq: int
    kind: str
    data: dict[str, Any]
    at: datetime


class EventsAnswer(BaseModel):
    """Events in the order in which they were recorded; ask with `after` for more."""

    events: list[EventAnswer]
    after: int


def events_of(
    request: Request, session: orm.Session, job: Job, *, stream: Stream, after: int
) -> EventsAnswer | StreamingResponse:
    """What happened behind `after`; with `Accept: text/event-stream`, and what happens from now on."""
    if "text/event-stream" in request.headers.get("accept", ""):
        return stream.response(job.domain, job_id=job.id, after=after)
    found = [EventAnswer.model_validate(event) for event in queries.events(session, job.id, after=after)]
    return EventsAnswer(events=found, after=found[-1].id if found else after)
