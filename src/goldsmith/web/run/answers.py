"""The bodies and answers of the API over prompts, runs and answers."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import Field, model_validator

from goldsmith.jobs.states import JobState
from goldsmith.run.types import PromptDraft, RunOptions
from goldsmith.stars.queries import MarkedAnswer
from goldsmith.stars.types import AnswerFilter, AnswerQuery, AnswerSort
from goldsmith.web.answers import ApiAnswer, ApiBody, Name, Text
from goldsmith.web.marks import MarkAnswer

CURSOR = r"^(-?[0-9]{1,15}(\.[0-9]{1,20})?_)?[0-9]{1,15}$"


class WordingBody(ApiBody):
    """What a prompt says."""

    template: Text
    """The question, with `{{column}}` where a row's column belongs."""
    system_text: Text = ""
    """Instructions that come before the question; may name columns too."""
    answer_schema: dict[str, Any] | None = None
    """A JSON schema that every answer has to follow."""

    @property
    def draft(self) -> PromptDraft:
        """As the step takes it."""
        return PromptDraft(self.template, self.system_text, self.answer_schema)


class PromptBody(WordingBody):
    """A wording to save under a name."""

    name: Name


class DatasetChoice(ApiBody):
    """Which rows: a dataset (its newest version), or one of its versions."""

    dataset: Name | None = None
    dataset_version: Name | None = None

    @model_validator(mode="after")
    def _names_rows(self) -> "DatasetChoice":
        if (self.dataset is None) == (self.dataset_version is None):
            raise ValueError("name either dataset or dataset_version")
        return self


class PromptPreviewBody(WordingBody, DatasetChoice):
    """A wording, and rows to try it on."""

    limit: Annotated[int, Field(ge=1, le=50)] = 3


class RunBody(DatasetChoice):
    """One model, one prompt, one dataset."""

    model: Name
    """A base model, a fine-tuned model, or a provider's engine; by id or name."""
    prompt: Name | None = None
    """A prompt by id or name: its newest wording."""
    prompt_version: Name | None = None
    """One wording of a prompt."""
    name: Text | None = None
    max_rows: int | None = None
    """Only the first rows."""
    max_tokens: int = 512
    """Longest answer."""
    temperature: float = 0.0
    """0: always the likeliest word."""
    seed: int | None = 0
    concurrency: int = 16
    """How many rows are asked at once."""
    timeout_s: float = 120.0

    @model_validator(mode="after")
    def _names_a_prompt(self) -> "RunBody":
        if (self.prompt is None) == (self.prompt_version is None):
            raise ValueError("name either prompt or prompt_version")
        return self

    @property
    def options(self) -> RunOptions:
        """As the step takes them."""
        return RunOptions(
            max_rows=self.max_rows,
            max_tokens=self.max_tokens,
            temperature=self.temperature,
            seed=self.seed,
            concurrency=self.concurrency,
            timeout_s=self.timeout_s,
        )


class AnswersQuery(ApiBody):
    """Which answers, in which order."""

    filter: AnswerFilter = AnswerFilter.all
    search: Annotated[Text, Field(max_length=1000)] | None = None
    """Text in the answer or in its row."""
    sort: AnswerSort = AnswerSort.position
    after: Annotated[str, Field(pattern=CURSOR)] | None = None
    """The page before's `next_after`."""
    limit: Annotated[int, Field(ge=1, le=500)] = 50

    @property
    def query(self) -> AnswerQuery:
        """As the step takes it."""
        return AnswerQuery(self.filter, self.search, self.sort, self.after, self.limit)


class PromptVersionAnswer(ApiAnswer):
    """One wording; it never changes."""

    id: str
    number: int
    system_text: str
    template: str
    answer_schema: dict[str, Any] | None
    created_by: str
    created_at: datetime


class PromptAnswer(ApiAnswer):
    """A prompt with one of its wordings."""

    id: str
    name: str
    created_by: str
    created_at: datetime
    version: PromptVersionAnswer


class PromptsAnswer(ApiAnswer):
    """Prompts, newest first; ask with `before` for more."""

    prompts: list[PromptAnswer]
    before: str | None


class OnePromptAnswer(ApiAnswer):
    """A prompt with all of its wordings, newest first."""

    id: str
    name: str
    created_by: str
    created_at: datetime
    versions: list[PromptVersionAnswer]


class PromptPreviewAnswer(ApiAnswer):
    """What the model would be asked for one row, or why it cannot be."""

    row_id: str
    position: int
    messages: list[dict[str, str]]
    problem: str | None


class PromptPreviewsAnswer(ApiAnswer):
    """The columns that the wording names, and what the first rows would ask."""

    variables: list[str]
    previews: list[PromptPreviewAnswer]


class JobBrief(ApiAnswer):
    """How a job stands; all of it is at `/v1/jobs/{id}`."""

    id: str
    state: JobState
    stop_requested: str | None
    attempt: int
    progress: float
    message: str
    failure: dict[str, Any] | None
    started_at: datetime | None
    finished_at: datetime | None


class ProgressAnswer(ApiAnswer):
    """How many rows have which end."""

    num_rows: int
    num_answered: int
    num_failed: int
    num_cut_off: int
    num_invalid: int
    num_open: int


class RunShown(ApiAnswer):
    """What a run's own row says."""

    id: str
    name: str
    kind: str
    model_id: str | None
    dataset_version_id: str | None
    prompt_version_id: str
    options: dict[str, Any]
    num_rows: int
    created_by: str
    created_at: datetime


class CostAnswer(ApiAnswer):
    """What it cost, as far as prices were given; null where none was."""

    usd: float | None
    kwh: float | None
    machine_s: float
    """Seconds in which this machine was at it."""


class RunAnswer(RunShown):
    """A run, how far it is, and the job that makes its answers."""

    progress: ProgressAnswer
    job: JobBrief | None
    cost: CostAnswer
    """As of the last time that the job ended or was paused."""


class RunsAnswer(ApiAnswer):
    """Runs, newest first; ask with `before` for more."""

    runs: list[RunAnswer]
    before: str | None


class AnswerShown(ApiAnswer):
    """What a model wrote for a row, or why it did not."""

    id: str
    row_id: str
    position: int
    state: str
    text: str
    parsed: Any
    parse_error: str | None
    prompt_tokens: int | None
    answer_tokens: int | None
    duration_ms: float | None
    finish_reason: str | None
    error: str | None
    served_by: str | None
    num_tries: int
    at: datetime


class MarkedAnswerAnswer(AnswerShown):
    """An answer beside its row, with the newest mark, if somebody has marked it."""

    row: dict[str, Any]
    mark: MarkAnswer | None

    @classmethod
    def of(cls, item: MarkedAnswer) -> "MarkedAnswerAnswer":
        """From what the query found."""
        mark = MarkAnswer.model_validate(item.mark) if item.mark is not None else None
        return cls(**AnswerShown.model_validate(item.answer).model_dump(), row=item.content, mark=mark)


class AnswersAnswer(ApiAnswer):
    """Answers of a run; `next_after` is null on the last page."""

    answers: list[MarkedAnswerAnswer]
    next_after: str | None
