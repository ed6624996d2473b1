"""Every SELECT on what a move has made already."""

from sqlalchemy import exists, or_, select
from sqlalchemy.orm import Session

from goldsmith.data.tables import Dataset, DatasetVersion
from goldsmith.jobs.states import JobState
from goldsmith.jobs.tables import Job

_OVER = tuple(state.value for state in JobState if state.is_over)


def version_of(session: Session, sha256: str, *, answer_column: str | None, domain: str) -> DatasetVersion | None:
    """The newest version of a shown dataset that was read from these bytes, or is being read from them."""
    is_read = exists().where(Job.subject_id == DatasetVersion.id, Job.kind == "import", Job.state.not_in(_OVER))
    query = (
        select(DatasetVersion)
        .join(Dataset, Dataset.id == DatasetVersion.dataset_id)
        .where(DatasetVersion.domain == domain, DatasetVersion.source_sha256 == sha256, Dataset.deleted_at.is_(None))
        .where(DatasetVersion.answer_column == answer_column, or_(DatasetVersion.is_complete, is_read))
        .order_by(DatasetVersion.id.desc())
    )
    return session.scalar(query.limit(1))
