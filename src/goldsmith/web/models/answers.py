"""The bodies and answers of the API over models and environments."""

from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import model_validator

from goldsmith.environments.types import EnvironmentName, EnvironmentStatus
from goldsmith.jobs.states import JobState
from goldsmith.web.answers import ApiAnswer, ApiBody, Name


class BaseModelBody(ApiBody):
    """A model that comes with Goldsmith, one from a model hub, or one that lies on this machine."""

    builtin: Name | None = None
    hub_id: Name | None = None
    """`ORG/NAME`, as in the address of the model's page on the hub."""
    revision: Name | None = None
    """A commit, a branch or a tag of the hub's model; none: the newest. The commit is kept."""
    path: Path | None = None
    """A model's folder, or one GGUF file, under a folder from which models may be imported."""
    name: Name | None = None
    """What an imported model is called; a hub's model is called by its hub id without it."""

    @model_validator(mode="after")
    def _is_one_of_them(self) -> "BaseModelBody":
        if sum(one is not None for one in (self.builtin, self.hub_id, self.path)) != 1:
            raise ValueError("name one of builtin, hub_id and path")
        if self.path is not None and (self.name is None or "\x00" in str(self.path)):
            raise ValueError("an imported model needs a path and a name")
        if self.revision is not None and self.hub_id is None:
            raise ValueError("only a hub's model has revisions")
        return self

    @property
    def wanted(self) -> str:
        """By which name the model is found once it is there."""
        return self.builtin or self.name or self.hub_id or ""


class BaseModelAnswer(ApiAnswer):
    """What a training starts from."""

    id: str
    name: str
    source: str
    hub_id: str | None
    hub_commit: str | None
    content_hash: str
    size_bytes: int
    num_parameters: int
    context_length: int
    template_hash: str
    end_marker: str
    licence: str | None
    created_by: str
    created_at: datetime


class BuiltinAnswer(ApiAnswer):
    """A base model that comes with Goldsmith; `is_there` once it was fetched."""

    name: str
    hub_id: str
    licence: str
    download_bytes: int
    is_there: bool


class BaseModelsAnswer(ApiAnswer):
    """Base models, newest first, and those that can be had at once."""

    models: list[BaseModelAnswer]
    builtins: list[BuiltinAnswer]


class GettingAnswer(ApiAnswer):
    """A base model that is there, or the job that gets it."""

    model: BaseModelAnswer | None
    state: JobState
    job_id: str | None
    message: str


class MetricAnswer(ApiAnswer):
    """A figure, and when and by what it was measured; null where nobody has."""

    value: float | None
    measured: Any
    """`{"at": …, "by": …}`."""


class TunedShown(ApiAnswer):
    """What a fine-tuned model's own row says. What was not measured is null."""

    id: str
    name: str
    base_model: str
    base_model_id: str
    version: int
    philosopher: str
    status: str
    training_job_id: str | None
    training_set_id: str | None
    training_sample_count: int | None
    model_size_mb: float | None
    lora_rank: int | None
    final_loss: float | None
    exam_loss: float | None
    win_rate: float | None
    gold_star_rate: float | None
    avg_rating: float | None
    consistency_score: float | None
    tokens_per_second: float | None
    latency_ms: float | None
    vram_usage_gb: float | None
    deployed_at: datetime | None
    created_by: str
    created_at: datetime
    updated_at: datetime


class TunedModelsAnswer(ApiAnswer):
    """Fine-tuned models, newest first."""

    models: list[TunedShown]


class LineageAnswer(ApiAnswer):
    """Where a model comes from, and what was done with it."""

    base_model: str
    training_job: str | None
    training_set: str | None
    prompt_version: str | None
    deployments: list[str]
    comparisons: list[str]


class OneTunedAnswer(TunedShown):
    """A fine-tuned model with its figures and its lineage; everything is named by its address or its id."""

    training_config: dict[str, Any]
    content_hash: str
    template_hash: str
    notes: str
    metrics: dict[str, MetricAnswer]
    lineage: LineageAnswer


class AvailableAnswer(ApiAnswer):
    """A model that a caller may choose. `size_gb` is of base models, what follows it of fine-tuned ones."""

    id: str
    name: str
    type: str
    status: str
    size_gb: float | None = None
    base_model: str | None = None
    version: int | None = None
    win_rate: float | None = None
    deployed_at: datetime | None = None


class AvailableModelsAnswer(ApiAnswer):
    """Every model that a caller may choose, base models first."""

    models: list[AvailableAnswer]


class EnvironmentAnswer(ApiAnswer):
    """An environment of heavy programs, as it is on disk; how long its install takes where that was measured."""

    name: EnvironmentName
    status: EnvironmentStatus
    is_installed: bool
    size_bytes: int | None
    python_version: str | None
    job_id: str | None
    """The job that is installing it."""
    install_minutes: float | None = None
    install_size_bytes: int | None = None
    lock: str | None = None
    """What is known of the list of versions for this machine; null: there is none."""


class EnvironmentsAnswer(ApiAnswer):
    """Every environment that there is."""

    environments: list[EnvironmentAnswer]
