"""The API over the line: what waits for this machine, in its order, and another place for one of them."""

from datetime import datetime

from fastapi import APIRouter

from goldsmith.jobs import line
from goldsmith.jobs.line import Step
from goldsmith.train import waiting
from goldsmith.web.answers import ApiAnswer, ApiBody
from goldsmith.web.dependencies import CurrentPerson, ReadSession, Session, TheMachine
from goldsmith.web.job_access import ChangingJob

api = APIRouter(tags=["fine-tuning"])


class ExpectedAnswer(ApiAnswer):
    """How long a training is likely to take, and who says so."""

    seconds: float
    source: str
    """`training`: one like it took so long; `rehearsal`: its rehearsal told."""
    source_id: str


class InLineAnswer(ApiAnswer):
    """A job that waits for a place on this machine."""

    job_id: str
    place: int
    """1 is the next to start."""
    title: str
    """Not told of what another organisation waits for."""
    kind: str
    is_own: bool
    wanted_slot: str | None
    """The GPU that it must have, such as `gpu1`; null: whichever is free first."""
    expected: ExpectedAnswer | None
    """Null where neither a rehearsal nor an earlier training tells it."""
    begins_in_s: float | None
    begins_at: datetime | None
    """Null where nobody can know, because something before it has no known length."""


class LineAnswer(ApiAnswer):
    """Everything that waits, the next one first."""

    waiting: list[InLineAnswer]


class MoveBody(ApiBody):
    """Where to in the line."""

    to: Step
    """Among the jobs of your organisation; those of others stay where they are."""


class PlaceAnswer(ApiAnswer):
    """The place that it has now; 1 is the next to start."""

    place: int


@api.get("/v1/fine-tuning/queue")
def show(session: ReadSession, person: CurrentPerson, machine: TheMachine) -> LineAnswer:
    """Everything that waits for a place on this machine, with the time when it is likely to begin."""
    found = waiting.line(session, machine, domain=person.domain)
    return LineAnswer(waiting=[InLineAnswer.model_validate(each) for each in found])


@api.post("/v1/fine-tuning/queue/{job_id}/move")
def move(session: Session, job: ChangingJob, body: MoveBody) -> PlaceAnswer:
    """Give a job that waits another place. It is kept, also over a restart."""
    return PlaceAnswer(place=line.move(session, job, body.to))
