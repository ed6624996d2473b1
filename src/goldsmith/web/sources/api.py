"""The API over sources."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Response
from pydantic import Field
from sqlalchemy import orm

from goldsmith.connect.sources import kinds
from goldsmith.connect.syncing import queries, removing, service, starring
from goldsmith.connect.syncing.tables import SourceConnection, SourceSync
from goldsmith.connect.syncing.types import (
    MAX_EVERY_MINUTES,
    MIN_EVERY_MINUTES,
    ConflictState,
    ConnectionChange,
    ConnectionDraft,
)
from goldsmith.data import queries as data
from goldsmith.jobs.states import JobState
from goldsmith.jobs.tables import Job
from goldsmith.storage.files import Home
from goldsmith.web.answers import ApiAnswer, ApiBody, Id, Limit, Name, made, not_yet
from goldsmith.web.dependencies import CurrentPerson, ReadSession, Session, TheHome, TheState, TheSurroundings
from goldsmith.web.sources.testing import tested
from goldsmith.web.sources.views import changes
from goldsmith.web.waiting import wait_for_job

api = APIRouter(prefix="/v1/sources", tags=["sources"])
Minutes = Annotated[int, Field(ge=MIN_EVERY_MINUTES, le=MAX_EVERY_MINUTES)]


class SourceBody(ApiBody):
    """A new source."""

    name: Name
    """Also the name of the dataset that its rows come into."""
    kind: Name
    """One of those that `GET /v1/sources/kinds` lists."""
    options: Annotated[dict[str, Any], Field(max_length=50, default_factory=dict)]
    """What the kind asks for. Passwords are sealed and never shown again."""
    question_column: Name | None = None
    """The column that asks, where rows have good answers."""
    answer_column: Name | None = None
    """The column with good answers, which become gold stars."""
    every_minutes: Minutes | None = None
    """How often it is read; null: only when asked."""


class SourceChangeBody(ApiBody):
    """What shall be otherwise; what is left out stays as it is."""

    name: Name | None = None
    options: Annotated[dict[str, Any], Field(max_length=50, default_factory=dict)]
    """Only those that change."""
    question_column: Name | None = None
    answer_column: Name | None = None
    every_minutes: Minutes | None = None


class SyncAnswer(ApiAnswer):
    """One reading of a source."""

    id: str
    job_id: str
    state: JobState
    is_scheduled: bool
    num_read: int
    num_new: int
    num_changed: int
    num_gone: int
    num_not_taken: int
    not_taken: list[dict[str, str]]
    """The first 200 that were left out: place and reason."""
    num_conflicts: int
    version_id: str | None
    """The dataset's version that came of it; null where nothing was new."""
    content_sha256: str | None
    """Of that version."""
    created_at: datetime


class SourceAnswer(ApiAnswer):
    """A source, without its passwords."""

    id: str
    name: str
    kind: str
    options: dict[str, Any]
    has_secret: bool
    question_column: str | None
    answer_column: str | None
    every_minutes: int | None
    next_sync_at: datetime | None
    dataset_id: str
    num_rows: int
    num_conflicts: int
    last_sync: SyncAnswer | None
    created_by: str
    created_at: datetime


class RemovedAnswer(SourceAnswer):
    """A source that is read no more."""

    left_there: str | None
    """What could not be taken away there, such as its webhook, and how to do it; null where nothing is left."""


class SourcesAnswer(ApiAnswer):
    """All sources, newest first."""

    sources: list[SourceAnswer]


class KindAnswer(ApiAnswer):
    """A kind of source, with what it asks for as JSON schema."""

    name: str
    title: str
    about: str
    options: dict[str, Any]


class BrokenPluginAnswer(ApiAnswer):
    """A plugin that could not be loaded."""

    name: str
    package: str
    reason: str


class KindsAnswer(ApiAnswer):
    """Kinds of sources, and plugins that were left out."""

    kinds: list[KindAnswer]
    broken: list[BrokenPluginAnswer]


