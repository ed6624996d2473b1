"""Connections, syncs and conflicts as values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

SYNC_JOB = "sync"
MIN_EVERY_MINUTES, MAX_EVERY_MINUTES = 5, 60 * 24 * 31


class ConflictState(StrEnum):
    """What became of a row that changed in the source after somebody had marked it here."""

    OPEN = "open"
    KEPT = "kept"
    """What was said here holds."""
    TAKEN = "taken"
    """The source's new row holds; the mark on the old one was taken back."""


@dataclass(frozen=True)
class ConnectionDraft:
    """What a person says about a connection."""

    name: str
    kind: str
    options: Mapping[str, Any]
    """Secrets among them; those are taken out and sealed."""
    question_column: str | None = None
    answer_column: str | None = None
    """The column with good answers, which become gold stars at once."""
    every_minutes: int | None = None


@dataclass(frozen=True)
class ConnectionChange:
    """What shall be otherwise. An option that is a secret and not given stays as it is."""

    name: str
    options: Mapping[str, Any] = field(default_factory=dict)
    question_column: str | None = None
    answer_column: str | None = None
    every_minutes: int | None = None
