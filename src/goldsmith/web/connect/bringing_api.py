"""The API over stars that came in from Aristotle: whose, bring them in now, and have that happen by itself."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import Field

from goldsmith.connect import queries
from goldsmith.connect.bringing import service as bringing
from goldsmith.connect.syncing.types import MAX_EVERY_MINUTES, MIN_EVERY_MINUTES
from goldsmith.connect.tables import SourceScope
from goldsmith.jobs.states import JobState
from goldsmith.jobs.tables import Job
from goldsmith.web.answers import ApiAnswer, ApiBody, Id
from goldsmith.web.connect.found import ARISTOTLE
from goldsmith.web.dependencies import CurrentPerson, ReadSession, Session

api = APIRouter(prefix="/v1/aristotle/stars", tags=["sources"])


class StarsAnswer(ApiAnswer):
    """One philosopher and domain whose stars came in."""

    id: str
    philosopher: str
    domain: str
    dataset_id: str
    num_stars: int
    """Conquests with a star in force here."""
    fetched_at: datetime | None
    every_minutes: int | None
    """How often they come in by themselves; null: when somebody asks."""
    next_bring_at: datetime | None
    job_id: str | None
    """The job that brought them last, or tried; its error says why it could not."""
    state: JobState | None
    error: str | None


class AllStarsAnswer(ApiAnswer):
    """Whose stars came in."""

    stars: list[StarsAnswer]


class ScheduleBody(ApiBody):
    """How often."""

    every_minutes: Annotated[int, Field(ge=MIN_EVERY_MINUTES, le=MAX_EVERY_MINUTES)] | None
    """Null: only when somebody asks."""


class BroughtAnswer(ApiAnswer):
    """What is at it."""

    job_id: str


@api.get("")
def list_stars(session: ReadSession, person: CurrentPerson) -> AllStarsAnswer:
    """Whose stars came in, when, and whether they do so by themselves."""
    scopes = queries.scopes(session, source=ARISTOTLE, domain=person.domain)
    jobs = bringing.newest(session, [scope.id for scope in scopes])
    return AllStarsAnswer(stars=[_shown(session, scope, jobs.get(scope.id)) for scope in scopes])


@api.put("/{scope_id}/schedule")
def schedule(session: Session, person: CurrentPerson, scope_id: Id, body: ScheduleBody) -> StarsAnswer:
    """Have them come in by themselves, the first time at once; or only when somebody asks."""
    scope = bringing.schedule(session, scope_id, body.every_minutes, by=person)
    return _shown(session, scope, bringing.newest(session, [scope.id]).get(scope.id))


@api.post("/{scope_id}/bring", status_code=202)
def bring(session: Session, person: CurrentPerson, scope_id: Id, response: Response) -> BroughtAnswer:
    """Bring them in now, without making a training set."""
    job = bringing.bring(session, scope_id, by=person)
    response.headers["Location"] = f"/v1/jobs/{job.id}"
    return BroughtAnswer(job_id=job.id)


def _shown(session: ReadSession, scope: SourceScope, job: Job | None) -> StarsAnswer:
    return StarsAnswer(
        id=scope.id,
        philosopher=scope.philosopher,
        domain=scope.source_domain,
        dataset_id=scope.dataset_id,
        num_stars=queries.num_stars(session, scope.id),
        fetched_at=scope.fetched_at,
        every_minutes=scope.every_minutes,
        next_bring_at=scope.next_bring_at,
        job_id=job.id if job is not None else None,
        state=JobState(job.state) if job is not None else None,
        error=(job.failure or {}).get("summary") if job is not None else None,
    )