class TestAnswer(ApiAnswer):
    """What a test found."""

    ok: bool
    title: str
    detail: str
    hint: str


class SyncsAnswer(ApiAnswer):
    """Readings, newest first."""

    syncs: list[SyncAnswer]


class ConflictAnswer(ApiAnswer):
    """A row that changed in the source after somebody had marked it."""

    id: int
    source_id: str
    row_id: str
    new_row_id: str
    state: ConflictState
    changes: list[dict[str, str]]
    """Column, `marked` as it was, `now` as the source has it."""
    created_at: datetime


class ConflictsAnswer(ApiAnswer):
    """Conflicts that nobody has decided, oldest first."""

    conflicts: list[ConflictAnswer]


class DecisionBody(ApiBody):
    """What shall hold."""

    state: ConflictState
    """`kept`: what was said here; `taken`: the source's new row."""


class OriginAnswer(ApiAnswer):
    """Where a row came from."""

    row_id: str
    connection_id: str
    connection: str
    source_id: str
    place: str
    content_sha256: str
    fetched_at: datetime


@api.get("/kinds")
def list_kinds(person: CurrentPerson) -> KindsAnswer:
    """What can be connected, plugins among it."""
    del person
    found = kinds.installed()
    shown = [
        KindAnswer(name=kind.name, title=kind.title, about=kind.about, options=kind.Options.model_json_schema())
        for kind in found.by_name.values()
    ]
    return KindsAnswer(kinds=shown, broken=[BrokenPluginAnswer.model_validate(each) for each in found.broken])


@api.post("", status_code=201)
def add(session: Session, person: CurrentPerson, home: TheHome, body: SourceBody, response: Response) -> SourceAnswer:
    """Connect a source. Nothing is read yet."""
    connection = service.add(session, home, ConnectionDraft(**body.model_dump()), by=person)
    made(response, f"/v1/sources/{connection.id}")
    return _shown(session, home, [connection])[0]


@api.get("")
def list_sources(session: ReadSession, person: CurrentPerson, home: TheHome) -> SourcesAnswer:
    """All sources, newest first."""
    return SourcesAnswer(sources=_shown(session, home, queries.page(session, domain=person.domain)))


@api.get("/rows/{row_id}")
def origin(session: ReadSession, person: CurrentPerson, row_id: Id) -> OriginAnswer:
    """Where a dataset's row came from, and so a star in a training set."""
    found, connection = service.origin(session, row_id, by=person)
    own = {name: getattr(found, name) for name in ("row_id", "connection_id", "source_id", "place", "fetched_at")}
    return OriginAnswer(**own, connection=connection.name, content_sha256=found.content_hash)


@api.get("/{source}")
def one(session: ReadSession, person: CurrentPerson, home: TheHome, source: Id) -> SourceAnswer:
    """One source, by id or name."""
    return _shown(session, home, [queries.one(session, source, domain=person.domain)])[0]


@api.patch("/{source}")
def change(session: Session, person: CurrentPerson, home: TheHome, source: Id, body: SourceChangeBody) -> SourceAnswer:
    """Change a source. A password is forgotten when it would go to another place from now on."""
    found = queries.one(session, source, domain=person.domain)
    said = body.model_dump(exclude_unset=True)
    names = ("name", "question_column", "answer_column", "every_minutes")
    wanted = {name: said.get(name, getattr(found, name)) for name in names}
    changed, _ = service.change(session, home, found.id, ConnectionChange(options=body.options, **wanted), by=person)
    return _shown(session, home, [changed])[0]


@api.delete("/{source}")
def remove(state: TheState, person: CurrentPerson, surroundings: TheSurroundings, source: Id) -> RemovedAnswer:
    """Read it no more; its password is deleted, what came in stays, and its webhook is taken away there."""
    removed = removing.remove(state.database, state.home, source, surroundings, by=person)
    with state.database.reading() as session:
        shown = _shown(session, state.home, [removed.connection])[0]
    return RemovedAnswer(**shown.model_dump(), left_there=removed.left_there or None)


