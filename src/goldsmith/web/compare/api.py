"""The API over comparisons: start one, read its verdict, its figures and its rows side by side."""

from collections.abc import Sequence

from fastapi import APIRouter, Response
from sqlalchemy import orm

from goldsmith.compare import queries, service
from goldsmith.compare.measures import is_right
from goldsmith.compare.outcome import measured
from goldsmith.compare.tables import ComparisonArm, ModelComparison
from goldsmith.jobs import queries as job_queries
from goldsmith.jobs.states import JobState
from goldsmith.run import queries as run_queries
from goldsmith.run.tables import Answer
from goldsmith.stars import queries as star_queries
from goldsmith.stars.tables import TrainingSetRow
from goldsmith.stars.types import Side
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
    exam = star_queries.training_set(session, body.exam, domain=person.domain).id if body.exam else None
    comparison = service.start(session, body.request(exam), by=person)
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


def _rows(session: orm.Session, comparison: ModelComparison, *, after: int, limit: int) -> list[TrainingSetRow]:
    """The next exam rows of those that were asked, which are the first ones."""
    set_id, wanted = comparison.training_set_id or "", set(comparison.test_prompts)
    rows = star_queries.training_set_rows(session, set_id, Side.exam.value, after=after, limit=limit)
    return [row for row in rows if row.row_id in wanted]


def _side_by_side(
    session: orm.Session, arms: Sequence[ComparisonArm], rows: Sequence[TrainingSetRow]
) -> list[ExamRowAnswer]:
    row_ids = [row.row_id for row in rows]
    found = {arm.name: run_queries.by_rows(session, arm.run_id, row_ids) for arm in arms}
    return [
        ExamRowAnswer(
            row_id=row.row_id,
            position=row.position,
            asked=list(row.messages[:-1]),
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
