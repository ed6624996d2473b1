"""A job as pages show it, wherever they show it: `parts/job_meter.html` makes its meter and its buttons."""

from dataclasses import dataclass
from datetime import datetime

from goldsmith.jobs.states import TRANSITIONS, JobState
from goldsmith.jobs.tables import Job
from goldsmith.jobs.types import StopRequest
from goldsmith.storage import clock


@dataclass(frozen=True)
class JobLine:
    """A job as a line of the list."""

    id: str
    title: str
    kind: str
    state: JobState
    progress: float
    message: str
    created_at: datetime
    seconds: float | None
    can_pause: bool
    can_cancel: bool
    can_resume: bool
    is_stopping: bool
    is_keeping: bool
    """Whether it was asked to end and keep the best that it has."""
    trouble: str
    """Why it failed, in one sentence without its full stop; empty unless it did."""

    @property
    def percent(self) -> int:
        """How far, from 0 to 100."""
        return round(100 * self.progress)


def job_line(job: Job) -> JobLine:
    """A row as a line."""
    state = JobState(job.state)
    is_stopping = job.stop_requested is not None
    end = job.finished_at or clock.now()
    return JobLine(
        id=job.id,
        title=job.title,
        kind=job.kind.replace("_", " "),
        state=state,
        progress=job.progress,
        message=job.message,
        created_at=job.created_at,
        seconds=(end - job.started_at).total_seconds() if job.started_at else None,
        can_pause=state.is_active and not is_stopping,
        can_cancel=JobState.CANCELLED in TRANSITIONS[state] and job.stop_requested in (None, StopRequest.KEEP.value),
        can_resume=state.is_over and JobState.QUEUED in TRANSITIONS[state],
        is_stopping=is_stopping,
        is_keeping=job.stop_requested == StopRequest.KEEP.value,
        trouble=str((job.failure or {}).get("summary", "")).removesuffix(".") if state is JobState.FAILED else "",
    )
