"""The bodies and answers of the API over trainings."""

from datetime import datetime
from typing import Any

from pydantic import ConfigDict

from goldsmith.jobs.states import JobState
from goldsmith.train.backends.base import Backend
from goldsmith.train.recipe import SYNONYMS, TrainRequest
from goldsmith.web.answers import ApiAnswer, ApiBody, Name, Text

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
    num_epochs: Any = None
    """How often every row is learned from."""

    @property
    def request(self) -> TrainRequest:
        """As the step takes it."""
        options = {**(self.model_extra or {}), "num_epochs": self.num_epochs}
        return TrainRequest(self.base_model, self.backend, self.training_set, self.name, options)


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
    error_message: str | None
    created_by: str
    created_at: datetime
    updated_at: datetime


class TrainingAnswer(TrainingShown):
    """A training and how its job stands."""

    training_set: str | None
    """The training set's name."""
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
    tokens_per_second: float | None
    memory_mb: float | None
    at: datetime


class OneTrainingAnswer(TrainingAnswer):
    """A training with its curve; of a long one at most some 500 points."""

    series: list[PointAnswer]


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
