"""The SELECTs that only OpenAI's addresses need."""

from collections.abc import Sequence

from sqlalchemy import orm, select

from goldsmith.jobs.tables import Job, JobEvent


def jobs_of(session: orm.Session, ids: Sequence[str]) -> dict[str, Job]:
    """Jobs by id."""
    return {job.id: job for job in session.scalars(select(Job).where(Job.id.in_(ids)))}


def newest_events(
    session: orm.Session, job_id: str, *, before: int | None, limit: int, kind: str | None = None
) -> list[JobEvent]:
    """A job's events, newest first, before the event with the id `before`."""
    query = select(JobEvent).where(JobEvent.job_id == job_id).order_by(JobEvent.id.desc()).limit(limit)
    if before is not None:
        query = query.where(JobEvent.id < before)
    return list(session.scalars(query.where(JobEvent.kind == kind) if kind else query))
