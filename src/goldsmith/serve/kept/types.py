"""Values of kept traffic. They know no database and no network; the gateway holds them in memory."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

EVERYTHING = ""
"""The name of the rule for everything that has no rule of its own."""
MAX_DAYS = 365


class Hidden(StrEnum):
    """What can be taken out of texts before they are kept."""

    EMAIL = "email"
    PHONE = "phone"
    IBAN = "iban"
    CARD = "card"


ALL_HIDDEN = tuple(Hidden)


@dataclass(frozen=True)
class Keeping:
    """What is kept of the requests for one alias, or of all others."""

    share: float = 0.0
    """From 0 (nothing) to 1."""
    days: int = 14
    hides: tuple[Hidden, ...] = ALL_HIDDEN

    @property
    def is_on(self) -> bool:
        """Whether anything is kept."""
        return self.share > 0


NOTHING = Keeping()
Rules = Mapping[str, Keeping]
"""By alias; `EVERYTHING` is for those that have none."""


def rule_for(rules: Rules, alias: str) -> tuple[str, Keeping]:
    """The rule that holds for requests by this alias, and its name."""
    name = alias if alias in rules else EVERYTHING
    return name, rules.get(name, NOTHING)


@dataclass(frozen=True)
class Exchange:
    """A request and its answer as they passed the gateway."""

    domain: str
    asked_by: str
    """The person for whom it was asked; kept beside the texts and never in them."""
    rule: str
    alias: str
    model_id: str
    path: str
    request: bytes
    answer: bytes
    is_stream: bool
    duration_ms: float
    at_s: float
    """Seconds since 1970."""
    hides: tuple[Hidden, ...] = ALL_HIDDEN

    @property
    def num_bytes(self) -> int:
        """How much memory it holds, about."""
        return len(self.request) + len(self.answer) + 512


@dataclass(frozen=True)
class Handed:
    """What a gateway hands over at once."""

    exchanges: tuple[Exchange, ...] = ()
    num_dropped: Mapping[tuple[str, str], int] = field(default_factory=dict)
    """By organisation and rule: what was not kept, because too much came at once."""
