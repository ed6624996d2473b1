"""What a person is told when something long has ended: their own jobs of the last days that they have not dismissed.

Nothing is written when a job ends, so nothing can be forgotten: a notice is a job that ended, and what is kept is only
that somebody has seen it. A resumed job that ends once more is a new notice.
"""

from collections.abc import Collection
from datetime import timedelta
from typing import Final

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from goldsmith.jobs.states import JobState
from goldsmith.jobs.tables import DismissedNotice, Job
from goldsmith.people.types import Person
from goldsmith.storage import clock

KEPT: Final = timedelta(days=14)
LONG: Final = timedelta(seconds=10)
"""What is over before that was still being looked at. A failure is told always."""
QUIET: Final = frozenset({"prove", "merge_speed"})
"""Kinds that nobody has asked for by hand."""
MAX_NOTICES: Final = 100


def unread(session: Session, *, by: Person) -> list[Job]:
    """Their jobs that ended and that they have not dismissed, the last one first; at most a hundred."""
    seen = exists().where(
        DismissedNotice.person_id == by.id,
        DismissedNotice.job_id == Job.id,
        DismissedNotice.attempt == Job.attempt,
    )
    query = (
        select(Job)
        .where(Job.created_by == by.id, Job.finished_at > clock.now() - KEPT, ~seen)
        .where(Job.state.in_((JobState.SUCCEEDED.value, JobState.FAILED.value)), Job.kind.not_in(QUIET))
        .order_by(Job.finished_at.desc(), Job.id.desc())
        .limit(MAX_NOTICES)
    )
    return [job for job in session.scalars(query) if _is_told(job)]


def dismiss(session: Session, *, by: Person, job_ids: Collection[str] | None = None) -> int:
    """Note that they have seen these, or all; what is not among their notices is left alone. Returns how many."""
    found = [job for job in unread(session, by=by) if job_ids is None or job.id in job_ids]
    for job in found:
        session.merge(DismissedNotice(person_id=by.id, job_id=job.id, attempt=job.attempt, at=clock.now()))
    session.flush()
    return len(found)


def _is_told(job: Job) -> bool:
    if job.state == JobState.FAILED.value or job.started_at is None or job.finished_at is None:
        return True
    return job.finished_at - job.started_at >= LONG
