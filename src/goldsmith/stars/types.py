"""The words and frozen values of stars and training sets. They know no database and no file."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, TypedDict


class Side(StrEnum):
    """What a row is for, decided once."""

    learn = "learn"
    """The model may be trained on it."""
    exam = "exam"
    """Held back: never trained on, used for comparison."""


BAD: Final = "bad"
"""Where a row of a training set stands that no star is on: an answer that the model should not give. Nobody is asked
it in an exam, and only a training learns from it that learns from single marks."""


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


class MarkKind(StrEnum):
    """What a person can say about an answer."""

    star = "star"
    """It is what the model should have said."""
    unstar = "unstar"
    """Neither starred nor bad any more; a correction stays written."""
    bad = "bad"
    """It is not what the model should have said."""
    correction = "correction"
    """This text is what the model should have said; it gets the star."""
    note = "note"
    """A remark for other people; an empty one takes the last away."""
    undo = "undo"
    """Takes the newest mark back that is still in force."""


@dataclass(frozen=True)
class MarkRequest:
    """What somebody says about an answer. `expected_mark_id`: the newest mark that they saw, 0 for none."""

    kind: MarkKind
    text: str | None = None
    expected_mark_id: int | None = None


@dataclass(frozen=True)
class MarkState:
    """How an answer stands."""

    is_star: bool = False
    is_bad: bool = False
    correction: str | None = None
    note: str | None = None


class AnswerFilter(StrEnum):
    """Which answers of a run are shown."""

    all = "all"
    unread = "unread"
    """Nobody has marked it yet, or all that was said was taken back."""
    starred = "starred"
    corrected = "corrected"
    bad = "bad"
    failed = "failed"
    cut_off = "cut_off"
    invalid = "invalid"
    """Not the JSON that was asked for."""


class AnswerSort(StrEnum):
    """In which order answers are shown."""

    position = "position"
    """As in the dataset."""
    slowest = "slowest"
    longest = "longest"
    """Most tokens first."""


@dataclass(frozen=True)
class AnswerQuery:
    """A page of answers; `after` is the page before's `next_after`."""

    filter: AnswerFilter = AnswerFilter.all
    search: str | None = None
    sort: AnswerSort = AnswerSort.position
    after: str | None = None
    limit: int = 50


@dataclass(frozen=True)
class AnswerCounts:
    """How many answers of a run each filter shows."""

    all: int = 0
    unread: int = 0
    starred: int = 0
    corrected: int = 0
    bad: int = 0
    failed: int = 0
    cut_off: int = 0
    invalid: int = 0


class BulkRule(StrEnum):
    """What is done to many answers at once. Answers that a person has marked already are never touched."""

    star_equal = "star_equal"
    """Star every answer that equals the column."""
    correct_others = "correct_others"
    """Give the others the column's text as their correction, which gets the star."""


@dataclass(frozen=True)
class BulkRequest:
    """One rule over the answers of a run that a filter shows."""

    run_id: str
    rule: BulkRule
    column: str
    filter: AnswerFilter = AnswerFilter.all
    search: str | None = None


@dataclass(frozen=True)
class BulkExample:
    """One answer that the rule touches."""

    answer_id: str
    position: int
    text: str
    expected: str


@dataclass(frozen=True)
class BulkPreview:
    """What a rule does, or has done: how many answers it touches, and why it leaves the others."""

    rule: BulkRule
    column: str
    num_touched: int
    num_marked_already: int
    num_without_expected: int
    """The column is empty there."""
    num_not_matching: int
    """Not equal, or for corrections: equal as it is."""
    examples: tuple[BulkExample, ...]


@dataclass(frozen=True)
class ExportRequest:
    """Which stars become a training set, and how it is written."""

    name: str | None = None
    format: SetFormat = SetFormat.chatml
    run_id: str | None = None
    """None: all runs of the organisation."""
    exam_run_id: str | None = None
    """A second run, whose rows are the exam; then the share plays no part."""
    exam_share: float = 0.2
    min_rating: int | None = None
    """From 1 to 5; a star counts as 5."""
    philosopher: str | None = None
    of_set: str | None = None
    """Only the stars that this training set was made of, as far as they are still in force."""
    without: tuple[str, ...] = ()
    """Checks; the rows that they find are left out."""


@dataclass(frozen=True)
class Example:
    """One star on its way into a training set."""

    row_key: str
    row_id: str
    position: int
    run_id: str
    answer_id: str
    mark_id: int
    starred_by: str
    is_corrected: bool
    prompt_version_id: str
    asked: tuple[Message, ...]
    expected: str
    finish_reason: str | None = None
    answer_schema: dict[str, Any] | None = None
    rejected: str | None = None
    """What the model should not have said to the same question, where somebody has marked such an answer."""
    rejected_answer_id: str | None = None


@dataclass(frozen=True)
class Finding:
    """Something about one example that a person should look at."""

    run_id: str
    row: int
    answer_id: str
    words: str

    def to_dict(self) -> dict[str, Any]:
        """As it is kept and shown."""
        return {"run_id": self.run_id, "row": self.row, "answer_id": self.answer_id, "words": self.words}
