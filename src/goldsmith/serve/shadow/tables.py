"""Tables of shadows: which model answers along, and the pairs."""

from datetime import datetime
from typing import Any

from sqlalchemy import Float, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from goldsmith.storage.database import Table


class ShadowRule(Table):
    """The model that answers a copy of an alias's requests."""

    __tablename__ = "shadow_rules"

    domain: Mapped[str] = mapped_column(String(255), primary_key=True)
    alias: Mapped[str] = mapped_column(String(64), primary_key=True)
    model_id: Mapped[str] = mapped_column(String(64))
    share: Mapped[float] = mapped_column(Float)
    """0: it was stopped."""
    max_at_once: Mapped[int]
    within_s: Mapped[float] = mapped_column(Float)
    days: Mapped[int]
    hides: Mapped[list[Any]]
    num_dropped: Mapped[int] = mapped_column(default=0)
    """Requests that were not copied since the rule was last changed, because too much was under way."""
    changed_by: Mapped[str] = mapped_column(String(64))
    changed_at: Mapped[datetime]


class ShadowPair(Table):
    """What was sent for a request, and what the shadow said."""

    __tablename__ = "shadow_pairs"
    __table_args__ = (
        Index("ix_shadow_pairs_domain_alias_at", "domain", "alias", "at"),
        Index("ix_shadow_pairs_domain_alias_id", "domain", "alias", "id"),
    )

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    domain: Mapped[str] = mapped_column(String(255))
    asked_by: Mapped[str] = mapped_column(String(64))
    alias: Mapped[str] = mapped_column(String(64))
    sent_model_id: Mapped[str] = mapped_column(String(64))
    shadow_model_id: Mapped[str] = mapped_column(String(64))
    instructions: Mapped[str] = mapped_column(Text)
    earlier: Mapped[str] = mapped_column(Text)
    question: Mapped[str] = mapped_column(Text)
    sent_answer: Mapped[str] = mapped_column(Text)
    shadow_answer: Mapped[str] = mapped_column(Text)
    """Empty: there is none; `shadow_error` says why."""
    shadow_error: Mapped[str] = mapped_column(Text)
    is_same: Mapped[bool]
    is_json_wanted: Mapped[bool]
    is_sent_json: Mapped[bool]
    is_shadow_json: Mapped[bool]
    sent_ms: Mapped[float] = mapped_column(Float)
    shadow_ms: Mapped[float | None] = mapped_column(Float)
    sent_characters: Mapped[int]
    shadow_characters: Mapped[int | None]
    at: Mapped[datetime]
