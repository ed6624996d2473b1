"""The bodies and answers of the API over marks and training sets."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

from pydantic import Field

from goldsmith.connect.types import MAX_LIMIT, Scope, Wish
from goldsmith.stars.tables import TrainingSet, TrainingSetRow
from goldsmith.stars.types import AnswerFilter, BulkRequest, BulkRule, ExportRequest, MarkKind, MarkRequest, SetFormat
from goldsmith.web.answers import MAX_NUMBER, ApiAnswer, ApiBody, Name, Text
from goldsmith.web.marks import MarkAnswer


class Verb(StrEnum):
    """What can be done with an answer."""

    STAR = "star"
    UNSTAR = "unstar"
    BAD = "bad"
    CORRECT = "correct"
    NOTE = "note"
    UNDO = "undo"

    @property
    def kind(self) -> MarkKind:
        """The mark that it makes."""
        return MarkKind.correction if self is Verb.CORRECT else MarkKind(self.value)


class MarkBody(ApiBody):
    """What goes with a mark."""

    text: Text | None = None
    """For `correct`: what the model should have said. For `note`: the remark; none takes the last away."""
    expected_mark_id: Annotated[int, Field(ge=0, le=MAX_NUMBER)] | None = None
    """The newest mark that you saw, 0 for none: with it, nobody's mark is overwritten unseen."""

    def request(self, verb: Verb) -> MarkRequest:
        """As the step takes it."""
        return MarkRequest(verb.kind, self.text, self.expected_mark_id)


class BulkBody(ApiBody):
    """A rule, and the answers of the run that it is for."""

    rule: BulkRule
    column: Text
    """The column that says what is right."""
    filter: AnswerFilter = AnswerFilter.all
    search: Annotated[Text, Field(max_length=1000)] | None = None

    def request(self, run_id: str) -> BulkRequest:
        """As the step takes it."""
        return BulkRequest(run_id, self.rule, self.column, self.filter, self.search)


class ExportBody(ApiBody):
    """Which stars become a training set, and how it is written."""

    philosopher: Text | None = None
    domain: Text | None = None
    """Your own organisation, or that of the philosopher in the source; others' stars are never exported."""
    source: Text | None = None
    """`goldsmith` or `aristotle`; default: Aristotle's where it is connected and both names are of it."""
    conquest_type: Name | None = None
    """Of Aristotle's: only conquests of this type."""
    limit: Annotated[int, Field(ge=1, le=MAX_LIMIT)] | None = None
    """Of Aristotle's: how many usable ones, the newest first."""
    system_message: Text | None = None
    """Of Aristotle's: what the conquests were run with, where that was not kept. It is remembered."""
    format: SetFormat = SetFormat.chatml
    min_rating: Annotated[int, Field(ge=1, le=5)] | None = None
    exam_share: Annotated[float, Field(ge=0, lt=1)] = 0.2
    """How much is held back, never trained on, and used for comparisons."""
    name: Name | None = None
    run: Name | None = None
    """Only the stars of this run."""

    @property
    def request(self) -> ExportRequest:
        """As the step takes it."""
        return ExportRequest(
            name=self.name,
            format=self.format,
            run_id=self.run,
            exam_share=self.exam_share,
            min_rating=self.min_rating,
            philosopher=self.philosopher,
        )

    def wish(self, scope: Scope) -> Wish:
        """As a source takes it."""
        return Wish(scope, self.conquest_type, self.limit, self.min_rating, system_text=self.system_message)


class MarksAnswer(ApiAnswer):
    """All marks of an answer, oldest first."""

    marks: list[MarkAnswer]


class BulkExampleAnswer(ApiAnswer):
    """One answer that the rule touches."""

    answer_id: str
    position: int
    text: str
    expected: str


class BulkAnswer(ApiAnswer):
    """What a rule touches, or has touched, and why it leaves the others."""

    rule: BulkRule
    column: str
    num_touched: int
    num_marked_already: int
    num_without_expected: int
    num_not_matching: int
    examples: list[BulkExampleAnswer]


class UndoneAnswer(ApiAnswer):
    """How many answers a rule had marked that it no longer marks."""

    num_undone: int


class CountsAnswer(ApiAnswer):
    """How many answers of a run each filter shows."""

    all: int
    unread: int
    starred: int
    corrected: int
    bad: int
    failed: int
    cut_off: int
    invalid: int


class TrainingSetAnswer(ApiAnswer):
    """An immutable export of gold stars."""

    id: str
    name: str
    format: SetFormat
    file: str
    """Where the rows to learn from can be fetched."""
    path: str
    """The same file, relative to the home folder."""
    count: int
    """Rows to learn from and exam rows together."""
    num_learn: int
    num_exam: int
    num_dropped: int
    content_hash: str
    prompt_version_id: str | None
    philosopher: str | None
    created_by: str
    created_at: datetime
    notes: list[str]
    """What has to be known about it, in sentences."""
    lint: list[Any]
    """What a look at the examples found, with their rows."""
    left_out: dict[str, int] = Field(default_factory=dict)
    """Of stars that came from a source: how many could not be used, by reason."""

    @classmethod
    def of(cls, training_set: TrainingSet) -> "TrainingSetAnswer":
        """From its row."""
        manifest = training_set.manifest
        own = {name: getattr(training_set, name) for name in _OWN}
        return cls(
            **own,
            file=f"/v1/training-sets/{training_set.id}/files/learn.jsonl",
            path=f"{training_set.folder}/learn.jsonl",
            count=training_set.num_learn + training_set.num_exam,
            notes=list(manifest.get("notes", [])),
            lint=list(manifest.get("lint", [])),
        )


_OWN = (
    *("id", "name", "format", "num_learn", "num_exam", "num_dropped", "content_hash", "prompt_version_id"),
    *("philosopher", "created_by", "created_at"),
)


class WithoutBody(ApiBody):
    """Which findings are left out: the names of checks, as `lint` has them."""

    checks: Annotated[list[Annotated[str, Field(max_length=64)]], Field(min_length=1, max_length=20)]
    name: Annotated[str | None, Field(max_length=255)] = None
    """What the new set is called; default: as the old one, “cleaned”."""


class OneTrainingSetAnswer(TrainingSetAnswer):
    """A training set with its manifest: files and hashes, who starred, how many rows of which kind."""

    files: list[str]
    manifest: dict[str, Any]


class TrainingSetsAnswer(ApiAnswer):
    """Training sets, newest first; ask with `before` for more."""

    training_sets: list[TrainingSetAnswer]
    before: str | None


class ExampleSource(ApiAnswer):
    """The row of a source that an example came from."""

    connection_id: str
    source_id: str
    place: str
    fetched_at: datetime


class ExampleAnswer(ApiAnswer):
    """One example, and where it came from."""

    position: int
    row_id: str
    answer_id: str
    mark_id: int
    stratum: str
    messages: list[Any]
    expected: str
    conquest_id: str | None = None
    """Where it came from Aristotle: which conquest it is."""
    source: ExampleSource | None = None
    """Where it came from another source: which one, and which row there."""

    @classmethod
    def of(cls, row: TrainingSetRow, conquest_id: str | None, source: ExampleSource | None) -> "ExampleAnswer":
        """From its row."""
        return cls.model_validate(row).model_copy(update={"conquest_id": conquest_id, "source": source})


class ExamplesAnswer(ApiAnswer):
    """Examples in their order; ask with `after` for more."""

    rows: list[ExampleAnswer]
    after: int
