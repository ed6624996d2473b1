"""Words and values of batches. They know no database and no network."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from goldsmith.serve.types import Target

ENDPOINTS = ("/v1/chat/completions", "/v1/completions", "/v1/embeddings")
"""What the requests of a batch may ask for."""
MAX_REQUESTS = 1_000_000
MAX_REQUEST_BYTES = 24 * 1024 * 1024
"""As long as a request to the gateway may be."""
MAX_FAULTS = 100
"""So many faults of a file are named."""
CHECK_JOB, ASK_JOB, END_JOB = "batch_check", "batch", "batch_end"


class BatchStatus(StrEnum):
    """Where a batch stands, in OpenAI's words; what a job of it is doing is said in the words of jobs."""

    VALIDATING = "validating"
    FAILED = "failed"
    IN_PROGRESS = "in_progress"
    FINALIZING = "finalizing"
    COMPLETED = "completed"
    EXPIRED = "expired"
    CANCELLING = "cancelling"
    CANCELLED = "cancelled"

    @property
    def is_over(self) -> bool:
        """Whether nothing happens any more."""
        return self in (BatchStatus.FAILED, BatchStatus.COMPLETED, BatchStatus.EXPIRED, BatchStatus.CANCELLED)


class RequestState(StrEnum):
    """Whether a request of a batch has its end."""

    WAITING = "waiting"
    ANSWERED = "answered"
    FAILED = "failed"


class Side(StrEnum):
    """Which of a batch's two files a line belongs to."""

    OUTPUT = "output"
    ERRORS = "errors"


@dataclass(frozen=True)
class NewBatch:
    """A batch that is asked for."""

    file_id: str
    file_name: str
    sha256: str
    """Of the file's bytes, under which they lie among the uploads."""
    endpoint: str
    window: str = "24h"
    labels: Mapping[str, str] = field(default_factory=dict)
    output_expires_after_s: int | None = None


@dataclass(frozen=True)
class Fault:
    """What is wrong with a batch, as OpenAI tells it; `line` counts from 1, None: it is no line's fault."""

    code: str
    message: str
    line: int | None = None
    param: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """As it is kept and told."""
        return {"code": self.code, "message": self.message, "line": self.line, "param": self.param}


@dataclass(frozen=True)
class InputLine:
    """A good line of a batch's file, and where in the file it is."""

    number: int
    start_byte: int
    num_bytes: int
    custom_id: str
    model: str | None


@dataclass(frozen=True)
class Refusal:
    """Why a request is not sent, as the gateway would answer it."""

    status: int
    content: Mapping[str, Any]
    message: str


@dataclass(frozen=True)
class BatchRequest:
    """A request on its way: its body as the engine gets it, or why it does not."""

    id: str
    body: bytes = b""
    refusal: Refusal | None = None


@dataclass(frozen=True)
class BatchReply:
    """What came back for a request, or why nothing did."""

    id: str
    state: RequestState
    at: datetime
    status_code: int | None = None
    response: str | None = None
    """The answer's JSON."""
    error: str | None = None
    prompt_tokens: int | None = None
    answer_tokens: int | None = None
    served_by: str | None = None
    num_tries: int = 0


@dataclass(frozen=True)
class Counts:
    """How many requests of a batch have which end; the rest is not asked yet."""

    num_requests: int
    num_answered: int = 0
    num_failed: int = 0

    @property
    def num_done(self) -> int:
        """Requests that have an end."""
        return self.num_answered + self.num_failed

    @property
    def num_open(self) -> int:
        """Requests that were not answered and did not fail."""
        return max(0, self.num_requests - self.num_done)


class Rules(Protocol):
    """What may reach an engine. The gateway's own rules, handed in by `app.py`, because the gateway stands above."""

    def check(self, endpoint: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
        """The body with what may be passed on. Raises GoldsmithError."""
        ...

    def for_target(self, endpoint: str, checked: Mapping[str, Any], target: Target) -> bytes:
        """The body that a target gets. Raises GoldsmithError."""
        ...

    def refusal(self, error: Exception) -> Refusal:
        """An error of these rules as the gateway answers it."""
        ...
