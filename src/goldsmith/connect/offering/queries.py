"""Every SELECT on offers."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Select, exists, select
from sqlalchemy.orm import Session

from goldsmith.connect.offering.tables import SourceOffer
from goldsmith.connect.syncing.tables import SourceConnection
from goldsmith.data.tables import DatasetVersion
from goldsmith.jobs.states import JobState
from goldsmith.jobs.tables import Job
from goldsmith.run.tables import Answer, Run
from goldsmith.run.types import RunKindName

_NOT_OVER = [state.value for state in JobState if not state.is_over or state is JobState.PAUSED]


def offers(session: Session, connection_id: str, *, limit: int = 20) -> list[tuple[SourceOffer, Job, Run]]:
    """What was offered to a source, newest first."""
    query = (
        select(SourceOffer, Job, Run).join(Job, Job.id == SourceOffer.job_id).join(Run, Run.id == SourceOffer.run_id)
    )
    found = session.execute(
        query.where(SourceOffer.connection_id == connection_id).order_by(SourceOffer.id.desc()).limit(limit)
    )
    return [(row[0], row[1], row[2]) for row in found]


def offer_of(session: Session, job_id: str) -> SourceOffer:
    """The offer that a job makes."""
    return session.scalars(select(SourceOffer).where(SourceOffer.job_id == job_id)).one()


def under_way(session: Session, connection_id: str, run_id: str) -> tuple[SourceOffer, Job] | None:
    """The offer of a run's answers that is not over."""
    query = (
        select(SourceOffer, Job)
        .join(Job, Job.id == SourceOffer.job_id)
        .where(SourceOffer.connection_id == connection_id, SourceOffer.run_id == run_id, Job.state.in_(_NOT_OVER))
    )
    found = session.execute(query.order_by(SourceOffer.id).limit(1)).first()
    return (found[0], found[1]) if found is not None else None


def runs(session: Session, connection: SourceConnection, *, limit: int = 20) -> list[Run]:
    """Runs of models over the rows of a source, newest first."""
    query = select(Run).where(Run.kind == RunKindName.MODEL.value).order_by(Run.id.desc()).limit(limit)
    return list(session.scalars(query.where(Run.dataset_version_id.in_(_versions(connection)))))


def is_of_source(session: Session, run: Run, connection: SourceConnection) -> bool:
    """Whether the run asked about rows of the source."""
    query = _versions(connection).where(DatasetVersion.id == run.dataset_version_id)
    return session.scalar(query.limit(1)) is not None


def to_offer(
    session: Session, connections: Sequence[SourceConnection], *, since: datetime
) -> list[tuple[SourceConnection, Run]]:
    """Runs that ended since then, and whose answers nobody has offered to their source yet."""
    found: list[tuple[SourceConnection, Run]] = []
    for connection in connections:
        offered = exists().where(SourceOffer.run_id == Run.id, SourceOffer.connection_id == connection.id)
        query = (
            select(Run)
            .join(Job, Job.id == Run.job_id)
            .where(
                Run.kind == RunKindName.MODEL.value,
                Run.dataset_version_id.in_(_versions(connection)),
                Job.state == JobState.SUCCEEDED.value,
                Job.finished_at >= since,
                ~offered,
            )
        )
        found += [(connection, run) for run in session.scalars(query.order_by(Run.id).limit(10))]
    return found


def answers_after(session: Session, run_id: str, position: int, *, limit: int) -> list[Answer]:
    """The next answers of a run, in the order of its rows."""
    query = select(Answer).where(Answer.run_id == run_id, Answer.position > position)
    return list(session.scalars(query.order_by(Answer.position).limit(limit)))


def _versions(connection: SourceConnection) -> Select[str]:
    return select(DatasetVersion.id).where(DatasetVersion.dataset_id == connection.dataset_id)
