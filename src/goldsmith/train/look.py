"""A look before the start: what a model would learn from a training set, row by row, and what each limit leaves out.

Rows are rendered once for a pair of training set and base model, as for the training itself, and only their sizes are
kept beside the set; what another limit leaves out follows by arithmetic. Neither a job nor torch is needed.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from goldsmith.errors import Invalid
from goldsmith.models import queries as models
from goldsmith.models import rendering
from goldsmith.models.chats import Message
from goldsmith.models.errors import NotAPair
from goldsmith.models.rendered_file import NO_BAD_ANSWER, Lesson, render_pair
from goldsmith.models.rendering import Renderer
from goldsmith.models.tables import BaseModel
from goldsmith.models.types import Learns
from goldsmith.stars.tables import TrainingSet, TrainingSetRow
from goldsmith.stars.types import BAD, Side
from goldsmith.storage.files import Home, whole_file
from goldsmith.train.errors import ModelNeverStops

DEFAULT_LIMIT: Final = 1024
LARGEST_LIMIT: Final = 131_072
SIZES_VERSION: Final = 2
"""Of what is kept about a row's size."""
ROUNDED_TO: Final = 64
"""A proposed limit is a multiple of this."""


@dataclass(frozen=True)
class RowSize:
    """How long a row is for one base model, or why it cannot be learned from whatever the limit."""

    side: str
    position: int
    row_id: str
    num_tokens: int = 0
    num_learned_tokens: int = 0
    problem: str = ""
    num_tokens_pair: int = 0
    """Of the longer of its good and its bad answer, each with the prompt; 0 where it is no pair."""
    pair_problem: str = ""
    """Why it is no pair, where there is a bad answer."""
    is_bad: bool = False
    """Whether the answer is one that the model should not give."""
    num_tokens_bad: int = 0
    """Of the bad answer beside the good one, with the prompt; 0 where it cannot be learned from by itself."""
    num_learned_bad: int = 0
    bad_problem: str = ""
    """Why that is so, where there is a bad answer."""

    @property
    def is_learned_from(self) -> bool:
        """Whether it is of the rows to learn, and not of the exam."""
        return self.side != Side.exam.value

    @property
    def as_marks(self) -> "tuple[RowSize, ...]":
        """The same row for a training that learns from single marks: each of its answers by itself."""
        good = replace(self, num_tokens_pair=0, pair_problem="")
        if not self.is_learned_from or not (self.num_tokens_bad or self.bad_problem):
            return (good,)
        bad = replace(good, is_bad=True, problem=self.bad_problem)
        return good, replace(bad, num_tokens=self.num_tokens_bad, num_learned_tokens=self.num_learned_bad)

    @property
    def as_pair(self) -> "RowSize":
        """The same row for a training that learns from pairs. An exam row need not be one."""
        if self.problem or self.side != Side.learn.value:
            return self
        return replace(self, num_tokens=self.num_tokens_pair, problem=self._why_no_pair)

    @property
    def _why_no_pair(self) -> str:
        return "" if self.num_tokens_pair else self.pair_problem or NO_BAD_ANSWER

    def left_out_because(self, max_tokens: int) -> str:
        """Why a training with this limit leaves the row out; empty if it does not."""
        if self.problem or self.num_tokens <= max_tokens:
            return self.problem
        return f"The row has {self.num_tokens:,} tokens, the limit is {max_tokens:,}."


