"""What the pages of gold stars show, made from rows and values. Knows no request and no database."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from statistics import median
from typing import Any, ClassVar

from goldsmith.run.types import AnswerState
from goldsmith.stars.queries import MarkedAnswer
from goldsmith.stars.split import FEWEST_STARS
from goldsmith.stars.tables import TrainingSet, TrainingSetRow
from goldsmith.stars.types import AnswerCounts, BulkPreview
from goldsmith.web import format as formats
from goldsmith.web.forms import FormField
from goldsmith.web.listing import Chip, Head, Pager
from goldsmith.web.pages import Page
from goldsmith.web.stars.choices import AnswerField, difference, fields_of_answer
from goldsmith.web.stars_needed import FOR_STARRING

MAX_EXCERPT_CHARACTERS = 80
SHORTEST_LOOK_S = 0.3
"""Nobody has read what was marked sooner; a program did it."""
LONGEST_PAUSE_S = 120.0
"""A longer one between two marks was no reading."""
FEWEST_GAPS = 3


@dataclass(frozen=True)
class StarredRun:
    """A run whose answers can be read."""

    id: str
    name: str
    num_answers: int
    num_stars: int
    created_at: datetime


@dataclass(frozen=True)
class SetLine:
    """A training set in the list."""

    id: str
    name: str
    num_learn: int
    num_exam: int
    created_at: datetime


@dataclass(frozen=True)
class StarsPage(Page):
    """Which runs have answers to read, and what was made of the stars."""

    template: ClassVar[str] = "stars/stars.html"
    current: ClassVar[str] = "stars"
    needed: ClassVar[str] = FOR_STARRING
    fewest: ClassVar[int] = FEWEST_STARS
    runs: tuple[StarredRun, ...]
    heads: tuple[Head, ...]
    num_stars: int
    fields: tuple[FormField, ...]
    sets: tuple[SetLine, ...]


@dataclass(frozen=True)
class QueueLine:
    """A row beside the one that is read."""

    position: int
    href: str
    excerpt: str
    mark: str
    """The name of an icon: star, pen, x or nothing."""
    is_here: bool


@dataclass(frozen=True)
class Reading:
    """The answer that is read, and its row."""

    id: str
    position: int
    message: str
    columns: tuple[tuple[str, str], ...]
    instructions: str
    about: str
    text: str
    error: str
    fields: tuple[AnswerField, ...]
    correction: str | None
    diff: tuple[tuple[str, str], ...]
    note: str
    is_star: bool
    is_bad: bool
    is_failed: bool
    is_cut_off: bool
    marked_by: str
    mark_id: int


@dataclass(frozen=True)
class Conflict:
    """Somebody else was quicker: who, when, and both versions."""

    who: str
    at: datetime
    theirs: str
    mine: str
    posted: tuple[tuple[str, str], ...]
    """What was sent, to send it again over theirs."""


@dataclass(frozen=True)
class ReaderPage(Page):
    """A row beside its answer, and what is said about it."""

    template: ClassVar[str] = "stars/reader.html"
    current: ClassVar[str] = "stars"
    needed: ClassVar[str] = FOR_STARRING
    run_id: str
    counts: AnswerCounts
    filters: tuple[Chip, ...]
    search: str
    filter: str
    queue: tuple[QueueLine, ...]
    reading: Reading | None
    back: str | None
    next: str | None
    here: str
    conflict: Conflict | None
    pace: str
    """How many are left, and how long they take at the pace of the last ones."""


@dataclass(frozen=True)
class ManyPage(Page):
    """What marking many answers by a column would touch; nothing is marked yet."""

    template: ClassVar[str] = "stars/many.html"
    current: ClassVar[str] = "stars"
    run_id: str
    columns: tuple[Chip, ...]
    column: str
    rules: tuple[BulkPreview, ...]
    num_taken_back: int
    """How many answers would be taken back with the person's last rule; 0 where there is none."""


@dataclass(frozen=True)
class ExampleLine:
    """An example of a training set."""

    position: int
    asked: str
    expected: str
    rejected: str
    href: str
    origin: tuple[str, str] | None
    """The page that says from which source its row came, and the source's name."""


