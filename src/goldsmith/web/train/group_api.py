"""The API over several trainings at once: what would start, a start, what came of each, and an end for the rest."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Response
from pydantic import Field
from sqlalchemy import orm

from goldsmith.jobs import queries as jobs
from goldsmith.jobs.states import JobState
from goldsmith.train import groups, queries
from goldsmith.train.groups import MOST, GroupPlan, Planned
from goldsmith.train.tables import TrainingGroup, TrainingJob
from goldsmith.web.answers import ApiAnswer, Before, Id, Limit, Name, made
from goldsmith.web.dependencies import CurrentPerson, ReadSession, Session, TheWorkshop
from goldsmith.web.train.answers import TrainBody
from goldsmith.web.train.group_found import verdicts_of
from goldsmith.web.train.queue_api import ExpectedAnswer
from goldsmith.web.train.side_by_side import Measured, took_s

api = APIRouter(tags=["fine-tuning"])
Tried = Annotated[list[str | int | float | bool], Field(min_length=1, max_length=MOST)]


class SeveralBody(TrainBody):
    """A recipe, and the values that are tried of some of its settings."""

    several: Annotated[dict[Name, Tried], Field(min_length=1, max_length=8)]
    """Setting → values, such as `{"learning_rate": [0.0002, 0.0005], "dial": ["quick", "balanced"]}`. Every combination
    becomes a training; at most 24."""


class PlannedAnswer(ApiAnswer):
    """A training as it would be started."""

    differs: dict[str, Any]
    """What it has of what is varied."""
    config: dict[str, Any]
    """The recipe, resolved."""
    num_rows: int | None
    expected: ExpectedAnswer | None

    @classmethod
    def of(cls, one: Planned) -> "PlannedAnswer":
        """A planned training as the API shows it."""
        expected = ExpectedAnswer.model_validate(one.expected) if one.expected is not None else None
        config = one.what.options.in_effect()
        return cls(differs=dict(one.variant.differs), config=config, num_rows=one.what.num_rows, expected=expected)


class GroupPlanAnswer(ApiAnswer):
    """Several trainings before they start."""

    trainings: list[PlannedAnswer]
    expected_s: float | None
    """How long all of them take, one after the other; null where that is not known of every one."""

    @classmethod
    def of(cls, planned: GroupPlan) -> "GroupPlanAnswer":
        """A plan as the API shows it."""
        return cls(trainings=[PlannedAnswer.of(one) for one in planned.trainings], expected_s=planned.seconds)


class GroupShown(ApiAnswer):
    """Trainings that were started together."""

    id: str
    name: str
    varied: list[str]
    created_by: str
    created_at: datetime


class OfGroupAnswer(ApiAnswer):
    """One of several trainings, with what came of it; what was not measured is null."""

    id: str
    differs: dict[str, Any]
    state: JobState
    training_loss: float | None
    exam_loss: float | None
    lowest_exam_loss: float | None
    took_s: float | None
    output_model_id: str | None
    verdict: str | None
    """What the newest comparison of its model says."""
    error_message: str | None


class GroupAnswer(GroupShown):
    """A group, with its trainings in the order in which they were started."""

    trainings: list[OfGroupAnswer]


class GroupsAnswer(ApiAnswer):
    """Groups of trainings, newest first; ask with `before` for more."""

    groups: list[GroupShown]
    before: str | None


class CancelledAnswer(ApiAnswer):
    """How many trainings were asked to stop."""

    num_cancelled: int


@api.post("/v1/fine-tuning/groups/plan")
def plan(session: ReadSession, person: CurrentPerson, workshop: TheWorkshop, body: SeveralBody) -> GroupPlanAnswer:
    """What would be started: how many, what each differs in, and the total of time where it is known."""
    return GroupPlanAnswer.of(groups.plan(session, body.request, body.several, workshop=workshop, by=person))


@api.post("/v1/fine-tuning/groups", status_code=201)
def start(
    session: Session, person: CurrentPerson, workshop: TheWorkshop, body: SeveralBody, response: Response
) -> GroupAnswer:
    """Queue all of them, or none. One that fails stops none of the others."""
    group = groups.start(session, body.request, body.several, workshop=workshop, by=person)
    made(response, f"/v1/fine-tuning/groups/{group.id}")
    return _group(session, group)


@api.get("/v1/fine-tuning/groups")
def list_groups(session: ReadSession, person: CurrentPerson, before: Before = None, limit: Limit = 50) -> GroupsAnswer:
    """Groups of trainings, newest first."""
    found = queries.groups(session, domain=person.domain, before=before, limit=limit)
    more = found[-1].id if len(found) == limit else None
    return GroupsAnswer(groups=[GroupShown.model_validate(group) for group in found], before=more)


@api.get("/v1/fine-tuning/groups/{group_id}")
def one(session: ReadSession, person: CurrentPerson, group_id: Id) -> GroupAnswer:
    """A group, with what came of each training."""
    return _group(session, queries.group(session, group_id, domain=person.domain))


@api.post("/v1/fine-tuning/groups/{group_id}/cancel")
def cancel(session: Session, person: CurrentPerson, group_id: Id) -> CancelledAnswer:
    """Cancel every training of the group that has not ended."""
    group = queries.group(session, group_id, domain=person.domain)
    return CancelledAnswer(num_cancelled=groups.cancel_rest(session, group))


def _group(session: orm.Session, group: TrainingGroup) -> GroupAnswer:
    rows = queries.of_group(session, group.id)
    verdicts = verdicts_of(session, [row.output_model_id for row in rows if row.output_model_id is not None])
    shown = GroupShown.model_validate(group).model_dump()
    said = {model_id: sentence for model_id, (sentence, _) in verdicts.items()}
    return GroupAnswer(**shown, trainings=[_one(session, row, said.get(row.output_model_id or "")) for row in rows])


def _one(session: orm.Session, row: TrainingJob, verdict: str | None) -> OfGroupAnswer:
    exam = [loss for _, loss in Measured(row, queries.series(session, row.id), {}).exam]
    return OfGroupAnswer(
        id=row.id,
        differs=row.differs or {},
        state=JobState(jobs.one(session, row.id).state),
        training_loss=row.training_loss,
        exam_loss=row.validation_loss,
        lowest_exam_loss=min(exam, default=None),
        took_s=took_s(row),
        output_model_id=row.output_model_id,
        verdict=verdict,
        error_message=row.error_message,
    )
