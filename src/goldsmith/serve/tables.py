"""Tables of serving: engines, what should be live on them, what changed when, the proofs, and stable names."""

from datetime import datetime
from typing import Any

from sqlalchemy import Float, ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from goldsmith.models.tables import BaseModel
from goldsmith.storage.database import Owned, Table


class Engine(Table, Owned):
    """A server that speaks OpenAI's API."""

    __tablename__ = "engines"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    name: Mapped[str]
    kind: Mapped[str] = mapped_column(String(16))
    """`ours` (we start and watch it), `attached` (somebody's vLLM) or `provider` (outside, with a key and a price)."""
    base_model_id: Mapped[str | None] = mapped_column(ForeignKey(BaseModel.id))
    url: Mapped[str | None] = mapped_column(String(1024))
    is_wanted: Mapped[bool] = mapped_column(default=True)
    wanted_at: Mapped[datetime | None]
    """When somebody last asked for it; null: it starts only where there is room, and makes no other leave."""
    copy_of: Mapped[str | None] = mapped_column(ForeignKey("engines.id"), index=True)
    """The engine of ours that this one copies: same base model, same models on it, kept so by the keeper."""
    num_copies: Mapped[int] = mapped_column(default=1)
    """How many engines with this base model answer, itself included; 1 for every copy."""
    gpu: Mapped[int | None]
    """The number of the GPU that it was last started on."""
    rests_for: Mapped[str | None] = mapped_column(String(64), index=True)
    """The job that it gives its memory to for as long as that one is at work (`resting.py`)."""
    state: Mapped[str] = mapped_column(String(16), default="stopped")
    """`stopped`, `starting`, `ready` or `failed`."""
    message: Mapped[str] = mapped_column(Text, default="")
    generation: Mapped[int] = mapped_column(default=0)
    """Counts its starts; what was loaded under an earlier number is gone."""
    max_lora_rank: Mapped[int] = mapped_column(default=8)
    max_loras: Mapped[int] = mapped_column(default=4)
    """Its places: how many adapters it holds ready at once."""
    num_places: Mapped[int | None]
    """How many places somebody asked for; null: as many as what is on it suggests."""
    takes_priority: Mapped[bool] = mapped_column(default=False)
    """It was started so that requests which can wait stand back behind others."""
    port: Mapped[int | None]
    pid: Mapped[int | None]
    pid_started_at: Mapped[float | None] = mapped_column(Float)
    pid_booted_at: Mapped[float | None] = mapped_column(Float)
    num_crashes: Mapped[int] = mapped_column(default=0)
    """Starts in a row that died; back to 0 when a token came."""
    starting_at: Mapped[datetime | None]
    ready_at: Mapped[datetime | None]
    last_token_at: Mapped[datetime | None]
    provider_model: Mapped[str | None]
    input_usd_per_million: Mapped[float | None] = mapped_column(Float)
    output_usd_per_million: Mapped[float | None] = mapped_column(Float)


class Deployment(Table, Owned):
    """A model on an engine: what is wanted, what the engine says, and whether it was proved."""

    __tablename__ = "deployments"
    __table_args__ = (UniqueConstraint("model_id", "engine_id"),)

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    model_id: Mapped[str] = mapped_column(String(64), index=True)
    """A fine-tuned model or a base model; in an engine of ours the name is always this id."""
    name_in_engine: Mapped[str | None]
    """What a provider calls the model; null: its id, or the engine's own name for its base model."""
    engine_id: Mapped[str] = mapped_column(ForeignKey("engines.id"))
    is_wanted: Mapped[bool] = mapped_column(default=True)
    state: Mapped[str] = mapped_column(String(16), default="waiting")
    """`waiting`, `loaded`, `unloaded` or `failed`."""
    proof: Mapped[str] = mapped_column(String(16), default="unproved")
    """`unproved`, `proving`, `proved`, `refused`, or `not_needed` for a base model."""
    message: Mapped[str] = mapped_column(Text, default="")
    generation: Mapped[int] = mapped_column(default=0)
    """The engine's generation in which it was loaded."""
    load_s: Mapped[float | None] = mapped_column(Float)
    loaded_at: Mapped[datetime | None]
    receipt_id: Mapped[str | None] = mapped_column(String(64))
    prove_job_id: Mapped[str | None] = mapped_column(String(64))


