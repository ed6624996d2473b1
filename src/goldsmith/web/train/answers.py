"""The bodies and answers of the API over trainings."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

from pydantic import ConfigDict, Field

from goldsmith.jobs.states import JobState
from goldsmith.train.alarms import AlarmKind
from goldsmith.train.backends.base import Backend
from goldsmith.train.dial import Dial
from goldsmith.train.look import SeenRow
from goldsmith.train.recipe import SYNONYMS, EnginesRest, TrainRequest
from goldsmith.web.answers import ApiAnswer, ApiBody, Name, Text
from goldsmith.web.train.looks import Looked

ALIASES = {name: [alias for alias, meant in SYNONYMS.items() if meant == name] for name in SYNONYMS.values()}


class TrainBody(ApiBody):
    """A recipe: what to train on what, and the backend's own options beside it (see `/v1/fine-tuning/backends`)."""

    model_config = ConfigDict(extra="allow")

    base_model: Name
    """A base model by id, name or hub id."""
    backend: Name = "trl"
    """`huggingface` means `trl`."""
    training_set: Name | None = None
    """By id or name; default: your organisation's newest."""
    name: Text | None = None
    """What the tuned model is called."""
    dial: Dial | None = None
    """How thoroughly: resolves to numbers that depend on rows and model; options that are given go before them."""
    gpu: Annotated[int, Field(ge=0, le=1023)] | None = None
    """The number of the GPU that it must have; without it whichever is free first."""
    engines_rest: EnginesRest = EnginesRest.auto
    """Whether engines of ours stop while it trains and start again after it: `auto` means those on its GPU."""
    num_epochs: Any = None
    """How often every row is learned from."""

    @property
    def request(self) -> TrainRequest:
        """As the step takes it."""
        options = {**(self.model_extra or {}), "num_epochs": self.num_epochs}
        given = (self.base_model, self.backend, self.training_set, self.name, options, self.dial)
        return TrainRequest(*given, gpu=self.gpu, engines_rest=self.engines_rest)


class SeenRowAnswer(ApiAnswer):
    """A row as the model sees it."""

    side: str
    position: int
    row_id: str
    num_tokens: int
    """In tokens of the base model; 0 for a row that it cannot learn from."""
    num_learned_tokens: int
    read: str
    """What it only reads: the prompt as its chat template writes it."""
    learned: str
    """What it practises writing."""
    end: str
    """The end marker, where it learns to stop; empty for a row that cannot be learned."""
    why_left_out: str
    """Empty for a row that is learned."""
    rejected: str
    """The bad answer beside it, where pairs are learned from."""
    is_bad: bool
    """Whether it is a bad answer by itself, which the model learns to find unlikelier (method `kto`)."""


class LookAnswer(ApiAnswer):
    """What would be learned with this limit."""

    training_set_id: str
    base_model_id: str
    max_length: int
    """The longest row that is learned, in tokens."""
    num_learned: int
    """Rows that are learned."""
    num_left_out: int
    num_exam_left_out: int
    num_learned_tokens: int
    """Tokens that the model practises writing in one epoch."""
    max_length_for_all: int | None
    """The smallest round limit that leaves no row out for its length; null if the model cannot read so much."""
    stops_by_itself: bool
    """Whether an engine ends an answer at the end marker that is learned. A training is refused if not."""
    sentence: str
    rows: list[SeenRowAnswer]

    @classmethod
    def of(cls, looked: Looked, rows: Sequence[SeenRow]) -> "LookAnswer":
        """A look as the API shows it."""
        look = looked.look
        return cls(
            training_set_id=looked.training_set.id,
            base_model_id=looked.base.id,
            max_length=look.max_tokens,
            num_learned=len(look.learned),
            num_left_out=len(look.left_out),
            num_exam_left_out=len(look.left_out_exam),
            num_learned_tokens=look.num_learned_tokens,
            max_length_for_all=look.limit_for_all,
            stops_by_itself=look.stops_by_itself,
            sentence=look.sentence,
            rows=[
                SeenRowAnswer(
                    side=row.size.side,
                    position=row.size.position,
                    row_id=row.size.row_id,
                    num_tokens=row.size.num_tokens,
                    num_learned_tokens=row.size.num_learned_tokens,
                    read=row.read,
                    learned=row.learned,
                    end=row.end,
                    why_left_out=row.why_left_out,
                    rejected=row.rejected,
                    is_bad=row.is_bad,
                )
                for row in rows
            ],
        )


