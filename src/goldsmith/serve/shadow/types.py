"""Values of shadows. They know no database and no network; the gateway holds the rules in memory."""

from collections.abc import Mapping
from dataclasses import dataclass

from goldsmith.serve.kept.types import ALL_HIDDEN, Exchange, Hidden

MAX_AT_ONCE = 32
MAX_WITHIN_S = 600


@dataclass(frozen=True)
class Shadow:
    """Which model answers a copy of an alias's requests, and how much it may take."""

    model_id: str
    share: float = 0.05
    max_at_once: int = 2
    """More copies than this are never under way at the same time; what comes beyond is not asked."""
    within_s: float = 60.0
    """An answer that takes longer is broken off."""
    days: int = 14
    hides: tuple[Hidden, ...] = ALL_HIDDEN


Shadows = Mapping[str, Shadow]
"""By alias."""


@dataclass(frozen=True)
class Pair:
    """What was sent for a request, and what the shadow said."""

    sent: Exchange
    shadow_model_id: str
    is_json_wanted: bool
    answer: bytes = b""
    """The shadow's, whole; empty: there is none."""
    duration_ms: float | None = None
    error: str = ""

    @property
    def num_bytes(self) -> int:
        """How much memory it holds, about."""
        return self.sent.num_bytes + len(self.answer) + len(self.error)


@dataclass(frozen=True)
class Side:
    """What was measured of one side's answers."""

    num_answered: int
    num_errors: int
    num_with_schema: int
    num_invalid_json: int
    median_ms: float | None
    mean_characters: float | None


@dataclass(frozen=True)
class Measures:
    """Both sides over the same requests."""

    num_pairs: int
    num_same: int
    """Pairs whose texts are the same, word for word."""
    num_different: int
    """Pairs that both answered, otherwise."""
    sent: Side
    shadow: Side
