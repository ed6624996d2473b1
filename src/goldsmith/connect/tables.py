"""Tables of sources: whose stars came in, and which row came from where."""

from datetime import datetime

from sqlalchemy import ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from goldsmith.data.tables import Dataset, Row
from goldsmith.storage.database import Owned, Table


class SourceScope(Table, Owned):
    """A person of an organisation in a source, whose stars come into one dataset."""

    __tablename__ = "source_scopes"
    __table_args__ = (UniqueConstraint("domain", "source", "source_domain", "philosopher"),)

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    source: Mapped[str] = mapped_column(String(32))
    philosopher: Mapped[str] = mapped_column(String(320))
    source_domain: Mapped[str]
    """The organisation as the source calls it; `domain` is the one that keeps it here."""
    system_text: Mapped[str | None] = mapped_column(Text)
    """What the answers were asked with, as somebody chose it once; null while nobody has."""
    dataset_id: Mapped[str] = mapped_column(ForeignKey(Dataset.id))
    fetched_at: Mapped[datetime | None]


class SourceRow(Table):
    """Where a row came from. One for each row of a version that was fetched."""

    __tablename__ = "source_rows"

    row_id: Mapped[str] = mapped_column(ForeignKey(Row.id), primary_key=True)
    scope_id: Mapped[str] = mapped_column(ForeignKey(SourceScope.id), index=True)
    external_id: Mapped[str] = mapped_column(index=True)
    """The conquest's id."""
    kind: Mapped[str | None] = mapped_column(String(64))
    subject_id: Mapped[str | None]
    rating: Mapped[int | None]
    starred_at: Mapped[datetime | None]
