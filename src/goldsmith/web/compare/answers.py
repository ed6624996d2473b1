"""The bodies and answers of the API over comparisons."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import Field, field_validator, model_validator

from goldsmith.compare.service import MAX_TOKENS
from goldsmith.jobs.states import JobState
from goldsmith.web.answers import ApiAnswer, ApiBody, Name


class ComparisonBody(ApiBody):
    """What is put beside what. The base with examples in its prompt always takes part."""

    models: Annotated[list[Name], Field(min_length=1, max_length=8)]
    """A fine-tuned model, and its base model if you like to name it too."""
    exam: Name | None = None
    """A training set whose exam is asked; default: that of the fine-tuned model."""
    dataset: Name | None = None
    """A dataset whose column with good answers is known: its newest rows are asked instead of an exam, but for those
    that the model has learned from."""
    prompts: Any = None
    judge: Any = None
    votes: Any = None
    max_rows: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    max_tokens: Annotated[int, Field(ge=1, le=1_000_000)] = MAX_TOKENS
    """Longest answer, in every arm; what is longer is cut off, and counted as such."""
    name: Name | None = None

    @field_validator("prompts", "judge", "votes")
    @classmethod
    def _not_offered(cls, value: object) -> object:
        if value:
            raise ValueError("comparisons are made on an exam or a dataset for now; leave this out")
        return value

    @model_validator(mode="after")
    def _names_one_of_them(self) -> "ComparisonBody":
        if self.exam is not None and self.dataset is not None:
            raise ValueError("name either exam or dataset")
        return self


class ArmAnswer(ApiAnswer):
    """One side of a comparison: base, base with examples, tuned."""

    name: str
    model_id: str
    run_id: str
    figures: dict[str, Any] | None


class ComparisonShown(ApiAnswer):
    """What a comparison's own row says."""

    id: str
    name: str
    philosopher: str
    base_model_id: str
    fine_tuned_model_id: str
    training_set_id: str | None
    prompt_version_id: str
    test_count: int
    base_model_wins: int | None
    fine_tuned_wins: int | None
    ties: int | None
    win_rate: float | None
    """(wins + ties / 2) / all."""
    verdict: dict[str, Any] | None
    """The sentence, and the numbers behind it."""
    job_id: str | None
    created_by: str
    created_at: datetime
    completed_at: datetime | None


class ComparisonAnswer(ComparisonShown):
    """A comparison and how its job stands."""

    status: str
    state: JobState
    progress: float
    message: str
    failure: dict[str, Any] | None


class ComparisonsAnswer(ApiAnswer):
    """Comparisons, newest first; ask with `before` for more."""

    comparisons: list[ComparisonAnswer]
    before: str | None


class CellAnswer(ApiAnswer):
    """What one arm says to one row; null where there is no answer yet."""

    answer_id: str
    state: str
    text: str
    is_right: bool | None
    error: str | None
    finish_reason: str | None
    answer_tokens: int | None
    duration_ms: float | None


class ExamRowAnswer(ApiAnswer):
    """One exam row: what was asked, what was expected, and what every arm says."""

    row_id: str
    position: int
    asked: list[Any]
    expected: str
    answers: dict[str, CellAnswer | None]


class OneComparisonAnswer(ComparisonAnswer):
    """A comparison with its arms, and a page of rows side by side; ask with `after` for more."""

    arms: list[ArmAnswer]
    rows: list[ExamRowAnswer]
    after: int
