"""What the server of another application asks for, and what its pages then may do."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from goldsmith.connect.types import Scope
from goldsmith.people.types import Person

FEWEST_MINUTES: Final = 1
MOST_MINUTES: Final = 60
USUAL_MINUTES: Final = 10


class Permission(StrEnum):
    """What a token may do beside looking."""

    export = "export"
    """Make training sets of the philosopher's gold stars."""
    train = "train"
    """Start trainings, and pause, resume and cancel them."""
    deploy = "deploy"
    """Put fine-tuned models on an engine, and take them off it."""
    compare = "compare"
    """Start comparisons."""


@dataclass(frozen=True)
class Grant:
    """For whom a page of another application asks, until when, and what it may do."""

    key_id: str
    """The key with which the token was asked for; without it the token is nothing."""
    person: Person
    """Who does here what the page asks for; of the organisation of the key's person."""
    scope: Scope
    may: frozenset[Permission]
    expires_at: datetime

    @property
    def is_of_the_house(self) -> bool:
        """Whether it is for the organisation that keeps everything here: what came from no source is its own, too."""
        return self.scope.domain == self.person.domain


@dataclass(frozen=True)
class StarsFound:
    """The stars of which a training set would be made."""

    source: str
    """Where they live, as people call it."""
    count: int
    num_left_out: int = 0
    reason: str = ""
    """Of none: the nearest reason."""
    asks_system_text: bool = False
    """Whether some do not say with which system message they were asked, and nobody has said it yet."""
