"""Values of jobs: a job as its worker sees it, a failure, a stage, and what to start."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any


class StopRequest(StrEnum):
    """What a person asked of a running job."""

    PAUSE = "pause"
    CANCEL = "cancel"
    KEEP = "keep"
    """End now, and go on with the best of what there is as if it had come to its end. Trainings know it."""


class StageOutcome(StrEnum):
    """How a stage ended, as its own program said."""

    DONE = "done"
    STOPPED = "stopped"
    FAILED = "failed"


@dataclass(frozen=True)
class JobFailure:
    """Why a job cannot go on: recorded with the job, never raised in the web process."""

    kind: str
    summary: str
    hint: str
    log_tail: str = ""

    def to_dict(self) -> dict[str, Any]:
        """As it is kept in the database."""
        return asdict(self)


@dataclass(frozen=True)
class Stage:
    """One program of a job. Light ones are workers with the database; heavy ones speak in files."""

    name: str
    is_heavy: bool = False


@dataclass(frozen=True)
class Launch:
    """What to start: never a shell, never text from a person in `argv`."""

    argv: tuple[str, ...]
    cwd: Path
    env: Mapping[str, str]


@dataclass(frozen=True)
class ChildId:
    """A process that can be told from a later one with the same number, whatever the clock is set to meanwhile."""

    pid: int
    started_at: float
    """Seconds since the machine booted, exactly as the kernel says."""
    booted_at: float
    """A number that stands for this boot; no time."""


@dataclass(frozen=True)
class JobView:
    """A job as its programs see it; a copy, not a row."""

    id: str
    kind: str
    subject_id: str | None
    attempt: int
    stage: str | None
    lease_number: int
    domain: str
    created_by: str
    params: Mapping[str, Any] = field(default_factory=dict)
    slot: str | None = None