class DeploymentHistory(Table):
    """What changed, who did it, and how it came out; append-only."""

    __tablename__ = "deployment_history"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    seq: Mapped[int] = mapped_column(unique=True)
    model_id: Mapped[str] = mapped_column(String(64), index=True)
    philosopher: Mapped[str]
    domain: Mapped[str] = mapped_column(index=True)
    action: Mapped[str] = mapped_column(String(16))
    """`deploy`, `undeploy` or `rollback`; about the base model of an engine that died by itself: `crash`, `restart`."""
    previous_model_id: Mapped[str | None] = mapped_column(String(64))
    deployment_config: Mapped[dict[str, Any]]
    deployed_by: Mapped[str]
    notes: Mapped[str] = mapped_column(Text, default="")
    deployed_at: Mapped[datetime]


class Receipt(Table):
    """The proof, measured through the engine, that a loaded model has learned what it was taught."""

    __tablename__ = "receipts"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    model_id: Mapped[str] = mapped_column(String(64), index=True)
    engine_id: Mapped[str] = mapped_column(String(64))
    is_green: Mapped[bool]
    reason: Mapped[str] = mapped_column(Text)
    """One plain sentence."""
    lines: Mapped[list[Any]]
    """What was checked: {name, value, expected, is_ok}."""
    num_learn_rows: Mapped[int]
    num_exam_rows: Mapped[int]
    duration_s: Mapped[float] = mapped_column(Float)
    measured_at: Mapped[datetime]


class TrafficMinute(Table):
    """What one process counted in a minute about one model behind one version of an alias; forgotten after days."""

    __tablename__ = "traffic_minutes"

    domain: Mapped[str] = mapped_column(String(255), primary_key=True)
    alias: Mapped[str] = mapped_column(String(64), primary_key=True)
    """Empty for requests that named the model itself."""
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    model_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    minute: Mapped[datetime] = mapped_column(primary_key=True, index=True)
    writer: Mapped[str] = mapped_column(String(64), primary_key=True)
    num_requests: Mapped[int]
    num_errors: Mapped[int]
    num_with_schema: Mapped[int]
    num_invalid_json: Mapped[int]
    num_timed: Mapped[int]
    seconds: Mapped[float] = mapped_column(Float)
    log_seconds: Mapped[float] = mapped_column(Float)
    log_seconds_squared: Mapped[float] = mapped_column(Float)
    num_measured: Mapped[int]
    tokens: Mapped[int]
    log_tokens: Mapped[float] = mapped_column(Float)
    log_tokens_squared: Mapped[float] = mapped_column(Float)


class Rollout(Table, Owned):
    """A new model that gets a growing share of an alias, watched."""

    __tablename__ = "rollouts"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    alias: Mapped[str] = mapped_column(String(64), index=True)
    model_id: Mapped[str] = mapped_column(String(64))
    old_targets: Mapped[list[Any]]
    """What the alias was before."""
    stages: Mapped[list[Any]]
    """Shares, one after the other."""
    stage: Mapped[int]
    hold_s: Mapped[float | None] = mapped_column(Float)
    """How long each share is held; null: a person goes on by a click."""
    limits: Mapped[dict[str, Any]]
    state: Mapped[str] = mapped_column(String(16), index=True)
    """`running`, `succeeded`, `rolled_back` or `stopped`."""
    message: Mapped[str] = mapped_column(Text, default="")
    first_version: Mapped[int]
    """The alias's version at its first share; traffic is compared from there on."""
    num_judged: Mapped[int] = mapped_column(default=0)
    """Requests of the new model when something was last concluded."""
    stage_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class Alias(Table):
    """A stable name that callers use; `default` is one."""

    __tablename__ = "aliases"

    domain: Mapped[str] = mapped_column(String(255), primary_key=True)
    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    targets: Mapped[list[Any]]
    """[{model_id, share}], shares adding up to 1."""
    version: Mapped[int] = mapped_column(default=0)
    """The number in the history of its last change."""
    changed_by: Mapped[str] = mapped_column(String(64))
    changed_at: Mapped[datetime]