@dataclass(frozen=True)
class TrainingSetPage(Page):
    """An immutable export of gold stars: what will be learned, what is held back, what was left out."""

    template: ClassVar[str] = "stars/training_set.html"
    current: ClassVar[str] = "stars"
    id: str
    facts: tuple[tuple[str, str, str], ...]
    num_learn: int
    num_exam: int
    notes: tuple[str, ...]
    lint: tuple[Mapping[str, Any], ...]
    curable: tuple[str, ...]
    """The checks whose rows can be left out by a click."""
    made_from: tuple[str, str] | None
    """Name and id of the set that this one is without some rows of."""
    checks: tuple[tuple[str, str], ...]
    """Every check, and what it cannot see."""
    sides: tuple[Chip, ...]
    examples: tuple[ExampleLine, ...]
    pager: Pager
    key_facts: tuple[tuple[str, str], ...]


def reading_of(
    item: MarkedAnswer,
    *,
    asks: list[str],
    schema: Mapping[str, Any] | None,
    about: str,
    marked_by: str,
    instructions: str,
) -> Reading:
    """An answer with its row, as it is read."""
    answer, mark = item.answer, item.mark
    correction = mark.correction if mark is not None else None
    main = asks[0] if asks and asks[0] in item.content else next(iter(item.content), "")
    return Reading(
        id=answer.id,
        position=answer.position,
        message=str(item.content.get(main, "")),
        columns=tuple((name, str(value)) for name, value in item.content.items() if name != main),
        instructions=instructions,
        about=about,
        text=answer.text,
        error=answer.error or answer.parse_error or "",
        fields=fields_of_answer(schema, answer.text, correction),
        correction=correction,
        diff=difference(answer.text, correction) if correction is not None else (),
        note=(mark.note or "") if mark is not None else "",
        is_star=mark is not None and mark.is_star,
        is_bad=mark is not None and mark.is_bad,
        is_failed=answer.state == AnswerState.FAILED.value,
        is_cut_off=answer.finish_reason == "length",
        marked_by=marked_by,
        mark_id=mark.id if mark is not None else 0,
    )


def queue_line(item: MarkedAnswer, *, href: str, column: str, here: int) -> QueueLine:
    """A row of the queue."""
    mark = item.mark
    icon = ""
    if mark is not None and mark.is_star:
        icon = "pen" if mark.correction is not None else "star"
    elif mark is not None and mark.is_bad:
        icon = "x"
    text = " ".join(str(item.content.get(column, "")).split())[:MAX_EXCERPT_CHARACTERS]
    return QueueLine(item.answer.position, href, text, icon, item.answer.position == here)


def set_facts(training_set: TrainingSet) -> tuple[tuple[str, str, str], ...]:
    """The counts of a training set."""
    counts = training_set.manifest.get("counts", {})
    return (
        ("To learn", f"{training_set.num_learn:,}", "rows that the model is taught"),
        ("Exam", f"{training_set.num_exam:,}", "rows held back, never taught"),
        ("Corrected", f"{counts.get('num_corrected', 0):,}", f"{counts.get('num_as_written', 0):,} as written"),
        *_pairs(counts.get("num_pairs", 0)),
        *_bad(counts.get("num_bad", 0)),
        ("Left out", f"{training_set.num_dropped:,}", ""),
    )


def _pairs(num_pairs: int) -> tuple[tuple[str, str, str], ...]:
    return (("Pairs", f"{num_pairs:,}", "with a bad answer beside the good one"),) if num_pairs else ()


def _bad(num_bad: int) -> tuple[tuple[str, str, str], ...]:
    return (("Bad answers", f"{num_bad:,}", "without a pair, for the method kto"),) if num_bad else ()


def example_line(
    row: TrainingSetRow, run_of: Mapping[str, tuple[str, int]], origin: tuple[str, str] | None
) -> ExampleLine:
    """An example, with the answer that it came from."""
    asked = [turn["content"] for turn in row.messages if turn["role"] == "user"]
    run_id, position = run_of.get(row.answer_id, ("", 0))
    href = f"/stars/{run_id}?at={position}" if run_id else ""
    return ExampleLine(row.position, asked[-1] if asked else "", row.expected, row.rejected or "", href, origin)


def pace_of(num_left: int, moments: Sequence[datetime]) -> str:
    """63 left, about 9 min at your pace (8.7 s an answer). The pace is known after some answers in a row."""
    gaps = [(later - earlier).total_seconds() for later, earlier in pairwise(moments)]
    in_a_row = [gap for gap in gaps if SHORTEST_LOOK_S <= gap <= LONGEST_PAUSE_S]
    if not num_left:
        return "all read"
    left = f"{formats.number(num_left)} left"
    if len(in_a_row) < FEWEST_GAPS:
        return left
    each_s = median(in_a_row)
    return f"{left}, {formats.about(num_left * each_s)} at your pace ({formats.duration(each_s)} an answer)"
