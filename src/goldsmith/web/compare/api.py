"""The API over comparisons: start one, read its verdict, its figures and its rows side by side."""

from collections.abc import Sequence

from fastapi import APIRouter, Response
from sqlalchemy import orm

from goldsmith.compare import asked, queries, service
from goldsmith.compare.asked import AskedRow
from goldsmith.compare.measures import is_right
from goldsmith.compare.outcome import measured
from goldsmith.compare.service import ComparisonRequest
from goldsmith.compare.tables import ComparisonArm, ModelComparison
from goldsmith.data import queries as data_queries
from goldsmith.jobs import queries as job_queries
from goldsmith.jobs.states import JobState
from goldsmith.people.types import Person
from goldsmith.run import queries as run_queries
from goldsmith.run.tables import Answer
from goldsmith.stars import queries as star_queries
from goldsmith.web.answers import After, Before, Id, Limit, Name, made
from goldsmith.web.compare.answers import (
    ArmAnswer,
    CellAnswer,
    ComparisonAnswer,
    ComparisonBody,
    ComparisonsAnswer,
    ComparisonShown,
    ExamRowAnswer,
    OneComparisonAnswer,
)
from goldsmith.web.dependencies import CurrentPerson, ReadSession, Session

api = APIRouter(tags=["comparisons"])


@api.post("/v1/fine-tuning/ab-test", status_code=201)
def start(session: Session, person: CurrentPerson, body: ComparisonBody, response: Response) -> ComparisonAnswer:
    """Put a fine-tuned model beside its base, and the base with examples, on rows that it never saw."""
    comparison = service.start(session, _request(session, body, person), by=person)
    made(response, f"/v1/fine-tuning/comparisons/{comparison.id}")
    return _comparison(session, comparison)


@api.get("/v1/fine-tuning/comparisons")
def list_comparisons(
    session: ReadSession,
    person: CurrentPerson,
    model_id: Name | None = None,
    before: Before = None,
    limit: Limit = 50,
) -> ComparisonsAnswer:
    """Comparisons, newest first; of one fine-tuned model, if it is named."""
    found = queries.page(session, domain=person.domain, model_id=model_id, before=before, limit=limit)
    more = found[-1].id if len(found) == limit else None
    return ComparisonsAnswer(comparisons=[_comparison(session, each) for each in found], before=more)


@api.get("/v1/fine-tuning/comparisons/{comparison_id}")
def one(
    session: ReadSession, person: CurrentPerson, comparison_id: Id, after: After = 0, limit: Limit = 50
) -> OneComparisonAnswer:
    """The verdict, every arm's figures, and rows side by side."""
    comparison = queries.one(session, comparison_id, domain=person.domain)
    arms = queries.arms(session, comparison.id)
    rows = _rows(session, comparison, after=after, limit=limit)
    return OneComparisonAnswer(
        **_comparison(session, comparison).model_dump(),
        arms=[ArmAnswer.model_validate(arm) for arm in arms],
        rows=_side_by_side(session, arms, rows),
        after=rows[-1].position if rows else after,
    )


def _request(session: orm.Session, body: ComparisonBody, person: Person) -> ComparisonRequest:
    """What was asked for by name or id, found."""
    exam = star_queries.training_set(session, body.exam, domain=person.domain).id if body.exam else None
    dataset = data_queries.one(session, body.dataset, domain=person.domain) if body.dataset else None
    version_id = data_queries.newest_version(session, dataset.id).id if dataset is not None else None
    return ComparisonRequest(
        models=body.models,
        exam=exam,
        dataset_version_id=version_id,
        max_rows=body.max_rows,
        name=body.name,
        max_tokens=body.max_tokens,
    )


def _comparison(session: orm.Session, comparison: ModelComparison) -> ComparisonAnswer:
    job = job_queries.one(session, comparison.job_id or "")
    return ComparisonAnswer(
        **ComparisonShown.model_validate(comparison).model_dump(),
        status=job.state,
        state=JobState(job.state),
        progress=job.progress,
        message=job.message,
        failure=job.failure,
    )


def _rows(session: orm.Session, comparison: ModelComparison, *, after: int, limit: int) -> list[AskedRow]:
    """The next rows of those that were asked."""
    return [row for row in asked.of_comparison(session, comparison) if row.position > after][:limit]


def _side_by_side(session: orm.Session, arms: Sequence[ComparisonArm], rows: Sequence[AskedRow]) -> list[ExamRowAnswer]:
    row_ids = [row.row_id for row in rows]
    found = {arm.name: run_queries.by_rows(session, arm.run_id, row_ids) for arm in arms}
    return [
        ExamRowAnswer(
            row_id=row.row_id,
            position=row.position,
            asked=list(row.asked),
            expected=row.expected,
            answers={name: _cell(answers.get(row.row_id), row.expected) for name, answers in found.items()},
        )
        for row in rows
    ]


def _cell(answer: Answer | None, expected: str) -> CellAnswer | None:
    if answer is None:
        return None
    names = ("state", "text", "error", "finish_reason", "answer_tokens", "duration_ms")
    right = is_right(measured(answer), expected)
    return CellAnswer(answer_id=answer.id, is_right=right, **{name: getattr(answer, name) for name in names})
