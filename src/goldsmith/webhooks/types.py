"""Words and values of webhooks."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class EventType(StrEnum):
    """What can be told."""

    JOB_SUCCEEDED = "job.succeeded"
    JOB_FAILED = "job.failed"
    JOB_CANCELLED = "job.cancelled"
    DEFAULT_CHANGED = "default.changed"
    TEST = "test"
    """Sent by hand, to see whether it arrives."""


CHOICES: Final = tuple(each for each in EventType if each is not EventType.TEST)
"""What one can ask for; a test goes to every webhook."""


class DeliveryState(StrEnum):
    """How far a message is."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    DEAD = "dead"
    """Tried for three days in vain; sent again only by hand."""


@dataclass(frozen=True)
class Outcome:
    """What came of one try: a status, or why there is none. Never what the other side wrote."""

    duration_ms: float
    status: int | None = None
    error: str = ""

    @property
    def is_ok(self) -> bool:
        """Whether the other side has taken it."""
        return self.status is not None and 200 <= self.status < 300

    @property
    def sentence(self) -> str:
        """For people."""
        took = f"{self.duration_ms:,.0f} ms"
        return f"It answered {self.status} after {took}." if self.status is not None else f"{self.error} ({took})"
