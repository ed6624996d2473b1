"""The API over learning curves: trainings on parts of the gold stars, and whether more of them would help."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Response
from pydantic import Field
from sqlalchemy import orm

from goldsmith.compare import curves, queries
from goldsmith.compare.curves import CurveRequest
from goldsmith.compare.more_stars import MoreStarsKind
from goldsmith.compare.tables import LearningCurve
from goldsmith.jobs import queries as jobs
from goldsmith.jobs.states import JobState
from goldsmith.train import queries as train
from goldsmith.train.shares import SHARE
from goldsmith.train.tables import TrainingJob
from goldsmith.web.answers import ApiAnswer, Before, Id, Limit, made
from goldsmith.web.dependencies import CurrentPerson, ReadSession, Session, TheWorkshop
from goldsmith.web.train.answers import TrainBody
from goldsmith.web.train.group_api import GroupPlanAnswer
from goldsmith.web.train.side_by_side import Measured

api = APIRouter(prefix="/v1/fine-tuning/learning-curves", tags=["fine-tuning"])


class CurveBody(TrainBody):
    """A recipe; how thoroughly each part is trained follows from its rows (`dial`, default `balanced`)."""

    num_more: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    """About how many more stars is asked; default: about half as many again."""

    @property
    def asked(self) -> CurveRequest:
        """As the step takes it."""
        return CurveRequest(self.request, self.num_more)


class CurvePointAnswer(ApiAnswer):
    """One training of a learning curve; what was not measured is null."""

    training_id: str
    share: float
    num_learn: int | None
    """How many stars it learns from."""
    state: JobState
    lowest_exam_loss: float | None
    num_right: int | None
    """Exam rows that its model answers as their gold answers."""


class MoreStarsAnswer(ApiAnswer):
    """What the trainings say. `gain`, `low` and `high` are shares: 0.03 is 3 points; null where none is told."""

    kind: MoreStarsKind
    sentence: str
    evidence: str
    num_more: int
    num_rows: int
    """Exam rows that were asked."""
    gain: float | None
    low: float | None
    high: float | None
    rows_needed: int | None
    """About how many more exam rows would decide, where these do not."""


class CurveAnswer(ApiAnswer):
    """A learning curve; `answer` is null until its models were asked."""

    id: str
    group_id: str
    training_set_id: str
    job_id: str | None
    """The job that asks the exam, once the trainings are over."""
    state: JobState
    """`queued` or `running` until there is an answer; `failed` where the exam could not be asked."""
    points: list[CurvePointAnswer]
    answer: MoreStarsAnswer | None
    created_by: str
    created_at: datetime


class CurvesAnswer(ApiAnswer):
    """Learning curves, newest first; ask with `before` for more."""

    learning_curves: list[CurveAnswer]
    before: str | None


@api.post("/plan")
def plan(session: ReadSession, person: CurrentPerson, workshop: TheWorkshop, body: CurveBody) -> GroupPlanAnswer:
    """The trainings that would be started; nothing starts."""
    return GroupPlanAnswer.of(curves.plan(session, body.asked, workshop=workshop, by=person))


@api.post("", status_code=201)
def start(
    session: Session, person: CurrentPerson, workshop: TheWorkshop, body: CurveBody, response: Response
) -> CurveAnswer:
    """Train on 25, 50 and 100 % of the stars, ask each model the exam, and say whether more stars would help."""
    curve = curves.start(session, body.asked, workshop=workshop, by=person)
    made(response, f"/v1/fine-tuning/learning-curves/{curve.id}")
    return _curve(session, curve)


@api.get("")
def list_curves(session: ReadSession, person: CurrentPerson, before: Before = None, limit: Limit = 50) -> CurvesAnswer:
    """Learning curves, newest first."""
    found = queries.curves(session, domain=person.domain, before=before, limit=limit)
    more = found[-1].id if len(found) == limit else None
    return CurvesAnswer(learning_curves=[_curve(session, curve) for curve in found], before=more)


@api.get("/{curve_id}")
def one(session: ReadSession, person: CurrentPerson, curve_id: Id) -> CurveAnswer:
    """A learning curve, with its answer once there is one."""
    return _curve(session, queries.curve(session, curve_id, domain=person.domain))


def _curve(session: orm.Session, curve: LearningCurve) -> CurveAnswer:
    rows = train.of_group(session, curve.group_id)
    asked = {point["training_id"]: point for point in curve.points or ()}
    return CurveAnswer(
        id=curve.id,
        group_id=curve.group_id,
        training_set_id=curve.training_set_id,
        job_id=curve.job_id,
        state=_state(session, curve, rows),
        points=[_point(session, row, asked.get(row.id, {})) for row in rows],
        answer=MoreStarsAnswer(**curve.answer) if curve.answer is not None else None,
        created_by=curve.created_by,
        created_at=curve.created_at,
    )


def _state(session: orm.Session, curve: LearningCurve, rows: list[TrainingJob]) -> JobState:
    if curve.answer is not None:
        return JobState.SUCCEEDED
    if curve.job_id is not None:
        return JobState(jobs.one(session, curve.job_id).state)
    waits = all(jobs.one(session, row.id).state == JobState.QUEUED.value for row in rows)
    return JobState.QUEUED if waits else JobState.RUNNING


def _point(session: orm.Session, row: TrainingJob, asked: dict[str, Any]) -> CurvePointAnswer:
    exam = [loss for _, loss in Measured(row, train.series(session, row.id), {}).exam]
    return CurvePointAnswer(
        training_id=row.id,
        share=float((row.differs or {}).get(SHARE, 1.0)),
        num_learn=row.sample_count,
        state=JobState(jobs.one(session, row.id).state),
        lowest_exam_loss=min(exam, default=None),
        num_right=asked.get("num_right"),
    )