@api.post("/{source}/test")
def test(state: TheState, person: CurrentPerson, surroundings: TheSurroundings, source: Id) -> TestAnswer:
    """See whether it answers: which place, what was wrong, what to do. No row is in the answer."""
    with state.database.reading() as session:
        found = queries.one(session, source, domain=person.domain)
    said = tested(state.home, found, surroundings, by=person)
    return TestAnswer(ok=said.is_good, title=said.title, detail=said.sentence, hint=said.hint)


@api.post("/{source}/sync", responses={202: {"model": SyncAnswer}})
def sync(state: TheState, person: CurrentPerson, source: Id, response: Response) -> SyncAnswer:
    """Read it now; 202 when that takes longer than ten seconds."""
    with state.database.transaction() as session:
        job_id = service.sync(session, source, by=person).id
    wait_for_job(state.database, job_id)
    with state.database.reading() as session:
        found = queries.sync_of(session, job_id)
        job = session.get_one(Job, job_id)
        if not JobState(job.state).is_over:
            not_yet(response, f"/v1/sources/{found.connection_id}/syncs")
        return _sync(session, found, job)


@api.get("/{source}/syncs")
def syncs(session: ReadSession, person: CurrentPerson, source: Id, limit: Limit = 50) -> SyncsAnswer:
    """When it was read and what came in, newest first."""
    found = queries.one(session, source, domain=person.domain)
    return SyncsAnswer(syncs=[_sync(session, each, job) for each, job in queries.syncs(session, found.id, limit=limit)])


@api.get("/{source}/conflicts")
def conflicts(session: ReadSession, person: CurrentPerson, source: Id, limit: Limit = 50) -> ConflictsAnswer:
    """Rows that changed in the source after somebody had marked them, and that nobody has decided."""
    found = queries.one(session, source, domain=person.domain)
    shown = []
    for each in queries.conflicts(session, found.id, limit=limit):
        before, after = data.row(session, each.row_id).content, data.row(session, each.new_row_id).content
        differ = [{"column": name, "marked": old, "now": new} for name, old, new in changes(before, after)]
        own = {name: getattr(each, name) for name in ConflictAnswer.model_fields if name != "changes"}
        shown.append(ConflictAnswer(**own, changes=differ))
    return ConflictsAnswer(conflicts=shown)


@api.post("/{source}/conflicts/{conflict_id}")
def decide(
    session: Session, person: CurrentPerson, source: Id, conflict_id: int, body: DecisionBody
) -> ConflictsAnswer:
    """Decide a conflict; answers what is left to decide."""
    found = queries.one(session, source, domain=person.domain)
    starring.decide(session, found, conflict_id, body.state, by=person)
    return conflicts(session, person, found.id)


def _shown(session: orm.Session, home: Home, found: list[SourceConnection]) -> list[SourceAnswer]:
    ids = [each.id for each in found]
    newest, rows, open_ones = (
        queries.newest_syncs(session, ids),
        queries.num_items(session, ids),
        queries.num_conflicts(session, ids),
    )
    answers = []
    for each in found:
        own = {name: getattr(each, name) for name in SourceAnswer.model_fields if hasattr(each, name)}
        last = newest.get(each.id)
        answers.append(
            SourceAnswer(
                **own,
                has_secret=service.has_secrets(home, each),
                num_rows=rows.get(each.id, 0),
                num_conflicts=open_ones.get(each.id, 0),
                last_sync=_sync(session, *last) if last is not None else None,
            )
        )
    return answers


def _sync(session: orm.Session, found: SourceSync, job: Job) -> SyncAnswer:
    own = {name: getattr(found, name) for name in SyncAnswer.model_fields if hasattr(found, name)}
    version = data.version(session, found.version_id) if found.version_id else None
    return SyncAnswer(
        **own, state=JobState(job.state), content_sha256=version.content_hash if version is not None else None
    )
