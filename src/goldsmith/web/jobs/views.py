"""What the activity pages show, made from rows. Knows no request."""

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import ClassVar

from goldsmith.jobs.folder import JobFolder
from goldsmith.jobs.states import JobState
from goldsmith.jobs.tables import Job, JobEvent
from goldsmith.jobs.types import JobFailure
from goldsmith.storage.files import Home
from goldsmith.web.job_lines import JobLine, job_line
from goldsmith.web.lately import LatelyLine
from goldsmith.web.listing import Chip, Pager
from goldsmith.web.log_lines import LogLine, log_line
from goldsmith.web.pages import Page

LOG_TAIL_BYTES = 40_000
_SUBJECT_PAGES = {
    "run": "/runs",
    "training": "/training",
    "rehearsal": "/training/rehearsals",
    "comparison": "/model-comparison",
    "import": "/data",
    "prove": "/models",
    "model_export": "/models",
    "model_merge": "/models",
    "merge_speed": "/models",
    "batch_check": "/batches",
    "batch": "/batches",
    "batch_end": "/batches",
    "sync": "/sources",
    "offer": "/sources",
}
_OWN_PAGES = {"move_in": "/from-openai"}
_WHOLE_PAGES = {
    "environment": "/settings#environments",
    "base_model": "/models",
    "base_model_gguf": "/models",
    "conquest": "/settings/aristotle",
}


@dataclass(frozen=True)
class NoticeLine:
    """A job that ended, and where one sees what came out."""

    job: JobLine
    href: str
    ended_at: datetime | None


@dataclass(frozen=True)
class ActivityPage(Page):
    """Every job: what is at work first, then what failed, then the rest, newest first."""

    template: ClassVar[str] = "jobs/activity.html"
    current: ClassVar[str] = "activity"
    notices: tuple[NoticeLine, ...]
    """What has ended, and the person has not seen yet; on the first page only."""
    working: tuple[JobLine, ...]
    changes: tuple[LatelyLine, ...]
    """The last changes of what is live, engines that died or came back among them; on the first page only."""
    jobs: tuple[JobLine, ...]
    filters: tuple[Chip, ...]
    pager: Pager
    address: str


@dataclass(frozen=True)
class JobPage(Page):
    """One job: where it stands, why it failed, what happened, what its programs printed."""

    template: ClassVar[str] = "jobs/job.html"
    current: ClassVar[str] = "activity"
    job: JobLine
    failure: JobFailure | None
    place: int | None
    because: str
    events: tuple[LogLine, ...]
    output: tuple[str, ...]
    subject_address: str | None
    attempt: int


def job_page(job: Job, events: Sequence[JobEvent], *, place: int | None, home: Home) -> JobPage:
    """The page of one job."""
    return JobPage(
        title=job.title,
        job=job_line(job),
        failure=JobFailure(**job.failure) if job.failure else None,
        place=place if job.state == JobState.QUEUED.value else None,
        because=job.because,
        events=tuple(log_line(event) for event in events),
        output=log_tail(JobFolder.of(home, job.id).log(job.attempt)),
        subject_address=subject_address(job),
        attempt=job.attempt,
    )


def notice_line(job: Job) -> NoticeLine:
    """A notice: what succeeded leads to its thing, what failed to why."""
    is_good = job.state == JobState.SUCCEEDED.value
    return NoticeLine(
        job_line(job), (subject_address(job) if is_good else None) or f"/activity/{job.id}", job.finished_at
    )


def subject_address(job: Job) -> str | None:
    """The page of the thing that the job is about."""
    folder = _SUBJECT_PAGES.get(job.kind)
    if job.kind in _OWN_PAGES:
        return f"{_OWN_PAGES[job.kind]}/{job.id}"
    return f"{folder}/{job.subject_id}" if folder and job.subject_id else _WHOLE_PAGES.get(job.kind)


def log_tail(path: Path) -> tuple[str, ...]:
    """The last lines that the programs printed; control characters are shown, not obeyed."""
    if not path.is_file():
        return ()
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - LOG_TAIL_BYTES))
        lines = file.read().decode("utf-8", "replace").splitlines()
    if size > LOG_TAIL_BYTES:
        lines = [f"… the first {size - LOG_TAIL_BYTES:,} bytes are in {path.name}", *lines[1:]]
    return tuple("".join(_visible(line)) for line in lines)


def _visible(line: str) -> Iterable[str]:
    return (char if char.isprintable() or char == "\t" else f"\\x{ord(char):02x}" for char in line)
