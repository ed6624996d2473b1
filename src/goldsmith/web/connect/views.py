"""What the page of Aristotle shows. Knows no request."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from goldsmith.connect.aristotle.checking import Facts
from goldsmith.connect.executions.tables import ConquestExecution
from goldsmith.connect.tables import SourceScope, SourceWrite
from goldsmith.connect.types import WriteState
from goldsmith.jobs.tables import Job
from goldsmith.web.connect.forms import EveryForm
from goldsmith.web.format import counted
from goldsmith.web.forms import FormField, fields_of
from goldsmith.web.job_lines import JobLine, job_line
from goldsmith.web.listing import Head
from goldsmith.web.pages import Page

SCOPE_HEADS = (
    *(Head("Philosopher"), Head("Domain"), Head("Gold stars here", is_number=True), Head("Last brought in")),
    *(Head("Written back", is_number=True), Head("Waiting", is_number=True), Head("Bring in", is_hidden=True)),
)
TABLE_HEADS = (Head("What"), Head("Table"), Head("Rows", is_number=True), Head("The role may"))
EXECUTION_HEADS = (
    *(Head("State"), Head("Model"), Head("Candidates", is_number=True), Head("Conquest in Aristotle")),
    *(Head("Tokens", is_number=True), Head("Answered in", is_number=True), Head("Asked for")),
)
_KINDS = {"conquest": "Conquests", "rating": "Ratings", "prompt": "Prompts", "answer": "Answers"}


@dataclass(frozen=True)
class ScopeLine:
    """One philosopher and domain whose stars came in."""

    philosopher: str
    domain: str
    dataset_id: str
    num_stars: int
    fetched_at: datetime | None
    num_written: int
    num_waiting: int
    id: str
    fields: tuple[FormField, ...]
    """How often its stars come in by themselves."""
    lately: JobLine | None
    """The newest time that they came in by themselves, or should have."""


@dataclass(frozen=True)
class TableLine:
    """A table of Aristotle's as it was found."""

    kind: str
    name: str
    num_rows: int | None
    rights: str


@dataclass(frozen=True)
class Checked:
    """What a test of the connection found."""

    title: str
    sentence: str
    hint: str = ""
    is_good: bool = True
    tables: tuple[TableLine, ...] = ()


@dataclass(frozen=True)
class ConflictLine:
    """A mark that was not written back."""

    external_id: str
    message: str
    at: datetime


@dataclass(frozen=True)
class ExecutionLine:
    """A conquest, or several, that were executed here."""

    id: str
    state: str
    job_id: str
    model_id: str
    model_name: str
    num_candidates: int
    conquest: str
    """The conquest's id, or of several how many are there."""
    tokens: int
    seconds: float
    at: datetime


@dataclass(frozen=True)
class AristotlePage(Page):
    """The connection, what came over it, and what goes back."""

    template: ClassVar[str] = "connect/aristotle.html"
    current: ClassVar[str] = "settings"
    place: str | None
    """None where the settings name no database."""
    checked: Checked | None
    scopes: tuple[ScopeLine, ...]
    conflicts: tuple[ConflictLine, ...]
    executions: tuple[ExecutionLine, ...]
    """The last ones, newest first."""
    fields: tuple[FormField, ...]
    scope_heads: tuple[Head, ...] = SCOPE_HEADS
    table_heads: tuple[Head, ...] = TABLE_HEADS
    execution_heads: tuple[Head, ...] = EXECUTION_HEADS


def scope_line(
    scope: SourceScope, num_stars: int, counts: Mapping[str, int], num_unwritten: int, job: Job | None = None
) -> ScopeLine:
    """A scope as it is shown."""
    return ScopeLine(
        philosopher=scope.philosopher,
        domain=scope.source_domain,
        dataset_id=scope.dataset_id,
        num_stars=num_stars,
        fetched_at=scope.fetched_at,
        num_written=counts.get(WriteState.done.value, 0),
        num_waiting=counts.get(WriteState.planned.value, 0) + num_unwritten,
        id=scope.id,
        fields=fields_of(EveryForm, {"every_minutes": scope.every_minutes}),
        lately=job_line(job) if job is not None else None,
    )


def checked_facts(facts: Facts) -> Checked:
    """A good connection in a sentence and a table."""
    tables = tuple(
        TableLine(_KINDS[kind], each.name, each.num_rows, ", ".join(each.rights).lower() or "nothing")
        for kind, each in facts.tables.items()
    )
    unread = [line.name for line in tables if line.num_rows is None]
    stars = ""
    if facts.num_gold is not None:
        stars = f" {counted(facts.num_gold, 'gold star')} of {counted(facts.num_scopes, 'philosopher')}."
    column = "is there" if facts.has_model_column else "is not there yet (goldsmith aristotle migrate)"
    sentence = f"Generation {facts.layout.generation.value}.{stars} The column fine_tuned_model_id {column}."
    sentence += f" To execute conquests: {_subjects(facts)}"
    if unread:
        hint = "Grant the role SELECT on it, as the how-to says."
        return Checked(
            "It answers, but cannot be read", f"The role may not read {', '.join(unread)}.", hint, False, tables
        )
    return Checked("It answers", sentence, tables=tables)


def _subjects(facts: Facts) -> str:
    found = (("eidos", facts.eidos), ("candidates", facts.candidates))
    return " ".join(f"{word}: {said.rstrip('.')}." for word, said in found)


def conflict_lines(writes: Sequence[SourceWrite]) -> tuple[ConflictLine, ...]:
    """Conflicts as they are shown."""
    return tuple(ConflictLine(each.external_id, each.message, each.created_at) for each in writes)


def execution_line(
    execution: ConquestExecution, conquest_id: str | None, num_stored: int, used: tuple[int, float]
) -> ExecutionLine:
    """An execution as it is shown."""
    is_one = execution.num_candidates == 1
    return ExecutionLine(
        id=execution.id,
        state=execution.state,
        job_id=execution.job_id or "",
        model_id=execution.model_id,
        model_name=execution.model_name,
        num_candidates=execution.num_candidates,
        conquest=(conquest_id or "none") if is_one else f"{num_stored:,} of {execution.num_candidates:,}",
        tokens=used[0],
        seconds=used[1],
        at=execution.created_at,
    )
