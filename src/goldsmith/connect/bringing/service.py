"""The verbs: bring a scope's stars in now, and at which times it happens by itself."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session

from goldsmith.connect.errors import ScopeNotFound
from goldsmith.connect.service import check_scope
from goldsmith.connect.syncing.service import check_minutes
from goldsmith.connect.tables import SourceScope
from goldsmith.connect.types import Scope
from goldsmith.jobs import queue
from goldsmith.jobs.queue import NewJob
from goldsmith.jobs.states import ACTIVE, JobState
from goldsmith.jobs.tables import Job
from goldsmith.people.types import Person
from goldsmith.storage import clock

KIND = "bring_stars"
_NOT_OVER = [state.value for state in (*ACTIVE, JobState.QUEUED)]


def one(session: Session, scope_id: str, *, by: Person) -> SourceScope:
    """Whose stars came in under this id, held until the end. Raises ScopeNotFound, NotYourScope."""
    query = select(SourceScope).where(SourceScope.id == scope_id, SourceScope.domain == by.domain)
    found = session.scalar(query.with_for_update())
    if found is None:
        raise ScopeNotFound(f"No stars came in under {scope_id[:64]!r}.")
    check_scope(Scope(found.philosopher, found.source_domain), by)
    return found


def schedule(session: Session, scope_id: str, every_minutes: int | None, *, by: Person) -> SourceScope:
    """Bring a scope's stars in at once and then every so many minutes; None: only when somebody asks.

    Raises ScopeNotFound, NotYourScope, ConnectionNotUsable.
    """
    check_minutes(every_minutes)
    scope = one(session, scope_id, by=by)
    if every_minutes != scope.every_minutes or every_minutes is None:
        scope.next_bring_at = clock.now() if every_minutes is not None else None
    scope.every_minutes = every_minutes
    session.flush()
    return scope


def bring(session: Session, scope_id: str, *, by: Person) -> Job:
    """Queue the bringing of a scope's stars; the job that waits or is at work, where there is one.

    Raises ScopeNotFound, NotYourScope.
    """
    scope = one(session, scope_id, by=by)
    if scope.every_minutes is not None:
        scope.next_bring_at = clock.now() + timedelta(minutes=scope.every_minutes)
    job = session.scalar(select(Job).where(Job.subject_id == scope.id, Job.kind == KIND, Job.state.in_(_NOT_OVER)))
    if job is None:
        title = f"Bring the stars of {scope.philosopher} at {scope.source_domain}"
        job = queue.add(session, NewJob(KIND, title, {"scope": scope.id}, subject_id=scope.id), by=by)
    session.flush()
    return job


def due(session: Session, now: datetime) -> list[SourceScope]:
    """Scopes whose time has come and whose stars are not being brought, those that wait longest first."""
    at_work = exists().where(Job.subject_id == SourceScope.id, Job.kind == KIND, Job.state.in_(_NOT_OVER))
    query = select(SourceScope).where(SourceScope.next_bring_at <= now, ~at_work)
    return list(session.scalars(query.order_by(SourceScope.next_bring_at).limit(50)))


def newest(session: Session, scope_ids: Sequence[str]) -> dict[str, Job]:
    """Scope → the newest job that brought its stars, or tried."""
    of_each = select(func.max(Job.id)).where(Job.kind == KIND, Job.subject_id.in_(scope_ids)).group_by(Job.subject_id)
    return {job.subject_id or "": job for job in session.scalars(select(Job).where(Job.id.in_(of_each)))}
