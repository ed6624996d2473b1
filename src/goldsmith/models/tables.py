"""Tables of models: base models, and what was trained from them."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from goldsmith.storage.database import Owned, Table


class BaseModel(Table, Owned):
    """What a training starts from; its files are kept by content hash and never change."""

    __tablename__ = "base_models"
    __table_args__ = (UniqueConstraint("domain", "name"),)

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    name: Mapped[str]
    source: Mapped[str] = mapped_column(String(32))
    """`builtin`, `folder`, `gguf`, `hub`, `merged`, or `provider`: it lives there, and has no files here."""
    hub_id: Mapped[str | None]
    hub_commit: Mapped[str | None] = mapped_column(String(64))
    folder: Mapped[str] = mapped_column(String(1024))
    """Relative to the home folder."""
    content_hash: Mapped[str] = mapped_column(String(64))
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    num_parameters: Mapped[int] = mapped_column(BigInteger)
    context_length: Mapped[int]
    template_hash: Mapped[str] = mapped_column(String(64))
    end_marker: Mapped[str] = mapped_column(String(64))
    licence: Mapped[str | None]
    merged_from: Mapped[str | None] = mapped_column(String(64), index=True)
    """The fine-tuned model whose adapter was added to these weights; null for every other."""


class FineTunedModel(Table):
    """A trained model with everything needed to serve and to prove it. What was not measured is null."""

    __tablename__ = "fine_tuned_models"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    name: Mapped[str]
    base_model: Mapped[str]
    base_model_id: Mapped[str] = mapped_column(ForeignKey("base_models.id"))
    version: Mapped[int] = mapped_column(default=1)
    philosopher: Mapped[str]
    domain: Mapped[str] = mapped_column(String(255), index=True)
    training_job_id: Mapped[str | None] = mapped_column(String(64), index=True)
    training_set_id: Mapped[str | None] = mapped_column(String(64), index=True)
    prompt_version_id: Mapped[str | None] = mapped_column(String(64))
    training_dataset_path: Mapped[str | None] = mapped_column(String(1024))
    training_sample_count: Mapped[int | None]
    training_config: Mapped[dict[str, Any]]
    """What was really used, resolved."""
    model_path: Mapped[str] = mapped_column(String(1024))
    """Relative to the home folder. Of a model at a provider only its name there lies in it."""
    content_hash: Mapped[str] = mapped_column(String(64))
    template_hash: Mapped[str] = mapped_column(String(64))
    lora_rank: Mapped[int | None]
    model_size_mb: Mapped[float | None]
    training_tokens_per_second: Mapped[float | None]
    training_memory_mb: Mapped[float | None]
    final_loss: Mapped[float | None]
    exam_loss: Mapped[float | None]
    win_rate: Mapped[float | None]
    gold_star_rate: Mapped[float | None]
    avg_rating: Mapped[float | None]
    consistency_score: Mapped[float | None]
    tokens_per_second: Mapped[float | None]
    latency_ms: Mapped[float | None]
    vram_usage_gb: Mapped[float | None]
    measured_at: Mapped[dict[str, Any]]
    """Metric name → when and by what it was measured."""
    status: Mapped[str] = mapped_column(String(16), default="trained")
    """`trained`, `deployed` or `archived`."""
    deployed_at: Mapped[datetime | None]
    deployment_config: Mapped[dict[str, Any] | None]
    notes: Mapped[str] = mapped_column(Text, default="")
    created_by: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
