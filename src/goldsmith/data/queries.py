"""Every SELECT on datasets. A version counts only when its import is complete."""

from collections.abc import Sequence

from sqlalchemy import exists, select
from sqlalchemy.orm import Session, aliased

from goldsmith.data.errors import DatasetNotFound, DatasetNotReady
from goldsmith.data.tables import Dataset, DatasetVersion, Row
from goldsmith.jobs.states import JobState
from goldsmith.jobs.tables import Job


def one(session: Session, dataset_id: str, *, domain: str) -> Dataset:
    """The dataset with this id, or with this name when only one has it. Raises DatasetNotFound."""
    visible = select(Dataset).where(Dataset.domain == domain, Dataset.deleted_at.is_(None))
    found = session.scalar(visible.where(Dataset.id == dataset_id))
    if found is None:
        named = list(session.scalars(visible.where(Dataset.name == dataset_id).limit(2)))
        found = named[0] if len(named) == 1 else None
    if found is None:
        raise DatasetNotFound(f"There is no dataset {dataset_id}.")
    return found


def page(session: Session, *, domain: str, before: str | None = None, limit: int = 50) -> list[Dataset]:
    """Datasets, newest first; `before` is the last id of the page before."""
    query = select(Dataset).where(Dataset.domain == domain, Dataset.deleted_at.is_(None)).order_by(Dataset.id.desc())
    if before:
        query = query.where(Dataset.id < before)
    return list(session.scalars(query.limit(limit)))


def deleted(session: Session, *, domain: str, limit: int = 20) -> list[Dataset]:
    """Datasets that were deleted and can be brought back, the last one first."""
    query = select(Dataset).where(Dataset.domain == domain, Dataset.deleted_at.is_not(None))
    return list(session.scalars(query.order_by(Dataset.deleted_at.desc(), Dataset.id.desc()).limit(limit)))


def version(session: Session, version_id: str, *, must_be_complete: bool = True) -> DatasetVersion:
    """The version. Raises DatasetNotFound, or DatasetNotReady while its import is at work."""
    found = session.get(DatasetVersion, version_id)
    if found is None:
        raise DatasetNotFound(f"There is no dataset version {version_id}.")
    if must_be_complete and not found.is_complete:
        raise DatasetNotReady(f"Version {found.number} of this dataset is not complete.")
    return found


def versions(session: Session, dataset_id: str) -> list[DatasetVersion]:
    """All versions of a dataset, newest first, those under way included."""
    query = select(DatasetVersion).where(DatasetVersion.dataset_id == dataset_id)
    return list(session.scalars(query.order_by(DatasetVersion.number.desc())))


def newest_version(session: Session, dataset_id: str) -> DatasetVersion:
    """The newest complete version. Raises DatasetNotReady when there is none."""
    for candidate in versions(session, dataset_id):
        if candidate.is_complete:
            return candidate
    raise DatasetNotReady("This dataset has no complete version yet.")


def read_before(session: Session, source_sha256: str, *, answer_column: str, domain: str) -> DatasetVersion | None:
    """A complete version of a shown dataset that was read from the same bytes, every row good; the newest one."""
    query = (
        select(DatasetVersion)
        .join(Dataset, Dataset.id == DatasetVersion.dataset_id)
        .where(DatasetVersion.domain == domain, DatasetVersion.source_sha256 == source_sha256)
        .where(DatasetVersion.is_complete, DatasetVersion.num_bad_rows == 0, Dataset.deleted_at.is_(None))
        .where(DatasetVersion.answer_column == answer_column)
        .order_by(DatasetVersion.id.desc())
    )
    return session.scalar(query.limit(1))


def abandoned_versions(session: Session, *, domain: str) -> list[str]:
    """Incomplete versions that hold rows although their import failed or was cancelled; their jobs are locked.

    An import that is killed cannot clean up after itself.
    """
    over = (JobState.FAILED.value, JobState.CANCELLED.value)
    query = (
        select(DatasetVersion.id)
        .join(Job, Job.subject_id == DatasetVersion.id)
        .where(DatasetVersion.domain == domain, DatasetVersion.is_complete.is_(False), Job.state.in_(over))
        .where(exists().where(Row.dataset_version_id == DatasetVersion.id))
    )
    return list(session.scalars(query.with_for_update(of=Job, skip_locked=True)))


def rows(session: Session, version_id: str, *, after: int = 0, limit: int = 500) -> list[Row]:
    """Rows in their order, behind the position `after`."""
    query = select(Row).where(Row.dataset_version_id == version_id, Row.position > after)
    return list(session.scalars(query.order_by(Row.position).limit(limit)))


def row(session: Session, row_id: str) -> Row:
    """One row. Raises DatasetNotFound."""
    found = session.get(Row, row_id)
    if found is None:
        raise DatasetNotFound(f"There is no row {row_id}.")
    return found


def newest_versions(session: Session, dataset_ids: Sequence[str]) -> dict[str, DatasetVersion]:
    """The newest version of each dataset, one that is under way included, with one query whatever their number."""
    later = aliased(DatasetVersion)
    is_newest = ~exists().where(later.dataset_id == DatasetVersion.dataset_id, later.number > DatasetVersion.number)
    query = select(DatasetVersion).where(DatasetVersion.dataset_id.in_(dataset_ids), is_newest)
    return {version.dataset_id: version for version in session.scalars(query)}