class TrainingShown(ApiAnswer):
    """What a training's own row says. What was not measured is null."""

    id: str
    name: str
    philosopher: str
    base_model: str
    base_model_id: str
    backend: str
    config: dict[str, Any]
    """The recipe, resolved."""
    training_set_id: str | None
    """Null while the uploaded files that it starts from are read."""
    sample_count: int | None
    status: str
    progress: float
    """From 0 to 1."""
    current_epoch: float | None
    total_epochs: float | None
    current_step: int | None
    total_steps: int | None
    training_loss: float | None
    validation_loss: float | None
    learning_rate: float | None
    tokens_per_second: float | None
    memory_mb: float | None
    seconds_left: float | None
    started_at: datetime | None
    completed_at: datetime | None
    estimated_completion: datetime | None
    output_model_id: str | None
    group_id: str | None
    """The group that it was started in, beside others."""
    error_message: str | None
    created_by: str
    created_at: datetime
    updated_at: datetime


class DialAnswer(ApiAnswer):
    """How thoroughly, and what it resolved to for these rows and this model. What is really used stands in `config`."""

    dial: Dial
    numbers: dict[str, Any]


class TrainingAnswer(TrainingShown):
    """A training and how its job stands."""

    training_set: str | None
    """The training set's name."""
    dial: DialAnswer | None
    """Null where none was chosen."""
    state: JobState
    stop_requested: str | None
    attempt: int
    message: str
    failure: dict[str, Any] | None


class TrainingsAnswer(ApiAnswer):
    """Trainings, newest first; ask with `before` for more."""

    jobs: list[TrainingAnswer]
    before: str | None


class PointAnswer(ApiAnswer):
    """One point of the curve."""

    step: int
    epoch: float | None
    loss: float | None
    exam_loss: float | None
    learning_rate: float | None
    grad_norm: float | None
    preference_accuracy: float | None
    """Of pairs: the share of this step's that the model tells apart rightly, from 0 to 1."""
    tokens_per_second: float | None
    memory_mb: float | None
    at: datetime


class BestAnswer(ApiAnswer):
    """Where the exam loss was lowest."""

    step: int
    exam_loss: float


class AlarmAnswer(ApiAnswer):
    """Something that is wrong with the training, in words."""

    kind: AlarmKind
    step: int
    summary: str
    why: str
    hint: str
    offers_keep: bool
    """Whether `…/keep` is a way out."""


class SaidAnswer(ApiAnswer):
    """What the model of one step answered."""

    step: int
    """0: the model before it learned."""
    text: str
    is_cut: bool
    """Whether its time or its length ended it."""
    is_good: bool
    """Whether it is the good answer, word for word."""


class SampledRowAnswer(ApiAnswer):
    """An exam row, and what was answered to it while the model learned."""

    row_id: str
    position: int
    asked: list[dict[str, Any]]
    expected: str
    """The good answer."""
    said: list[SaidAnswer]


class OneTrainingAnswer(TrainingAnswer):
    """A training with its curve; of a long one at most some 500 points."""

    series: list[PointAnswer]
    best: BestAnswer | None
    """Null while the exam was not scored."""
    alarms: list[AlarmAnswer]
    samples: list[SampledRowAnswer]
    """A few exam rows, answered at the beginning and whenever the exam is scored."""


class OptionAnswer(ApiAnswer):
    """One thing that can be chosen."""

    name: str
    title: str
    help: str
    type: str
    default: Any
    choices: list[Any] | None
    minimum: float | None
    maximum: float | None
    above: float | None
    below: float | None


class ProblemAnswer(ApiAnswer):
    """Why a backend cannot work on this machine, and what to do."""

    summary: str
    hint: str


class BackendAnswer(ApiAnswer):
    """One way to train."""

    name: str
    aliases: list[str]
    environment: str | None
    """The environment that has to be installed for it."""
    at_provider: bool
    """Whether a provider trains: then `base_model` is a provider's engine, and the rows leave this machine."""
    problems: list[ProblemAnswer]
    options: list[OptionAnswer]


class BackendsAnswer(ApiAnswer):
    """Every way to train that there is."""

    backends: list[BackendAnswer]


def options_of(backend: Backend) -> list[OptionAnswer]:
    """A backend's options with their help, limits and defaults."""
    properties: dict[str, Any] = backend.options.model_json_schema()["properties"]
    return [
        OptionAnswer(
            name=name,
            title=field.get("title", name),
            help=field.get("description", ""),
            type=field.get("type", "string"),
            default=field.get("default"),
            choices=field.get("enum"),
            minimum=field.get("minimum"),
            maximum=field.get("maximum"),
            above=field.get("exclusiveMinimum"),
            below=field.get("exclusiveMaximum"),
        )
        for name, field in properties.items()
    ]
