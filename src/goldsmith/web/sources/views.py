"""What the pages of sources show, made from rows. Knows no request."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from goldsmith.connect.sources.types import Looked, SourceKind
from goldsmith.connect.syncing.tables import RowOrigin, SourceConnection, SourceSync
from goldsmith.errors import GoldsmithError
from goldsmith.jobs.tables import Job
from goldsmith.jobs.types import JobFailure
from goldsmith.stars.tables import Mark
from goldsmith.web.format import counted
from goldsmith.web.forms import FormField
from goldsmith.web.job_lines import JobLine
from goldsmith.web.listing import Head
from goldsmith.web.pages import Page
from goldsmith.web.sources.offers import OffersPart

LIST_HEADS = (
    *(Head("Source"), Head("Last read"), Head("Rows", is_number=True)),
    *(Head("Read again"), Head("To decide", is_number=True)),
)
SYNC_HEADS = (
    *(Head("Read"), Head("State"), Head("New", is_number=True), Head("Changed", is_number=True)),
    *(Head("Gone", is_number=True), Head("Left out", is_number=True), Head("Came of it")),
)


@dataclass(frozen=True)
class ConnectionLine:
    """A connection in the list."""

    id: str
    name: str
    kind: str
    state: str
    """The name of its badge; empty before the first sync."""
    read_at: datetime | None
    num_rows: int
    often: str
    num_conflicts: int


@dataclass(frozen=True)
class KindLine:
    """A kind of source that can be chosen."""

    name: str
    title: str
    about: str


@dataclass(frozen=True)
class Tested:
    """What a test of the connection found."""

    title: str
    sentence: str
    hint: str = ""
    is_good: bool = True


@dataclass(frozen=True)
class SyncLine:
    """One reading, and what came of it."""

    at: datetime
    job_id: str
    state: str
    is_scheduled: bool
    num_new: int
    num_changed: int
    num_gone: int
    num_not_taken: int
    version_id: str | None
    not_taken: tuple[tuple[str, str], ...]
    trouble: str


@dataclass(frozen=True)
class ConflictLine:
    """A row that changed in the source after somebody had marked it here."""

    id: int
    source_id: str
    changes: tuple[tuple[str, str, str], ...]
    """Column, what was marked, what the source has now."""
    said: tuple[str, ...]
    """What somebody said here."""
    at: datetime


@dataclass(frozen=True)
class OriginPart:
    """Where one row came from."""

    source_id: str
    place: str
    fetched_at: datetime
    content: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class SourcesPage(Page):
    """All connections, newest first."""

    template: ClassVar[str] = "sources/sources.html"
    current: ClassVar[str] = "data"
    connections: tuple[ConnectionLine, ...]
    kinds: tuple[KindLine, ...]
    broken: tuple[tuple[str, str, str], ...]
    """Plugins that could not be loaded: name, package, why."""
    heads: tuple[Head, ...] = LIST_HEADS


@dataclass(frozen=True)
class ConnectionFormPage(Page):
    """A connection that is being filled in: a new one, or one that is changed."""

    template: ClassVar[str] = "sources/form.html"
    current: ClassVar[str] = "data"
    about: str
    own: tuple[FormField, ...]
    shared: tuple[FormField, ...]
    action: str
    verb: str
    crumbs: tuple[tuple[str, str], ...]
    tested: Tested | None = None


@dataclass(frozen=True)
class ConnectionPage(Page):
    """One connection: what came in, when, what is next, and what has to be decided."""

    template: ClassVar[str] = "sources/connection.html"
    current: ClassVar[str] = "data"
    id: str
    kind: str
    options: tuple[tuple[str, str], ...]
    has_secret: bool
    dataset_id: str
    num_rows: int
    often: str
    next_at: datetime | None
    answer_column: str | None
    is_removed: bool
    job: JobLine | None
    """Of a sync that is under way."""
    failure: JobFailure | None
    """Of the last one, when it failed."""
    syncs: tuple[SyncLine, ...]
    conflicts: tuple[ConflictLine, ...]
    tested: Tested | None
    origin: OriginPart | None
    offers: OffersPart | None
    """Of a source that takes answers."""
    live: str
    address: str
    heads: tuple[Head, ...] = SYNC_HEADS


def often(connection: SourceConnection) -> str:
    """How often a connection is read."""
    minutes = connection.every_minutes
    is_told = bool(connection.options.get("told_at"))
    if minutes is None:
        return "when it says that something changed" if is_told else "only when asked"
    return f"{_every(minutes)}, and when it says that something changed" if is_told else _every(minutes)


def _every(minutes: int) -> str:
    if minutes % 1440 == 0:
        return "every day" if minutes == 1440 else f"every {minutes // 1440:,} days"
    if minutes % 60 == 0:
        return "every hour" if minutes == 60 else f"every {minutes // 60:,} hours"
    return f"every {minutes:,} minutes"


def connection_line(
    connection: SourceConnection, kind: str, newest: tuple[SourceSync, Job] | None, num_rows: int, num_conflicts: int
) -> ConnectionLine:
    """A connection as the list shows it."""
    return ConnectionLine(
        id=connection.id,
        name=connection.name,
        kind=kind,
        state=newest[1].state if newest is not None else "",
        read_at=newest[1].finished_at or newest[0].created_at if newest is not None else None,
        num_rows=num_rows,
        often=often(connection),
        num_conflicts=num_conflicts,
    )


def kind_line(kind: SourceKind) -> KindLine:
    """A kind as it is offered."""
    return KindLine(kind.name, kind.title, kind.about)


def sync_line(sync: SourceSync, job: Job) -> SyncLine:
    """A reading as it is shown."""
    return SyncLine(
        at=sync.created_at,
        job_id=job.id,
        state=job.state,
        is_scheduled=sync.is_scheduled,
        num_new=sync.num_new,
        num_changed=sync.num_changed,
        num_gone=sync.num_gone,
        num_not_taken=sync.num_not_taken,
        version_id=sync.version_id,
        not_taken=tuple((each["place"], each["reason"]) for each in sync.not_taken[:50]),
        trouble=str((job.failure or {}).get("summary", "")),
    )


def looked(found: Looked) -> Tested:
    """A good test."""
    columns = f"Columns: {', '.join(found.columns[:40])}." if found.columns else ""
    return Tested("It answers", " ".join(filter(None, (found.sentence, columns, *found.notes))))


def refused(error: GoldsmithError) -> Tested:
    """A bad test: what was wrong, and what to do."""
    return Tested(error.title, error.message, error.hint, is_good=False)


def shown_options(options: Mapping[str, Any], fields: Sequence[FormField]) -> tuple[tuple[str, str], ...]:
    """What was filled in, without secrets."""
    said = []
    for field in fields:
        value = options.get(field.name)
        if value not in (None, "", False):
            said.append((field.label, "yes" if value is True else str(value)))
    return tuple(said)


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[tuple[str, str, str], ...]:
    """The columns in which two contents differ."""
    names = list(dict.fromkeys([*before, *after]))
    return tuple(
        (name, str(before.get(name, "")), str(after.get(name, "")))
        for name in names
        if before.get(name, "") != after.get(name, "")
    )


def said(mark: Mark) -> str:
    """What a person said about an answer."""
    if mark.correction is not None:
        return f"corrected to “{mark.correction}”"
    return "marked as bad" if mark.is_bad else "given a gold star"


def origin_part(origin: RowOrigin, content: Mapping[str, Any]) -> OriginPart:
    """Where a row came from, as it is shown."""
    texts = tuple((name, str(text)) for name, text in content.items() if str(text))
    return OriginPart(origin.source_id, origin.place, origin.fetched_at, texts)


def queued_words(job: Job) -> str:
    """What is said after a sync was asked for."""
    return "It is being read." if job.state != "queued" else "It is read as soon as its turn comes."


def came_in(sync: SourceSync) -> str:
    """What a reading brought, in a few words."""
    return f"{counted(sync.num_new, 'new row')}, {sync.num_changed:,} changed, {sync.num_gone:,} gone"
