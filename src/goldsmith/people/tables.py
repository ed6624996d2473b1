"""Tables of people and keys."""

from datetime import datetime

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from goldsmith.storage import clock
from goldsmith.storage.database import Table, UtcTime


class PersonRow(Table):
    """Somebody who can star, train and deploy."""

    __tablename__ = "people"
    __table_args__ = (UniqueConstraint("domain", "name"),)

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    name: Mapped[str] = mapped_column(String(100))
    domain: Mapped[str] = mapped_column(String(255))
    created_at: Mapped[datetime] = mapped_column(UtcTime(), default=clock.now)


class Key(Table):
    """A secret with which a program acts for a person; only its SHA-256 is kept."""

    __tablename__ = "keys"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("people.id"))
    label: Mapped[str] = mapped_column(String(100))
    sha256: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime] = mapped_column(UtcTime(), default=clock.now)
    revoked_at: Mapped[datetime | None]
    requests_per_minute: Mapped[int | None]
    """How much it may ask of the models; null: as much as it likes."""
    tokens_per_minute: Mapped[int | None]
    parallel_requests: Mapped[int | None]
