"""Tables of sources: whose stars came in, and which row came from where."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from goldsmith.data.tables import Dataset, Row
from goldsmith.stars.tables import Mark, TrainingSet
from goldsmith.storage import clock
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
    every_minutes: Mapped[int | None]
    """How often its stars come in by themselves; null: when somebody asks."""
    next_bring_at: Mapped[datetime | None] = mapped_column(index=True)


class SourceSet(Table):
    """Whose stars a training set holds, where they came from a source: what is made of it is theirs, too."""

    __tablename__ = "source_sets"

    training_set_id: Mapped[str] = mapped_column(ForeignKey(TrainingSet.id), primary_key=True)
    scope_id: Mapped[str] = mapped_column(ForeignKey(SourceScope.id), index=True)


class SourceWrite(Table):
    """A mark made here, and what became of it in the source. Recorded before it is done, so that a replay is known."""

    __tablename__ = "source_writes"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    scope_id: Mapped[str] = mapped_column(ForeignKey(SourceScope.id), index=True)
    external_id: Mapped[str] = mapped_column(index=True)
    mark_id: Mapped[int] = mapped_column(ForeignKey(Mark.id), unique=True)
    is_star: Mapped[bool]
    state: Mapped[str] = mapped_column(String(16))
    """A member of `WriteState`."""
    message: Mapped[str] = mapped_column(Text, default="")
    """In words, where it was not done."""
    before: Mapped[dict[str, Any] | None]
    """How it stood in the source; taking the mark back leads there."""
    after: Mapped[dict[str, Any] | None]
    created_at: Mapped[datetime] = mapped_column(default=clock.now)


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
