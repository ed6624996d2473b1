"""Tables of training. `training_jobs` has the job's own id; what `jobs` owns is kept here by the queue's mirror."""

from datetime import datetime
from typing import Any

from sqlalchemy import Float, ForeignKey, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from goldsmith.models.tables import BaseModel
from goldsmith.stars.tables import TrainingSet
from goldsmith.storage.database import Owned, Table

KIND = "training"
"""What its job is called."""
PROVIDER = "provider"
"""Of a job's parameters: the engine that stands for the provider which trains."""

DIAL = "dial"
"""Of a job's parameters: how thoroughly, and the numbers that it resolved to."""
ENGINES_REST = "engines_rest"
"""Of a job's parameters: whether engines of ours rest while it is at work."""


class TrainingGroup(Table, Owned):
    """Trainings that were started together, to be put beside each other."""

    __tablename__ = "training_groups"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    name: Mapped[str] = mapped_column(String(255))
    varied: Mapped[list[Any]]
    """What they differ in: the names of the settings, in their order; `dial` and `share` are two more."""


class TrainingJob(Table):
    """One training: a training set and a base model → a fine-tuned model. What was not measured is null."""

    __tablename__ = "training_jobs"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    philosopher: Mapped[str]
    domain: Mapped[str] = mapped_column(index=True)
    name: Mapped[str]
    base_model: Mapped[str]
    base_model_id: Mapped[str] = mapped_column(ForeignKey(BaseModel.id))
    backend: Mapped[str] = mapped_column(String(32))
    config: Mapped[dict[str, Any]]
    """The recipe, resolved."""
    training_set_id: Mapped[str | None] = mapped_column(ForeignKey(TrainingSet.id), index=True)
    """Null while the uploaded files that it starts from are read."""
    dataset_path: Mapped[str | None] = mapped_column(String(1024))
    sample_count: Mapped[int | None]
    status: Mapped[str] = mapped_column(String(16))
    progress: Mapped[float] = mapped_column(Float, default=0.0)
    current_epoch: Mapped[float | None] = mapped_column(Float)
    total_epochs: Mapped[float | None] = mapped_column(Float)
    current_step: Mapped[int | None]
    total_steps: Mapped[int | None]
    training_loss: Mapped[float | None] = mapped_column(Float)
    validation_loss: Mapped[float | None] = mapped_column(Float)
    learning_rate: Mapped[float | None] = mapped_column(Float)
    tokens_per_second: Mapped[float | None] = mapped_column(Float)
    memory_mb: Mapped[float | None] = mapped_column(Float)
    seconds_left: Mapped[float | None] = mapped_column(Float)
    started_at: Mapped[datetime | None]
    completed_at: Mapped[datetime | None]
    estimated_completion: Mapped[datetime | None]
    output_model_id: Mapped[str | None] = mapped_column(String(64))
    group_id: Mapped[str | None] = mapped_column(ForeignKey(TrainingGroup.id), index=True)
    differs: Mapped[dict[str, Any] | None]
    """In a group: what this one has of what the group varies."""
    error_message: Mapped[str | None] = mapped_column(Text)
    logs_path: Mapped[str | None] = mapped_column(String(1024))
    created_by: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class TrainingMetric(Table):
    """One point of the series. A step that was done again after a resume replaces the earlier one."""

    __tablename__ = "training_metrics"
    __table_args__ = (UniqueConstraint("job_id", "step"),)

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    job_id: Mapped[str] = mapped_column(ForeignKey("training_jobs.id"), index=True)
    attempt: Mapped[int]
    step: Mapped[int]
    epoch: Mapped[float | None] = mapped_column(Float)
    loss: Mapped[float | None] = mapped_column(Float)
    exam_loss: Mapped[float | None] = mapped_column(Float)
    learning_rate: Mapped[float | None] = mapped_column(Float)
    grad_norm: Mapped[float | None] = mapped_column(Float)
    preference_accuracy: Mapped[float | None] = mapped_column(Float)
    """Of pairs: the share of those of this step that the model tells apart rightly, from 0 to 1."""
    tokens_per_second: Mapped[float | None] = mapped_column(Float)
    memory_mb: Mapped[float | None] = mapped_column(Float)
    at: Mapped[datetime]
