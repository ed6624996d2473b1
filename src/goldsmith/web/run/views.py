"""What the pages of runs show, made from rows and values. Knows no request and no database."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from goldsmith.data.tables import Dataset
from goldsmith.jobs.states import JobState
from goldsmith.jobs.tables import Job
from goldsmith.jobs.types import JobFailure
from goldsmith.run.tables import Run
from goldsmith.run.types import AnswerState, PromptPreview, RunKindName, RunProgress
from goldsmith.stars.queries import MarkedAnswer
from goldsmith.web.forms import FormField
from goldsmith.web.job_lines import JobLine, job_line
from goldsmith.web.listing import Chip, Head, Pager
from goldsmith.web.needs import Need
from goldsmith.web.pages import Page

MAX_SHOWN_CHARACTERS = 400


@dataclass(frozen=True)
class RunLine:
    """A run in the list."""

    id: str
    name: str
    state: str
    """The name of its badge."""
    is_at_work: bool
    progress: RunProgress
    model: str
    num_stars: int
    created_at: datetime
    message: str


@dataclass(frozen=True)
class RunsPage(Page):
    """All runs, newest first."""

    template: ClassVar[str] = "run/runs.html"
    current: ClassVar[str] = "runs"
    runs: tuple[RunLine, ...]
    heads: tuple[Head, ...]
    pager: Pager
    address: str
    has_data: bool


@dataclass(frozen=True)
class DatasetChoice:
    """A dataset that can be run over."""

    id: str
    name: str
    is_chosen: bool


@dataclass(frozen=True)
class NewRunPage(Page):
    """Rows, who answers, what is asked, and what that would look like."""

    template: ClassVar[str] = "run/new.html"
    current: ClassVar[str] = "runs"
    datasets: tuple[DatasetChoice, ...]
    dataset: Dataset | None
    num_rows: int
    columns: tuple[str, ...]
    fields: tuple[FormField, ...]
    folded: tuple[str, ...]
    needs: tuple[Need, ...]
    has_models: bool
    previews: tuple[PromptPreview, ...]
    address: str


@dataclass(frozen=True)
class AnswerLine:
    """An answer in the list of a run."""

    position: int
    asked: str
    text: str
    error: str
    badges: tuple[str, ...]
    seconds: float | None
    num_tokens: int | None


@dataclass(frozen=True)
class RunPage(Page):
    """One run: how far it is, what went wrong, its answers."""

    template: ClassVar[str] = "run/run.html"
    current: ClassVar[str] = "runs"
    id: str
    state: str
    facts: tuple[tuple[str, str, str], ...]
    progress: RunProgress
    job: JobLine | None
    place: int | None
    failure: JobFailure | None
    frequent_error: str | None
    """What most failed rows say."""
    filters: tuple[Chip, ...]
    heads: tuple[Head, ...]
    answers: tuple[AnswerLine, ...]
    pager: Pager
    live: str
    address: str
    can_retry: bool
    made_from: tuple[tuple[str, str], ...]
    asked: tuple[tuple[str, str], ...]
    """What was asked: instructions, question, form of the answer."""
    num_read: int
    downloads: tuple[tuple[str, str], ...]
    """What the answers can be taken away as: a label and its address."""


def run_line(run: Run, progress: RunProgress, job: Job | None, *, model: str, num_stars: int) -> RunLine:
    """A row as a line."""
    line = job_line(job) if job is not None else None
    return RunLine(
        id=run.id,
        name=run.name,
        state=line.state.value if line else JobState.SUCCEEDED.value,
        is_at_work=line is not None and not line.state.is_over,
        progress=progress,
        model="came with a file" if run.kind == RunKindName.IMPORTED.value else model,
        num_stars=num_stars,
        created_at=run.created_at,
        message=line.message if line else "",
    )


def answer_line(item: MarkedAnswer, columns: list[str]) -> AnswerLine:
    """An answer as a line; of the row what the prompt asks."""
    answer, mark = item.answer, item.mark
    asked = " · ".join(str(item.content.get(column, "")) for column in columns)
    badges = [
        name
        for name, is_so in (
            ("failed", answer.state == AnswerState.FAILED.value),
            ("cut", answer.finish_reason == "length"),
            ("corrected", mark is not None and mark.is_star and mark.correction is not None),
            ("star", mark is not None and mark.is_star and mark.correction is None),
            ("bad", mark is not None and mark.is_bad),
        )
        if is_so
    ]
    return AnswerLine(
        position=answer.position,
        asked=short(asked),
        text=short(answer.text),
        error=answer.error or answer.parse_error or "",
        badges=tuple(badges),
        seconds=answer.duration_ms / 1000 if answer.duration_ms is not None else None,
        num_tokens=answer.answer_tokens,
    )


def short(text: str) -> str:
    """As far as a list shows it."""
    return text if len(text) <= MAX_SHOWN_CHARACTERS else text[:MAX_SHOWN_CHARACTERS] + "…"


def progress_facts(progress: RunProgress) -> tuple[tuple[str, str, str], ...]:
    """The counts of a run."""
    facts = [("Answered", f"{progress.num_answered:,}", f"of {progress.num_rows:,} rows")]
    if progress.num_open:
        facts.append(("Still to ask", f"{progress.num_open:,}", ""))
    facts.append(("Failed", f"{progress.num_failed:,}", "the answer did not come" if progress.num_failed else ""))
    facts.append(("Cut off", f"{progress.num_cut_off:,}", "longer than allowed" if progress.num_cut_off else ""))
    if progress.num_invalid:
        facts.append(("Not as asked", f"{progress.num_invalid:,}", "not the JSON that was asked for"))
    return tuple(facts)


def downloads_of(run_id: str, names: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """A link for each form in which answers can be taken away."""
    words = {"xlsx": "Excel"}
    return tuple((f"As {words.get(name, name.upper())}", f"/runs/{run_id}/answers.{name}") for name in names)


def asked_of(system_text: str, template: str, fields: str) -> tuple[tuple[str, str], ...]:
    """The wording in words."""
    parts = [("Instructions", system_text), ("Question", template), ("The answer is", fields or "plain text")]
    return tuple((what, text) for what, text in parts if text)
