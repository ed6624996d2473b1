"""The bodies and answers of the API over serving: what is live where, engines, switches, receipts."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from goldsmith.serve.queries import ActiveModel
from goldsmith.serve.tables import DeploymentHistory
from goldsmith.serve.types import MAX_COPIES, MAX_PLACES, DeploymentState, EngineKind, EngineState, HistoryAction, Proof
from goldsmith.web.answers import ApiAnswer, ApiBody, Name, Text
from goldsmith.web.engine_keys import EngineKey


class ModelBody(ApiBody):
    """A model that is registered here; never a path."""

    model_id: Name
    """The id or the name of a fine-tuned model, or of a base model."""


class AttachedBody(ApiBody):
    """Somebody's running vLLM."""

    kind: Literal["attached"]
    url: Text
    base_model: Name
    """The base model that it serves."""
    name_in_engine: Name | None = None
    """What the engine calls that model; default: whatever it lists."""
    key: EngineKey | None = None


class ProviderBody(ApiBody):
    """An outside service that speaks OpenAI's API."""

    kind: Literal["provider"]
    url: Text
    model: Name
    """The model's name there."""
    name: Name | None = None
    key: EngineKey | None = None
    input_usd_per_million: Annotated[float, Field(ge=0, le=1e6)] | None = None
    """What a million tokens of questions cost."""
    output_usd_per_million: Annotated[float, Field(ge=0, le=1e6)] | None = None
    """What a million tokens of answers cost."""


EngineBody = Annotated[AttachedBody | ProviderBody, Field(discriminator="kind")]


class EngineAnswer(ApiAnswer):
    """A server that speaks OpenAI's API. Its key is never shown."""

    id: str
    name: str
    kind: EngineKind
    base_model_id: str | None
    url: str | None
    is_wanted: bool
    state: EngineState
    message: str
    max_lora_rank: int
    num_copies: int
    """How many engines with its base model answer, itself included."""
    copy_of: str | None
    """The engine that it copies."""
    max_loras: int
    """Its places: how many adapters it holds ready at once."""
    num_places: int | None
    """How many places somebody asked for; null: as many as what is on it suggests."""
    gpu: int | None
    """The number of its GPU, where it has one."""
    rests_for: str | None
    """The job that it gives its memory to; it starts again by itself as soon as that job is no longer at work."""
    num_crashes: int
    ready_at: datetime | None
    last_token_at: datetime | None
    provider_model: str | None
    input_usd_per_million: float | None
    output_usd_per_million: float | None
    created_by: str
    created_at: datetime


class CopiesBody(ApiBody):
    """How many engines with one base model should answer."""

    num_copies: Annotated[int, Field(ge=1, le=MAX_COPIES)]


class PlacesBody(ApiBody):
    """How many adapters an engine should hold ready at once."""

    num_places: Annotated[int, Field(ge=1, le=MAX_PLACES)]


class EnginesAnswer(ApiAnswer):
    """Every engine, newest first."""

    engines: list[EngineAnswer]


class DeploymentAnswer(ApiAnswer):
    """A model on an engine: what is wanted, what the engine says, and whether it was proved."""

    id: str
    model_id: str
    engine_id: str
    is_wanted: bool
    state: DeploymentState
    proof: Proof
    is_live: bool
    """Whether requests for it are answered now."""
    message: str
    load_s: float | None
    loaded_at: datetime | None
    receipt_id: str | None


class SwitchAnswer(ApiAnswer):
    """What callers get who name no model. While the wanted one is not live and proved, `is_switched` is false."""

    alias: str
    model_id: str
    is_switched: bool
    is_live: bool
    message: str
    changed_at: datetime | None


class ActiveAnswer(ApiAnswer):
    """A model that is live, or is to be."""

    model_id: str
    name: str
    type: str
    engine_id: str
    engine: str
    engine_state: EngineState
    state: DeploymentState
    proof: Proof
    is_live: bool
    is_wanted: bool
    aliases: list[str]
    since: datetime | None
    message: str
    receipt_id: str | None

    @classmethod
    def of(cls, item: ActiveModel) -> "ActiveAnswer":
        """From what the query found."""
        names = ("model_id", "engine_id", "state", "proof", "is_wanted", "message", "receipt_id")
        return cls(
            **{name: getattr(item.deployment, name) for name in names},
            name=item.name,
            type="base" if item.is_base else "fine_tuned",
            engine=item.engine.name,
            engine_state=EngineState(item.engine.state),
            is_live=item.is_live,
            aliases=list(item.aliases),
            since=item.deployment.loaded_at,
        )


class ActiveModelsAnswer(ApiAnswer):
    """What is live where, since when, proved or not; `default` is what callers get who name no model."""

    models: list[ActiveAnswer]
    default: str | None


class HistoryEntryAnswer(ApiAnswer):
    """Something that changed about what is live."""

    id: str
    seq: int
    model_id: str
    philosopher: str
    action: HistoryAction
    previous_model_id: str | None
    deployment_config: dict[str, Any]
    deployed_by: str
    notes: str
    deployed_at: datetime


class HistoryAnswer(ApiAnswer):
    """What changed, newest first; ask with `before` for more."""

    history: list[HistoryEntryAnswer]
    before: int | None

    @classmethod
    def of(cls, found: Sequence[DeploymentHistory], limit: int) -> "HistoryAnswer":
        """A page of it."""
        entries = [HistoryEntryAnswer.model_validate(entry) for entry in found]
        return cls(history=entries, before=entries[-1].seq if len(entries) == limit else None)


class ReceiptAnswer(ApiAnswer):
    """The proof, measured through the engine, that a loaded model has learned what it was taught."""

    id: str
    model_id: str
    engine_id: str
    is_green: bool
    reason: str
    lines: list[Any]
    num_learn_rows: int
    num_exam_rows: int
    duration_s: float
    measured_at: datetime
