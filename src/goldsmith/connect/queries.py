"""Every SELECT on what came from sources."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from goldsmith.connect.tables import SourceRow, SourceScope
from goldsmith.connect.types import Scope
from goldsmith.data.tables import DatasetVersion
from goldsmith.run.tables import Answer


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


def origin(session: Session, row_id: str, *, domain: str) -> tuple[SourceRow, SourceScope] | None:
    """Where a row came from; None for one that came from no source."""
    query = select(SourceRow, SourceScope).join(SourceScope, SourceScope.id == SourceRow.scope_id)
    found = session.execute(query.where(SourceRow.row_id == row_id, SourceScope.domain == domain)).first()
    return (found[0], found[1]) if found is not None else None
