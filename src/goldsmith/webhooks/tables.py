"""Tables of webhooks: where to tell, and every message with what became of it. Secrets are files, never here."""

from datetime import datetime
from typing import Any

from sqlalchemy import Float, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from goldsmith.storage import clock
from goldsmith.storage.database import Owned, Table, UtcTime


class Webhook(Table, Owned):
    """An address that is told what ends."""

    __tablename__ = "webhooks"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    url: Mapped[str] = mapped_column(String(1024))
    events: Mapped[list[Any]]
    is_on: Mapped[bool] = mapped_column(default=True)
    message: Mapped[str] = mapped_column(Text, default="")
    """Why it is off, if nobody has switched it off."""
    first_event_id: Mapped[int]
    """The newest event when it was made: it is told what came after."""
    seen_event_id: Mapped[int]
    """Up to here events are surely told."""
    seen_seq: Mapped[int]
    """Up to here the history of deployments is told."""


class WebhookMessage(Table):
    """Something that a webhook is told, or was."""

    __tablename__ = "webhook_messages"
    __table_args__ = (
        UniqueConstraint("webhook_id", "origin"),
        Index("ix_webhook_messages_state_next_try_at", "state", "next_try_at"),
    )

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    webhook_id: Mapped[str] = mapped_column(ForeignKey("webhooks.id"))
    origin: Mapped[str] = mapped_column(String(64))
    """What it is about, so that nothing is told twice: `event:71`, `history:5`."""
    kind: Mapped[str] = mapped_column(String(64))
    body: Mapped[str] = mapped_column(Text)
    """Exactly what is signed and sent."""
    state: Mapped[str] = mapped_column(String(16), default="waiting")
    num_tries: Mapped[int] = mapped_column(default=0)
    next_try_at: Mapped[datetime]
    last_status: Mapped[int | None]
    last_error: Mapped[str] = mapped_column(Text, default="")
    last_ms: Mapped[float | None] = mapped_column(Float)
    created_at: Mapped[datetime] = mapped_column(UtcTime(), default=clock.now)
    delivered_at: Mapped[datetime | None]
