"""Tables of datasets: inputs that never change once they are a version."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.engine.default import DefaultExecutionContext
from sqlalchemy.orm import Mapped, mapped_column

from goldsmith.storage import clock
from goldsmith.storage.database import Owned, Table
from goldsmith.storage.text import searchable


def _searchable_content(context: DefaultExecutionContext) -> str:
    given: dict[str, Any] = context.get_current_parameters()  # type: ignore[no-untyped-call]
    return searchable(given["content"].values())


class Dataset(Table, Owned):
    """A named collection of inputs."""

    __tablename__ = "datasets"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    name: Mapped[str]
    deleted_at: Mapped[datetime | None]


class DatasetVersion(Table, Owned):
    """The rows of one import, immutable. It counts once `is_complete`; before that an import is at work on it."""

    __tablename__ = "dataset_versions"
    __table_args__ = (UniqueConstraint("dataset_id", "number"),)

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    dataset_id: Mapped[str] = mapped_column(ForeignKey("datasets.id"), index=True)
    number: Mapped[int]
    is_complete: Mapped[bool] = mapped_column(default=False)
    columns: Mapped[list[Any]]
    """Column names in the order of the file."""
    answer_column: Mapped[str | None]
    """The column that holds good answers, if a person said so."""
    num_rows: Mapped[int] = mapped_column(default=0)
    num_bad_rows: Mapped[int] = mapped_column(default=0)
    bad_rows: Mapped[list[Any]]
    """The first 200 rows that were not taken: {row, column, reason}."""
    content_hash: Mapped[str | None] = mapped_column(String(64))
    source_name: Mapped[str]
    source_sha256: Mapped[str] = mapped_column(String(64))


class Row(Table):
    """One input: its columns as text, at its place in the version."""

    __tablename__ = "rows"
    __table_args__ = (UniqueConstraint("dataset_version_id", "position"),)

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    dataset_version_id: Mapped[str] = mapped_column(ForeignKey("dataset_versions.id"))
    position: Mapped[int]
    """Counted from 1, as people do."""
    content: Mapped[dict[str, Any]]
    content_hash: Mapped[str] = mapped_column(String(64), index=True)
    search_text: Mapped[str | None] = mapped_column(
        Text, default=_searchable_content, deferred=True, deferred_raiseload=True
    )
    """The columns' texts as they are searched; never read by itself."""


class StoredFile(Table, Owned):
    """A file that a client of OpenAI's API uploaded; its bytes lie among the uploads, under their hash."""

    __tablename__ = "stored_files"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    filename: Mapped[str]
    """Only text: it never names anything on the disk."""
    purpose: Mapped[str] = mapped_column(String(32))
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str] = mapped_column(String(64))
    expires_at: Mapped[datetime | None]
    """From then on it is not there any more."""


class PartialUpload(Table, Owned):
    """A file that comes in parts; once it is whole it is a stored file."""

    __tablename__ = "uploads"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    filename: Mapped[str]
    """Only text: it never names anything on the disk."""
    purpose: Mapped[str] = mapped_column(String(32))
    mime_type: Mapped[str]
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    """As announced; the parts together must have as many."""
    status: Mapped[str] = mapped_column(String(16))
    """`pending`, `completed` or `cancelled`; one that is pending for too long has expired."""
    file_id: Mapped[str | None] = mapped_column(String(64))
    expires_at: Mapped[datetime]


class UploadPart(Table):
    """A piece of a file that comes in parts; its bytes lie among the uploads, under their hash."""

    __tablename__ = "upload_parts"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    upload_id: Mapped[str] = mapped_column(ForeignKey("uploads.id"), index=True)
    sha256: Mapped[str] = mapped_column(String(64))
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
