"""Every SELECT on what came from sources."""

from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from goldsmith.connect.tables import SourceRow, SourceScope, SourceWrite
from goldsmith.connect.types import Scope, WriteState
from goldsmith.data.tables import DatasetVersion
from goldsmith.run.tables import Answer
from goldsmith.stars import queries as star_queries
from goldsmith.stars.tables import Mark

VIA = "source"
"""How marks are made that follow a source's."""
BY_SOURCE = ("import", VIA)


def scope_row(
    session: Session, source: str, scope: Scope, *, domain: str, for_update: bool = False
) -> SourceScope | None:
    """What is kept about a scope of a source, if anything came from it yet."""
    query = select(SourceScope).where(
        SourceScope.domain == domain,
        SourceScope.source == source,
        SourceScope.source_domain == scope.domain,
        SourceScope.philosopher == scope.philosopher,
    )
    return session.scalar(query.with_for_update() if for_update else query)


def same_version(session: Session, dataset_id: str, sha256: str) -> DatasetVersion | None:
    """The version that was made of the very same content."""
    query = select(DatasetVersion).where(
        DatasetVersion.dataset_id == dataset_id,
        DatasetVersion.source_sha256 == sha256,
        DatasetVersion.is_complete,
    )
    return session.scalar(query.order_by(DatasetVersion.number).limit(1))


def answers_of(session: Session, scope_id: str) -> Sequence[tuple[str, Answer]]:
    """Every answer that came from a scope, with its id in the source."""
    query = select(SourceRow.external_id, Answer).join(Answer, Answer.row_id == SourceRow.row_id)
    found = session.execute(query.where(SourceRow.scope_id == scope_id))
    return [(external_id, answer) for external_id, answer in found]


def num_stars(session: Session, scope_id: str) -> int:
    """How many conquests of a scope have a star in force here, each counted once."""
    query = (
        select(func.count(SourceRow.external_id.distinct()))
        .join(Mark, Mark.row_id == SourceRow.row_id)
        .where(SourceRow.scope_id == scope_id, star_queries.is_starred())
    )
    return session.scalar(query) or 0


def unwritten(session: Session, scope_id: str) -> Sequence[tuple[str, Mark]]:
    """Marks made here by hand on what came from a scope, of which nothing was recorded yet; oldest first."""
    query = (
        select(SourceRow.external_id, Mark)
        .join(Mark, Mark.row_id == SourceRow.row_id)
        .outerjoin(SourceWrite, SourceWrite.mark_id == Mark.id)
        .where(SourceRow.scope_id == scope_id, Mark.via.not_in(BY_SOURCE), SourceWrite.id.is_(None))
    )
    return [(external_id, mark) for external_id, mark in session.execute(query.order_by(Mark.id))]


def planned(session: Session, scope_id: str) -> Sequence[SourceWrite]:
    """What was recorded and not done."""
    query = select(SourceWrite).where(SourceWrite.scope_id == scope_id, SourceWrite.state == WriteState.planned.value)
    return list(session.scalars(query.order_by(SourceWrite.mark_id)))


def earlier_writes(session: Session, scope_id: str, external_id: str) -> Sequence[SourceWrite]:
    """What was done to a conquest, and what met a change there; the newest first."""
    query = select(SourceWrite).where(
        SourceWrite.scope_id == scope_id,
        SourceWrite.external_id == external_id,
        SourceWrite.state.in_([WriteState.done.value, WriteState.conflict.value]),
    )
    return list(session.scalars(query.order_by(SourceWrite.mark_id.desc())))


def scopes(session: Session, *, source: str, domain: str | None = None) -> Sequence[SourceScope]:
    """All scopes of a source, of one organisation or of all."""
    query = select(SourceScope).where(SourceScope.source == source)
    return list(
        session.scalars(
            (query if domain is None else query.where(SourceScope.domain == domain)).order_by(SourceScope.id)
        )
    )


def write_counts(session: Session, scope_id: str) -> dict[str, int]:
    """How many marks have come to which end."""
    query = select(SourceWrite.state, func.count()).where(SourceWrite.scope_id == scope_id).group_by(SourceWrite.state)
    return {state: int(number) for state, number in session.execute(query)}


def conflicts(session: Session, scope_id: str, *, limit: int = 20) -> Sequence[SourceWrite]:
    """The newest marks that met a change made in the source."""
    query = select(SourceWrite).where(SourceWrite.scope_id == scope_id, SourceWrite.state == WriteState.conflict.value)
    return list(session.scalars(query.order_by(SourceWrite.mark_id.desc()).limit(limit)))


def external_ids(session: Session, row_ids: Sequence[str]) -> dict[str, str]:
    """Of rows that came from a source, their ids there. The rows are the caller's own already."""
    query = select(SourceRow.row_id, SourceRow.external_id).where(SourceRow.row_id.in_(row_ids))
    return {row[0]: row[1] for row in session.execute(query)}


def origin(session: Session, row_id: str, *, domain: str) -> tuple[SourceRow, SourceScope] | None:
    """Where a row came from; None for one that came from no source."""
    query = select(SourceRow, SourceScope).join(SourceScope, SourceScope.id == SourceRow.scope_id)
    found = session.execute(query.where(SourceRow.row_id == row_id, SourceScope.domain == domain)).first()
    return (found[0], found[1]) if found is not None else None
