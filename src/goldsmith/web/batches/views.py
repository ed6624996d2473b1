"""What the pages of batches show, made from rows and values. Knows no request and no database."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from goldsmith.jobs.states import JobState
from goldsmith.jobs.tables import Job
from goldsmith.run.batches.tables import Batch
from goldsmith.run.batches.types import BatchStatus, Counts, Fault
from goldsmith.storage import clock
from goldsmith.web.format import duration, moment, number
from goldsmith.web.forms import FormField, Option
from goldsmith.web.job_lines import JobLine
from goldsmith.web.listing import Head, Pager
from goldsmith.web.pages import Page

_BADGES = {
    BatchStatus.COMPLETED: "succeeded",
    BatchStatus.FAILED: "failed",
    BatchStatus.EXPIRED: "expired",
    BatchStatus.CANCELLED: "cancelled",
    BatchStatus.CANCELLING: "stopping",
}
_DOING = {
    BatchStatus.VALIDATING: "its file is checked",
    BatchStatus.IN_PROGRESS: "its requests are asked",
    BatchStatus.FINALIZING: "its files are written",
    BatchStatus.CANCELLING: "what is on its way is waited for",
}
ASKS = {
    "/v1/chat/completions": "chats",
    "/v1/completions": "texts to go on with (completions)",
    "/v1/embeddings": "numbers for texts (embeddings)",
}
WINDOWS = (Option("1h", "1 hour"), Option("24h", "24 hours"), Option("7d", "7 days"), Option("30d", "30 days"))


@dataclass(frozen=True)
class BatchLine:
    """A batch in the list."""

    id: str
    name: str
    badge: str
    doing: str
    models: str
    counts: Counts
    is_over: bool
    who: str
    created_at: datetime
    ends: str


@dataclass(frozen=True)
class BatchesPage(Page):
    """All batches, newest first."""

    template: ClassVar[str] = "batches/batches.html"
    current: ClassVar[str] = "batches"
    batches: tuple[BatchLine, ...]
    heads: tuple[Head, ...]
    pager: Pager
    address: str


@dataclass(frozen=True)
class NewBatchPage(Page):
    """Choose a file."""

    template: ClassVar[str] = "batches/new.html"
    current: ClassVar[str] = "batches"
    example: str


@dataclass(frozen=True)
class ModelLine:
    """Whom requests name, and who that is here."""

    name: str
    num_requests: int
    means: str


@dataclass(frozen=True)
class SampleLine:
    """One of the first requests."""

    custom_id: str
    model: str
    asks: str


@dataclass(frozen=True)
class BatchPreviewPage(Page):
    """What a file would ask, before anything is asked."""

    template: ClassVar[str] = "batches/preview.html"
    current: ClassVar[str] = "batches"
    facts: tuple[tuple[str, str, str], ...]
    models: tuple[ModelLine, ...]
    samples: tuple[SampleLine, ...]
    faults: tuple[str, ...]
    is_whole: bool
    fields: tuple[FormField, ...]
    model_heads: tuple[Head, ...]
    sample_heads: tuple[Head, ...]


@dataclass(frozen=True)
class AskedModel:
    """A model of a batch, and how far it is with it."""

    name: str
    href: str
    counts: Counts


@dataclass(frozen=True)
class BatchPage(Page):
    """One batch: how far it is, what can be taken by now, what went wrong, which jobs are at it."""

    template: ClassVar[str] = "batches/batch.html"
    current: ClassVar[str] = "batches"
    line: BatchLine
    facts: tuple[tuple[str, str | None, str], ...]
    about: tuple[tuple[str, str], ...]
    faults: tuple[str, ...]
    frequent_error: str | None
    models: tuple[AskedModel, ...]
    model_heads: tuple[Head, ...]
    jobs: tuple[JobLine, ...]
    can_cancel: bool
    can_go_on: bool
    seconds_left: float | None


def batch_line(batch: Batch, counts: Counts, job: Job | None, *, models: str, who: str) -> BatchLine:
    """A batch as a line."""
    status = batch.status
    return BatchLine(
        id=batch.id,
        name=batch.input_name,
        badge=badge_name(status, job),
        doing=_doing(status, job),
        models=models,
        counts=counts,
        is_over=batch.is_over,
        who=who,
        created_at=batch.created_at,
        ends="" if batch.is_over else f"until {moment(batch.expires_at)} at the latest",
    )


def badge_name(status: BatchStatus, job: Job | None) -> str:
    """The badge: while it goes on it is that of the job which is at it."""
    return _BADGES.get(status) or (job.state if job is not None else JobState.QUEUED.value)


def _doing(status: BatchStatus, job: Job | None) -> str:
    if job is not None and job.state == JobState.QUEUED.value and not status.is_over:
        return "waits for its turn"
    return _DOING.get(status, "")


def progress_facts(counts: Counts, *, is_over: bool) -> tuple[tuple[str, str, str], ...]:
    """The counts of a batch."""
    facts = [("Answered", number(counts.num_answered), f"of {counts.num_requests:,} requests")]
    if counts.num_open:
        facts.append(("Without an answer" if is_over else "Still to ask", number(counts.num_open), ""))
    return (*facts, ("Failed", number(counts.num_failed), "each with its reason" if counts.num_failed else ""))


def seconds_left(batch: Batch, counts: Counts) -> float | None:
    """How long it will take, from how long it took so far; None where nobody can tell."""
    began = batch.in_progress_at
    if batch.status is not BatchStatus.IN_PROGRESS or began is None or counts.num_done < 20:
        return None
    return (clock.now() - began).total_seconds() / counts.num_done * counts.num_open


def about(batch: Batch, *, who: str) -> tuple[tuple[str, str], ...]:
    """What is known of it."""
    ended = (batch.completed_at, batch.failed_at, batch.expired_at, batch.cancelled_at)
    end = next((moment for moment in ended if moment is not None), None)
    rows = [
        ("Id", batch.id),
        ("Asks for", f"{ASKS.get(batch.endpoint, '')}, {batch.endpoint}"),
        ("Sent by", who),
        ("Sent", moment(batch.created_at)),
        ("May take", batch.completion_window),
        ("Stands at", f"{batch.status.value}, in the words of OpenAI's API"),
    ]
    if end is not None:
        rows.append(("Ended", f"{moment(end)}, after {duration((end - batch.created_at).total_seconds())}"))
    if batch.answer_tokens is not None:
        rows.append(("Tokens", f"{batch.prompt_tokens or 0:,} asked, {batch.answer_tokens:,} answered"))
    return (*rows, *((f"Label {name}", str(text)) for name, text in batch.labels.items()))


def fault_sentences(faults: Iterable[Fault | Mapping[str, object]]) -> tuple[str, ...]:
    """Each fault in a sentence, with its line."""
    found = (each.to_dict() if isinstance(each, Fault) else each for each in faults)
    return tuple(
        f"Line {each['line']}: {each['message']}" if each.get("line") else str(each["message"]) for each in found
    )
