"""The SELECT that only the activity pages need."""

from sqlalchemy import orm, select

from goldsmith.jobs.tables import JobEvent


def newest_events(session: orm.Session, job_id: str, limit: int) -> list[JobEvent]:
    """The last events, in the order in which they were recorded."""
    query = select(JobEvent).where(JobEvent.job_id == job_id).order_by(JobEvent.id.desc()).limit(limit)
    return list(session.scalars(query))[::-1]
