"""The API over jobs: every kind of job in one list, beside the addresses that single steps have for their own."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import StreamingResponse

from goldsmith.jobs import notices, queries, queue
from goldsmith.jobs.states import JobState
from goldsmith.jobs.types import StopRequest
from goldsmith.web.answers import ApiBody, Text
from goldsmith.web.dependencies import CurrentPerson, ReadSession, Session, TheStream
from goldsmith.web.job_access import ChangingJob, ReadJob, go_on
from goldsmith.web.job_events import STREAM, After, EventsAnswer, LastEventId, events_of
from goldsmith.web.jobs.support import TheBundle

api = APIRouter(prefix="/v1/jobs", tags=["jobs"])
notices_api = APIRouter(prefix="/v1/notices", tags=["jobs"])
JobId = Annotated[Text, Field(max_length=64)]


class JobAnswer(BaseModel):
    """A job."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    kind: str
    title: str
    subject_id: str | None
    state: JobState
    because: str
    attempt: int
    stage: str | None
    progress: float
    message: str
    stop_requested: str | None
    failure: dict[str, Any] | None
    result: dict[str, Any] | None
    created_by: str
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


class JobsAnswer(BaseModel):
    """Jobs, newest first; ask with `before` for more."""

    jobs: list[JobAnswer]
    before: str | None


class NoticesAnswer(BaseModel):
    """What has ended and was not dismissed, the last one first."""

    notices: list[JobAnswer]


class DismissBody(ApiBody):
    """Which notices were seen."""

    job_ids: Annotated[list[JobId], Field(max_length=notices.MAX_NOTICES)] | None = None
    """Without it: all."""


class DismissedAnswer(BaseModel):
    """How many are no notices any more."""

    num_dismissed: int


@notices_api.get("")
def list_notices(session: ReadSession, person: CurrentPerson) -> NoticesAnswer:
    """The person's own long jobs that have ended in the last two weeks, until they are dismissed."""
    return NoticesAnswer(notices=[JobAnswer.model_validate(job) for job in notices.unread(session, by=person)])


@notices_api.post("/dismiss")
def dismiss(session: Session, person: CurrentPerson, body: DismissBody) -> DismissedAnswer:
    """They were seen."""
    return DismissedAnswer(num_dismissed=notices.dismiss(session, by=person, job_ids=body.job_ids))


@api.get("")
def list_jobs(
    session: ReadSession,
    person: CurrentPerson,
    kind: str | None = None,
    state: JobState | None = None,
    before: str | None = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
) -> JobsAnswer:
    """Jobs, newest first."""
    states = (state,) if state else ()
    jobs = queries.page(session, domain=person.domain, kind=kind, states=states, before=before, limit=limit)
    more = jobs[-1].id if len(jobs) == limit else None
    return JobsAnswer(jobs=[JobAnswer.model_validate(job) for job in jobs], before=more)


@api.get("/{job_id}")
def one_job(job: ReadJob) -> JobAnswer:
    """One job."""
    return JobAnswer.model_validate(job)


@api.get("/{job_id}/bundle", response_class=Response, responses={200: {"content": {"application/zip": {}}}})
def bundle(made: TheBundle) -> Response:
    """What somebody who helps needs to know of it, as a ZIP file; without secrets, rows, prompts and answers."""
    return made


@api.post("/{job_id}/cancel")
def cancel(session: Session, job: ChangingJob) -> JobAnswer:
    """Stop it for good. What runs saves first; what waits is cancelled at once."""
    queue.ask_to_stop(session, job, StopRequest.CANCEL)
    return JobAnswer.model_validate(job)


@api.post("/{job_id}/pause")
def pause(session: Session, job: ChangingJob) -> JobAnswer:
    """Stop it so that it can go on later."""
    queue.ask_to_stop(session, job, StopRequest.PAUSE)
    return JobAnswer.model_validate(job)


@api.post("/{job_id}/resume")
def resume(session: Session, person: CurrentPerson, job: ChangingJob) -> JobAnswer:
    """Queue it again, as a new attempt of the same job."""
    go_on(session, job, person)
    return JobAnswer.model_validate(job)


@api.get("/{job_id}/events", response_model=EventsAnswer, responses=STREAM)
def events(
    request: Request,
    session: ReadSession,
    stream: TheStream,
    job: ReadJob,
    *,
    after: After = 0,
    last_event_id: LastEventId = None,
) -> EventsAnswer | StreamingResponse:
    """What happened so far as a list; with `Accept: text/event-stream`, and what happens from now on."""
    return events_of(request, session, job, stream=stream, after=last_event_id or after)