@dataclass(frozen=True)
class Look:
    """What a training with this limit would learn from a training set. Lengths are in tokens of the base model."""

    sizes: tuple[RowSize, ...]
    max_tokens: int
    context_length: int | None
    stops_by_itself: bool
    """Whether an engine ends an answer at the end marker that is learned."""
    learns: Learns = Learns.answers
    """What is learned from a row; of single marks each good and each bad answer stands for a row."""

    @property
    def learned(self) -> list[RowSize]:
        """The rows that are learned from."""
        return [size for size in self.to_learn if not size.left_out_because(self.max_tokens)]

    @property
    def left_out(self) -> list[RowSize]:
        """The rows to learn that are not, in their order."""
        return [size for size in self.to_learn if size.left_out_because(self.max_tokens)]

    @property
    def left_out_exam(self) -> list[RowSize]:
        """Exam rows on which no loss is measured; a comparison asks them all the same."""
        return [size for size in self.exam if size.left_out_because(self.max_tokens)]

    @property
    def to_learn(self) -> list[RowSize]:
        """The rows that would be learned from if all could be."""
        return [size for size in self.sizes if size.is_learned_from]

    @property
    def exam(self) -> list[RowSize]:
        """The rows that are held back."""
        return [size for size in self.sizes if not size.is_learned_from]

    @property
    def one_sided(self) -> str:
        """Why single marks cannot be learned from: all of them are of one kind. Empty where nothing is wrong."""
        if self.learns is not Learns.marks:
            return ""
        return why_one_sided(sum(not size.is_bad for size in self.learned), sum(size.is_bad for size in self.learned))

    @property
    def num_learned_tokens(self) -> int:
        """How many tokens the model practises writing in one round through the rows."""
        return sum(size.num_learned_tokens for size in self.learned)

    @property
    def limit_for_all(self) -> int | None:
        """The smallest round limit that leaves no row out for its length; None if the model cannot take it."""
        longest = max((size.num_tokens for size in self.sizes if not size.problem), default=0)
        rounded = -(-longest // ROUNDED_TO) * ROUNDED_TO
        if self.context_length is None or rounded <= self.context_length:
            return rounded
        return self.context_length if longest <= self.context_length else None

    @property
    def sentence(self) -> str:
        """What is learned and what is lost, with what to do about it."""
        learn, out, rows = self.to_learn, self.left_out, self._word
        if not learn:
            return "There is no row to learn."
        if not self.learned:
            first = out[0].left_out_because(self.max_tokens)
            return f"Not one of {len(learn):,} {rows} can be learned. The first: {first}"
        if self.one_sided:
            return self.one_sided
        if not out:
            all_rows = f"All {len(learn):,} {rows} are" if len(learn) > 1 else "The one row is"
            return f"{all_rows} learned whole, end marker included{self._of_each_kind}."
        verb = "is" if len(out) == 1 else "are"
        why = "; ".join(self._why(out))
        return f"{len(out):,} of {len(learn):,} {rows} {verb} left out: {why}{self._of_each_kind}."

    @property
    def _word(self) -> str:
        return "answers" if self.learns is Learns.marks else "rows"

    @property
    def _of_each_kind(self) -> str:
        if self.learns is not Learns.marks:
            return ""
        num_bad = sum(size.is_bad for size in self.learned)
        return f"; it learns from {len(self.learned) - num_bad:,} good and {num_bad:,} bad ones"

    def _why(self, out: Sequence[RowSize]) -> list[str]:
        """How many of the rows are left out for which kind of reason."""
        alone = sum(size.problem == NO_BAD_ANSWER for size in out)
        unusable = sum(bool(size.problem) for size in out) - alone
        too_long, cure = len(out) - alone - unusable, self.limit_for_all
        what_then = f"({cure:,} would lose none)" if cure else "(longer than the model can read)"
        kinds = (
            (alone, f"{_have(alone)} no bad answer beside the good one"),
            (unusable, f"{unusable:,} cannot be learned by this model"),
            (too_long, f"{_have(too_long)} more than {self.max_tokens:,} tokens {what_then}"),
        )
        return [words for number, words in kinds if number]


@dataclass(frozen=True)
class SeenRow:
    """A row as the model sees it: what it only reads, what it practises writing, and where it learns to stop."""

    size: RowSize
    read: str
    learned: str
    end: str
    why_left_out: str
    rejected: str = ""
    """The bad answer beside it; learned from only where pairs are."""

    @property
    def is_bad(self) -> bool:
        """Whether it learns to find the answer unlikelier, and not to write it."""
        return self.size.is_bad


def why_one_sided(num_good: int, num_bad: int) -> str:
    """Why so many good and bad answers cannot be learned from as single marks; empty if they can."""
    if num_good and num_bad:
        return ""
    if num_good:
        return f"There are {num_good:,} good answers to learn from, and not one bad one to tell them apart from."
    return (
        f"There are {num_bad:,} bad answers to learn from, and not one good one: nothing says what to answer instead."
    )


def _have(number: int) -> str:
    return f"{number:,} {'has' if number == 1 else 'have'}"


def row_limit(renderer: Renderer, max_length: int | None) -> int:
    """The longest row that is learned, in tokens: as it is asked for, and never more than the model can read."""
    return min(max_length or renderer.context_length or DEFAULT_LIMIT, renderer.context_length or LARGEST_LIMIT)


def check_end_marker(renderer: Renderer) -> None:
    """Raises ModelNeverStops for a model at whose end marker no engine stops."""
    if not renderer.is_stopped_by_end_marker:
        raise ModelNeverStops(
            f"Answers of this model would never end: its template ends them with {renderer.end_marker}, and its files "
            "name another token at which an engine stops."
        )


def look(
    session: Session,
    home: Home,
    training_set: TrainingSet,
    base: BaseModel,
    *,
    max_length: int | None,
    learns: Learns = Learns.answers,
) -> Look:
    """What a training would learn. Raises TemplateNotUsable or ModelRefused for a model that nothing can be taught."""
    renderer = Renderer.open(models.folder_of(home, base))
    limit = row_limit(renderer, max_length)
    sizes = _sizes(session, home, training_set, base, renderer)
    return Look(_learned_as(learns, sizes), limit, renderer.context_length, renderer.is_stopped_by_end_marker, learns)


def _learned_as(learns: Learns, sizes: Sequence[RowSize]) -> tuple[RowSize, ...]:
    if learns is Learns.marks:
        return tuple(answer for size in sizes for answer in size.as_marks)
    starred = (size for size in sizes if size.side != BAD)
    return tuple(size.as_pair if learns is Learns.pairs else size for size in starred)


def seen_rows(
    session: Session, home: Home, training_set: TrainingSet, base: BaseModel, sizes: Sequence[RowSize], *, limit: int
) -> list[SeenRow]:
    """These rows with their texts, in this order. `limit` is the longest row that is learned, in tokens."""
    renderer = Renderer.open(models.folder_of(home, base))
    wanted = [(size.side, size.position) for size in sizes]
    query = select(TrainingSetRow).where(
        TrainingSetRow.training_set_id == training_set.id,
        TrainingSetRow.position.in_({position for _, position in wanted}),
    )
    rows = {(row.side, row.position): row for row in session.scalars(query)}
    return [_seen(renderer, size, rows[size.side, size.position], limit) for size in sizes]


def _seen(renderer: Renderer, size: RowSize, row: TrainingSetRow, limit: int) -> SeenRow:
    because, rejected, messages = size.left_out_because(limit), row.rejected or "", row.messages
    if size.is_bad and row.rejected is not None:
        messages, rejected = [*messages[:-1], {"role": "assistant", "content": row.rejected}], ""
    try:
        example = renderer.render_example(messages)
    except Invalid:
        asked = "\n\n".join(str(message["content"]) for message in messages[:-1])
        return SeenRow(size, asked, messages[-1]["content"], "", because, rejected)
    learned = example.text_answer.removesuffix(renderer.end_marker)
    return SeenRow(size, example.text_prompt, learned, renderer.end_marker, because, rejected)


def _sizes(
    session: Session, home: Home, training_set: TrainingSet, base: BaseModel, renderer: Renderer
) -> tuple[RowSize, ...]:
    """Kept in a file of their own, because neither the set nor the model ever changes."""
    name = f"{base.content_hash[:16]}-{rendering.RENDERING_VERSION}-{SIZES_VERSION}.json"
    path = home.root / training_set.folder / "sizes" / name
    if path.is_file():
        return tuple(RowSize(**fields) for fields in json.loads(path.read_text(encoding="utf-8")))
    sizes = tuple(_size(renderer, row) for row in _rows(session, training_set.id))
    _keep(sizes, path)
    return sizes


def _keep(sizes: Sequence[RowSize], path: Path) -> None:
    with whole_file(path) as file:
        file.write(json.dumps([asdict(size) for size in sizes], separators=(",", ":")).encode())


def _rows(session: Session, training_set_id: str) -> Iterator[TrainingSetRow]:
    query = select(TrainingSetRow).where(TrainingSetRow.training_set_id == training_set_id)
    order = (TrainingSetRow.side.desc(), TrainingSetRow.position)  # those to learn first
    yield from session.scalars(query.order_by(*order).execution_options(yield_per=500))


def _size(renderer: Renderer, row: TrainingSetRow) -> RowSize:
    size = RowSize(row.side, row.position, row.row_id, is_bad=row.side == BAD)
    if row.rejected is not None:
        size = _with_bad(size, renderer, row.messages, row.rejected)
    try:
        example = renderer.render_example(row.messages)
    except Invalid as error:
        return replace(size, problem=error.message)
    size = replace(size, num_tokens=len(example.token_ids), num_learned_tokens=example.num_learned_tokens)
    if row.rejected is None:
        return size
    try:
        pair = render_pair(Lesson(row.row_id, row.messages, row.rejected), renderer)
    except NotAPair as error:
        return replace(size, pair_problem=error.message)
    return replace(size, num_tokens_pair=pair.num_tokens)


def _with_bad(size: RowSize, renderer: Renderer, messages: Sequence[Message], rejected: str) -> RowSize:
    try:
        bad = renderer.render_example([*messages[:-1], {"role": "assistant", "content": rejected}])
    except Invalid as error:
        return replace(size, bad_problem=error.message)
    return replace(size, num_tokens_bad=len(bad.token_ids), num_learned_bad=bad.num_learned_tokens)
