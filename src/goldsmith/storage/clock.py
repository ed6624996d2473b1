"""The time, in one place: UTC, with its zone, everywhere."""

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]


def now() -> datetime:
    """The present moment in UTC."""
    return datetime.now(UTC)


def from_timestamp(seconds: float) -> datetime:
    """The moment that is so many seconds after 1970 began."""
    return datetime.fromtimestamp(seconds, UTC)
