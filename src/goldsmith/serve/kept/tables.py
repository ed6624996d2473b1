"""Tables of kept traffic: the rules, and what was kept."""

from datetime import datetime
from typing import Any

from sqlalchemy import Float, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from goldsmith.storage.database import Table


class KeepingRule(Table):
    """What is kept of the requests for an alias; the empty name is for all that have no rule of their own."""

    __tablename__ = "keeping_rules"

    domain: Mapped[str] = mapped_column(String(255), primary_key=True)
    alias: Mapped[str] = mapped_column(String(64), primary_key=True)
    share: Mapped[float] = mapped_column(Float)
    days: Mapped[int]
    hides: Mapped[list[Any]]
    num_dropped: Mapped[int] = mapped_column(default=0)
    """What was not kept since the rule was last changed, because too much came at once."""
    changed_by: Mapped[str] = mapped_column(String(64))
    changed_at: Mapped[datetime]


class KeptExchange(Table):
    """A request that passed the gateway, and its answer."""

    __tablename__ = "kept_exchanges"
    __table_args__ = (Index("ix_kept_exchanges_domain_rule_at", "domain", "rule", "at"),)

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    domain: Mapped[str] = mapped_column(String(255))
    asked_by: Mapped[str] = mapped_column(String(64))
    rule: Mapped[str] = mapped_column(String(64))
    alias: Mapped[str] = mapped_column(String(64))
    model_id: Mapped[str] = mapped_column(String(64))
    path: Mapped[str] = mapped_column(String(64))
    instructions: Mapped[str] = mapped_column(Text)
    """The system's messages."""
    earlier: Mapped[str] = mapped_column(Text)
    """What was said before the question."""
    question: Mapped[str] = mapped_column(Text)
    """The last thing that the caller said."""
    answer: Mapped[str] = mapped_column(Text)
    num_hidden: Mapped[int]
    """How many addresses and numbers were taken out of the texts."""
    answer_tokens: Mapped[int | None]
    duration_ms: Mapped[float] = mapped_column(Float)
    at: Mapped[datetime]
