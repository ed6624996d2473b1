"""The words and frozen values of stars and training sets. They know no database and no file."""

from dataclasses import dataclass
from enum import StrEnum
from typing import TypedDict


class Side(StrEnum):
    """What a row is for, decided once."""

    learn = "learn"
    """The model may be trained on it."""
    exam = "exam"
    """Held back: never trained on, used for comparison."""


class SetFormat(StrEnum):
    """How a line of a training set is written."""

    chatml = "chatml"
    alpaca = "alpaca"
    openai = "openai"


class Message(TypedDict):
    """One turn of a chat; `role` is system, user or assistant."""

    role: str
    content: str


@dataclass(frozen=True)
class Candidate:
    """A starred row whose side may have to be decided. Equal rows have the same `row_key`."""

    row_key: str
    stratum: str


@dataclass(frozen=True)
class SideCounts:
    """How many rows of a stratum are on which side already."""

    learn: int = 0
    exam: int = 0

    @property
    def total(self) -> int:
        """Rows that have a side."""
        return self.learn + self.exam
