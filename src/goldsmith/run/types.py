"""Words and values of runs: what is asked for, what is sent, what comes back. They know no database and no network."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any


class RunKindName(StrEnum):
    """Where a run's answers come from."""

    MODEL = "model"
    """A model wrote them."""
    IMPORTED = "imported"
    """They came with a file; there is no model and no job."""
    ARM = "arm"
    """A model wrote them as one side of a comparison."""
    PLAYGROUND = "playground"
    """A model wrote them for somebody who tried it out, and who had something to say about them; there is no job."""


READ_KINDS = (RunKindName.MODEL.value, RunKindName.IMPORTED.value, RunKindName.PLAYGROUND.value)
"""The runs whose answers people read and star; those of comparisons are shown there."""


class AnswerState(StrEnum):
    """Whether there is an answer."""

    ANSWERED = "answered"
    FAILED = "failed"


CUT_OFF = "length"
"""The finish reason of an answer that was cut off."""


@dataclass(frozen=True)
class PromptDraft:
    """The wording of a prompt, not saved yet. A saved version has the same three fields."""

    template: str
    system_text: str = ""
    answer_schema: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class RunOptions:
    """How a run asks; what is None is left to the engine."""

    max_rows: int | None = None
    max_tokens: int = 512
    temperature: float = 0.0
    seed: int | None = 0
    concurrency: int = 16
    timeout_s: float = 120.0


@dataclass(frozen=True)
class RunRequest:
    """One model, one wording, one dataset version."""

    dataset_version_id: str
    prompt_version_id: str
    model_id: str
    """A base model, a fine-tuned model, or a provider's engine."""
    name: str | None = None
    options: RunOptions = field(default_factory=RunOptions)


@dataclass(frozen=True)
class AnswerRequest:
    """One row to be asked. With a `problem` it is not sent, but comes back as failed with these words."""

    row_id: str
    position: int
    messages: list[dict[str, str]]
    max_tokens: int = 512
    temperature: float = 0.0
    seed: int | None = 0
    answer_schema: Mapping[str, Any] | None = None
    problem: str | None = None
    cache_salt: str | None = None
    """For our engines: nothing that was computed for another request is used again."""


@dataclass(frozen=True)
class SentAnswer:
    """What came back for a row, or why nothing did."""

    row_id: str
    position: int
    state: AnswerState
    at: datetime
    text: str = ""
    prompt_tokens: int | None = None
    answer_tokens: int | None = None
    duration_ms: float | None = None
    finish_reason: str | None = None
    error: str | None = None
    served_by: str | None = None
    num_tries: int = 0


@dataclass(frozen=True)
class Endpoint:
    """Where requests go, with the key itself; never shown or stored."""

    url: str
    model_name: str
    engine_id: str
    key: str | None = field(default=None, repr=False)
    is_ours: bool = True
    """False: an outside provider. Nobody brings a model there that is not there now, so nobody waits for it."""
    takes_priority: bool = False
    """Whether requests may say that they can wait."""

    @property
    def chat_url(self) -> str:
        """Where chats go."""
        return self.url_of("/v1/chat/completions")

    def url_of(self, path: str) -> str:
        """Where requests for a path of OpenAI's API go; people write a provider's address with or without `/v1`."""
        return self.url.rstrip("/").removesuffix("/v1") + path


@dataclass(frozen=True)
class SendLimits:
    """How patient the sender is."""

    concurrency: int = 16
    timeout_s: float = 120.0
    num_tries: int = 3
    num_rate_limited: int = 20
    """How often a row may be told to come back later."""
    engine_wait_s: float = 90.0
    """How long the engine may be away (it is being started again) before EngineGone."""
    backoff_s: float = 0.5


@dataclass(frozen=True)
class RunProgress:
    """How many rows of a run have which end; the rest is not asked yet."""

    num_rows: int
    num_answered: int
    num_failed: int
    num_cut_off: int
    num_invalid: int
    """Answers that are not the JSON that was asked for."""

    @property
    def num_open(self) -> int:
        """Rows without an answer yet."""
        return max(0, self.num_rows - self.num_answered - self.num_failed)


@dataclass(frozen=True)
class PromptPreview:
    """What the model would be asked for one row, or why it cannot be."""

    row_id: str
    position: int
    messages: list[dict[str, str]]
    problem: str | None = None
