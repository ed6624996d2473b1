"""A whole set of chats as a file of token ids and labels, in the form that a training child reads.

One JSON object a line: `row_id`, `input_ids`, `labels`, and of a pair `rejected_ids`, the bad answer to the same
prompt; of single marks each answer is a line, a bad one with `is_bad`. Rows that cannot be learned from are left out
and listed.
Knows no table; called by train, with the renderer of the base model.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final, NamedTuple

from goldsmith.errors import Invalid
from goldsmith.models.chats import Messages
from goldsmith.models.errors import NotAPair
from goldsmith.models.rendering import RenderedExample, Renderer
from goldsmith.models.types import Learns
from goldsmith.storage.files import whole_file

NO_BAD_ANSWER: Final = "There is no bad answer to this row that the good one could be told apart from."


class Lesson(NamedTuple):
    """One row to render: a chat that ends with the good answer, and of a pair the bad one."""

    row_id: str
    messages: Messages
    rejected: str | None = None
    is_bad: bool = False
    """Whether the chat ends with an answer that the model should not give."""


@dataclass(frozen=True, slots=True)
class RowProblem:
    """Why a row is not in the file."""

    row_id: str
    kind: str
    """The slug of the error, such as `control-word-in-text` or `not-a-pair`; `too-long` for a row above the limit."""
    reason: str


@dataclass(frozen=True, slots=True)
class RenderedFile:
    """What was written, with everything that an order says about a data file."""

    path: Path
    sha256: str
    num_rows: int
    num_tokens: int
    num_learned_tokens: int
    longest_tokens: int
    problems: tuple[RowProblem, ...]
    num_bad: int = 0
    """Lines whose answer the model should not give."""


@dataclass(frozen=True, slots=True)
class RenderedRow:
    """A row as ids. `rejected_ids` are the bad answer's alone, with its end marker; empty where there is none."""

    example: RenderedExample
    rejected_ids: list[int]
    is_bad: bool = False

    @property
    def num_tokens(self) -> int:
        """Of the longer of both chats."""
        num_whole = len(self.example.token_ids)
        return max(num_whole, num_whole - self.example.num_learned_tokens + len(self.rejected_ids))


@dataclass(slots=True)
class _Counts:
    num_rows: int = 0
    num_tokens: int = 0
    num_learned_tokens: int = 0
    longest_tokens: int = 0
    num_bad: int = 0

    def add(self, row: RenderedRow) -> None:
        self.num_rows += 1
        self.num_tokens += len(row.example.token_ids)
        self.num_learned_tokens += row.example.num_learned_tokens
        self.longest_tokens = max(self.longest_tokens, row.num_tokens)
        self.num_bad += row.is_bad


def render_set(
    lessons: Iterable[Lesson], renderer: Renderer, *, max_tokens: int, path: Path, learns: Learns = Learns.answers
) -> RenderedFile:
    """Write the file, whole or not at all. A row above `max_tokens` is left out: cut, it would teach not to stop.

    Of pairs a row without a bad answer is left out too, and each line has the bad answer's ids. Of single marks a row's
    good and bad answer are two lines, and one may be left out without the other.
    """
    counts = _Counts()
    problems: list[RowProblem] = []
    digest = sha256()
    with whole_file(path) as file:
        for lesson in by_marks(lessons) if learns is Learns.marks else lessons:
            row = _render_row(lesson, renderer, max_tokens=max_tokens, needs_pairs=learns is Learns.pairs)
            if isinstance(row, RowProblem):
                problems.append(row)
                continue
            line = _to_line(lesson.row_id, row)
            file.write(line)
            digest.update(line)
            counts.add(row)
    return RenderedFile(
        path=path,
        sha256=digest.hexdigest(),
        num_rows=counts.num_rows,
        num_tokens=counts.num_tokens,
        num_learned_tokens=counts.num_learned_tokens,
        longest_tokens=counts.longest_tokens,
        problems=tuple(problems),
        num_bad=counts.num_bad,
    )


def by_marks(lessons: Iterable[Lesson]) -> Iterator[Lesson]:
    """Each answer as a lesson of its own, the good one of a row first."""
    for lesson in lessons:
        yield lesson._replace(rejected=None)
        if lesson.rejected is not None:
            answer = {"role": "assistant", "content": lesson.rejected}
            yield Lesson(lesson.row_id, [*lesson.messages[:-1], answer], is_bad=True)


def render_pair(lesson: Lesson, renderer: Renderer) -> RenderedRow:
    """Both answers to one prompt. Raises NotAPair where the bad one is missing or cannot be written."""
    example = renderer.render_example(lesson.messages)
    if lesson.rejected is None:
        raise NotAPair(NO_BAD_ANSWER)
    try:
        other = renderer.render_example([*lesson.messages[:-1], {"role": "assistant", "content": lesson.rejected}])
    except Invalid as error:
        raise NotAPair(f"The bad answer cannot be used: {error.message}") from error
    return RenderedRow(example, other.token_ids[len(other.token_ids) - other.num_learned_tokens :])


def _render_row(lesson: Lesson, renderer: Renderer, *, max_tokens: int, needs_pairs: bool) -> RenderedRow | RowProblem:
    try:
        if needs_pairs:
            row = render_pair(lesson, renderer)
        else:
            row = RenderedRow(renderer.render_example(lesson.messages), [], lesson.is_bad)
    except Invalid as error:
        return RowProblem(lesson.row_id, error.slug(), error.message)
    if row.num_tokens > max_tokens:
        reason = f"The row has {row.num_tokens:,} tokens, the limit is {max_tokens:,}."
        return RowProblem(lesson.row_id, "too-long", reason)
    return row


def _to_line(row_id: str, row: RenderedRow) -> bytes:
    known = {"row_id": row_id, "input_ids": row.example.token_ids, "labels": row.example.labels}
    pair = {"rejected_ids": row.rejected_ids} if row.rejected_ids else {}
    bad = {"is_bad": True} if row.is_bad else {}
    return json.dumps({**known, **pair, **bad}, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
