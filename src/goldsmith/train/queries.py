"""Every SELECT on trainings."""

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from goldsmith.jobs.states import ACTIVE, JobState
from goldsmith.jobs.tables import Job
from goldsmith.train.errors import GroupNotFound, RehearsalNotFound, TrainingNotFound
from goldsmith.train.tables import KIND, PROVIDER, TrainingGroup, TrainingJob, TrainingMetric

MAX_POINTS = 500
REHEARSAL = "rehearsal"
"""The kind of a rehearsal's job."""


def one(session: Session, job_id: str, *, domain: str) -> TrainingJob:
    """The training. Raises TrainingNotFound."""
    found = session.get(TrainingJob, job_id)
    if found is None or found.domain != domain:
        raise TrainingNotFound(f"There is no training {job_id}.")
    return found


def rehearsal(session: Session, job_id: str, *, domain: str) -> Job:
    """The job of a rehearsal. Raises RehearsalNotFound."""
    found = session.get(Job, job_id)
    if found is None or found.domain != domain or found.kind != REHEARSAL:
        raise RehearsalNotFound(f"There is no rehearsal {job_id}.")
    return found


def page(session: Session, *, domain: str, before: str | None = None, limit: int = 50) -> list[TrainingJob]:
    """Trainings, newest first; `before` is the last id of the page before."""
    query = select(TrainingJob).where(TrainingJob.domain == domain).order_by(TrainingJob.id.desc()).limit(limit)
    return list(session.scalars(query.where(TrainingJob.id < before) if before else query))


def group(session: Session, group_id: str, *, domain: str) -> TrainingGroup:
    """The group of trainings. Raises GroupNotFound."""
    found = session.get(TrainingGroup, group_id)
    if found is None or found.domain != domain:
        raise GroupNotFound(f"There is no group of trainings {group_id}.")
    return found


def groups(session: Session, *, domain: str, before: str | None = None, limit: int = 50) -> list[TrainingGroup]:
    """Groups of trainings, newest first."""
    query = select(TrainingGroup).where(TrainingGroup.domain == domain).order_by(TrainingGroup.id.desc()).limit(limit)
    return list(session.scalars(query.where(TrainingGroup.id < before) if before else query))


def of_group(session: Session, group_id: str) -> list[TrainingJob]:
    """Its trainings, in the order in which they were started."""
    return list(session.scalars(select(TrainingJob).where(TrainingJob.group_id == group_id).order_by(TrainingJob.id)))


def cancelled_at_provider(session: Session) -> list[Job]:
    """Jobs of trainings that a provider did, or may still be doing, and that were cancelled here."""
    query = select(Job).where(Job.kind == KIND, Job.state == JobState.CANCELLED.value)
    return list(session.scalars(query.where(Job.params[PROVIDER].as_string().is_not(None)).order_by(Job.id)))


def num_active(session: Session, *, domain: str) -> int:
    """How many trainings are at work."""
    states = [state.value for state in ACTIVE]
    query = select(func.count()).select_from(TrainingJob)
    return session.scalar(query.where(TrainingJob.domain == domain, TrainingJob.status.in_(states))) or 0


def series(session: Session, job_id: str) -> list[TrainingMetric]:
    """The points of the curve in order, thinned to at most MAX_POINTS; points with an exam loss always stay."""
    points = list(
        session.scalars(select(TrainingMetric).where(TrainingMetric.job_id == job_id).order_by(TrainingMetric.step))
    )
    every = max(1, len(points) // MAX_POINTS)
    return [
        point
        for number, point in enumerate(points)
        if number % every == 0 or point.exam_loss is not None or number == len(points) - 1
    ]
