"""Every SELECT on comparisons."""

from collections.abc import Sequence

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session

from goldsmith.compare.errors import ComparisonNotFound, CurveNotFound
from goldsmith.compare.tables import ComparisonArm, LearningCurve, ModelComparison
from goldsmith.data.tables import Row
from goldsmith.jobs.states import JobState
from goldsmith.run.tables import Answer, Run
from goldsmith.stars.tables import TrainingSetRow
from goldsmith.train.tables import TrainingJob

ENDED = (JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED)
"""How a training of a curve may have ended; one that is paused is waited for."""
AGAIN = "again"
"""The name of the arm that only shows whether the tuned model says the same twice."""


def one(session: Session, comparison_id: str, *, domain: str) -> ModelComparison:
    """The comparison. Raises ComparisonNotFound."""
    found = session.get(ModelComparison, comparison_id)
    if found is None or found.domain != domain:
        raise ComparisonNotFound(f"There is no comparison {comparison_id}.")
    return found


def page(
    session: Session, *, domain: str, model_id: str | None = None, before: str | None = None, limit: int = 50
) -> list[ModelComparison]:
    """Comparisons, newest first; of one fine-tuned model, if it is named."""
    query = select(ModelComparison).where(ModelComparison.domain == domain).order_by(ModelComparison.id.desc())
    if model_id:
        query = query.where(ModelComparison.fine_tuned_model_id == model_id)
    if before:
        query = query.where(ModelComparison.id < before)
    return list(session.scalars(query.limit(limit)))


def curve(session: Session, curve_id: str, *, domain: str) -> LearningCurve:
    """The learning curve. Raises CurveNotFound."""
    found = session.get(LearningCurve, curve_id)
    if found is None or found.domain != domain:
        raise CurveNotFound(f"There is no learning curve {curve_id}.")
    return found


def curves(session: Session, *, domain: str, before: str | None = None, limit: int = 50) -> list[LearningCurve]:
    """Learning curves, newest first."""
    query = select(LearningCurve).where(LearningCurve.domain == domain).order_by(LearningCurve.id.desc()).limit(limit)
    return list(session.scalars(query.where(LearningCurve.id < before) if before else query))


def curve_of_group(session: Session, group_id: str) -> LearningCurve | None:
    """The learning curve that a group of trainings is for."""
    return session.scalar(select(LearningCurve).where(LearningCurve.group_id == group_id))


def curves_to_ask(session: Session) -> list[LearningCurve]:
    """Those whose trainings are all over and of which nobody has asked the exam yet."""
    going_on = exists().where(
        TrainingJob.group_id == LearningCurve.group_id, TrainingJob.status.not_in([state.value for state in ENDED])
    )
    query = select(LearningCurve).where(LearningCurve.job_id.is_(None), LearningCurve.answer.is_(None), ~going_on)
    return list(session.scalars(query.order_by(LearningCurve.id)))


def newest_verdicts(session: Session, model_ids: Sequence[str]) -> list[ModelComparison]:
    """Of each of these models the newest comparison that came to a verdict; older first."""
    query = select(ModelComparison).where(ModelComparison.fine_tuned_model_id.in_(model_ids))
    found = session.scalars(query.where(ModelComparison.completed_at.is_not(None)).order_by(ModelComparison.id))
    return list({one.fine_tuned_model_id: one for one in found if one.verdict}.values())


def average_win_rate(session: Session, *, domain: str) -> float | None:
    """The mean share of rows that fine-tuned models won against their base, over comparisons; None without any."""
    query = select(func.avg(ModelComparison.win_rate)).where(ModelComparison.domain == domain)
    return session.scalar(query)


def num_answers(session: Session, comparison_id: str) -> int:
    """How many answers of all arms are there."""
    query = select(func.count()).select_from(Answer).join(ComparisonArm, ComparisonArm.run_id == Answer.run_id)
    return session.scalar(query.where(ComparisonArm.comparison_id == comparison_id)) or 0


def num_wanted(session: Session, comparison_id: str) -> int:
    """How many answers of all arms it will have."""
    query = select(func.sum(Run.num_rows)).join(ComparisonArm, ComparisonArm.run_id == Run.id)
    return session.scalar(query.where(ComparisonArm.comparison_id == comparison_id)) or 0


def num_asked_twice(session: Session, comparison_id: str) -> int:
    """How many of the rows the tuned model is asked a second time."""
    query = select(func.sum(Run.num_rows)).join(ComparisonArm, ComparisonArm.run_id == Run.id)
    return session.scalar(query.where(ComparisonArm.comparison_id == comparison_id, ComparisonArm.name == AGAIN)) or 0


def arms(session: Session, comparison_id: str) -> list[ComparisonArm]:
    """The arms that are put beside each other, in their order: base, examples, tuned."""
    query = select(ComparisonArm).where(ComparisonArm.comparison_id == comparison_id, ComparisonArm.name != AGAIN)
    return list(session.scalars(query.order_by(ComparisonArm.position)))


def second_asking(session: Session, comparison_id: str) -> ComparisonArm | None:
    """The tuned model asked a second time; None in comparisons that did not ask twice."""
    query = select(ComparisonArm).where(ComparisonArm.comparison_id == comparison_id, ComparisonArm.name == AGAIN)
    return session.scalar(query)


def answers(
    session: Session, run_ids: Sequence[str], row_ids: Sequence[str] | None = None
) -> dict[tuple[str, str], Answer]:
    """(run id, row id) → answer, for the runs of the arms; of some rows alone, if they are named."""
    query = select(Answer).where(Answer.run_id.in_(run_ids))
    found = session.scalars(query if row_ids is None else query.where(Answer.row_id.in_(row_ids)))
    return {(answer.run_id, answer.row_id): answer for answer in found}


def rows_named(session: Session, row_ids: Sequence[str]) -> list[Row]:
    """Rows of a dataset by their ids."""
    return list(session.scalars(select(Row).where(Row.id.in_(row_ids)).order_by(Row.position)))


def exam_rows(
    session: Session, training_set_id: str, *, limit: int | None = None, row_ids: Sequence[str] | None = None
) -> list[TrainingSetRow]:
    """The held-out rows of a training set, in their order; some alone, if they are named."""
    return _side(session, training_set_id, "exam", limit, row_ids)


def first_row(session: Session, training_set_id: str) -> TrainingSetRow | None:
    """An exam row of a training set, or where there is none a learned one; None for an empty set."""
    query = select(TrainingSetRow).where(
        TrainingSetRow.training_set_id == training_set_id, TrainingSetRow.side.in_(("exam", "learn"))
    )
    return session.scalar(query.order_by(TrainingSetRow.side, TrainingSetRow.position).limit(1))


def learn_rows(session: Session, training_set_id: str) -> list[TrainingSetRow]:
    """The learned rows of a training set, in their order."""
    return _side(session, training_set_id, "learn", None)


def _side(
    session: Session, training_set_id: str, side: str, limit: int | None, row_ids: Sequence[str] | None = None
) -> list[TrainingSetRow]:
    query = select(TrainingSetRow).where(TrainingSetRow.training_set_id == training_set_id, TrainingSetRow.side == side)
    if row_ids is not None:
        query = query.where(TrainingSetRow.row_id.in_(row_ids))
    return list(session.scalars(query.order_by(TrainingSetRow.position).limit(limit)))
