"""The verbs of connections: add, test, change, sync now, remove. A sync itself is a job's work (`jobs.py`)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from pydantic import SecretStr, ValidationError
from sqlalchemy import delete
from sqlalchemy.orm import Session

from goldsmith.connect.service import check_operator
from goldsmith.connect.sources import kinds
from goldsmith.connect.sources.types import Looked, OpenSource, SourceKind, SourceOptions, Surroundings, TwoWayOptions
from goldsmith.connect.syncing import queries
from goldsmith.connect.syncing.errors import (
    ConnectionNameTaken,
    ConnectionNotUsable,
    RowWithoutSource,
    SecretNotEntered,
)
from goldsmith.connect.syncing.tables import RowOrigin, SourceConnection, SourceGroup, SourceSync
from goldsmith.connect.syncing.types import (
    MAX_EVERY_MINUTES,
    MIN_EVERY_MINUTES,
    SYNC_JOB,
    ConnectionChange,
    ConnectionDraft,
)
from goldsmith.data.tables import Dataset
from goldsmith.jobs import queue
from goldsmith.jobs.queue import NewJob
from goldsmith.jobs.states import JobState
from goldsmith.jobs.tables import Job
from goldsmith.jobs.types import StopRequest
from goldsmith.people.types import Person
from goldsmith.storage import clock, sealing
from goldsmith.storage.files import Home
from goldsmith.storage.ids import Prefix, new_id
from goldsmith.storage.text import storable

TOLD_WITHIN = timedelta(seconds=3)


@dataclass(frozen=True)
class Opened:
    """A connection as it is read: its kind with its options, secrets among them."""

    kind: SourceKind
    options: SourceOptions

    def source(self, surroundings: Surroundings) -> OpenSource:
        """The source. Raises what the kind raises."""
        return self.kind.open(self.options, surroundings)


def test(draft_kind: str, options: Mapping[str, Any], surroundings: Surroundings) -> Looked:
    """Look at a source before anything is kept. Raises what the source raises."""
    kind = kinds.one(draft_kind)
    return kind.open(_checked(kind, options), surroundings).look()


def test_kept(home: Home, connection: SourceConnection, surroundings: Surroundings) -> Looked:
    """Look at the source of a connection. Raises what the source raises, SecretNotEntered."""
    return opened(home, connection).source(surroundings).look()


def add(session: Session, home: Home, draft: ConnectionDraft, *, by: Person) -> SourceConnection:
    """Keep a connection, with a dataset of its own for what will come in. Nothing is read yet.

    Raises NotYourScope, SourceKindUnknown, ConnectionNotUsable, ConnectionNameTaken.
    """
    check_operator(by)
    kind = kinds.one(draft.kind)
    options = _checked(kind, draft.options)
    name = _free_name(session, draft.name, by.domain)
    dataset = Dataset(id=new_id(Prefix.DATASET), name=name, domain=by.domain, created_by=by.id)
    session.add(dataset)
    session.flush()
    connection = SourceConnection(
        id=new_id(Prefix.CONNECTION),
        name=name,
        kind=kind.name,
        options=_without_secrets(options),
        question_column=_column(draft.question_column),
        answer_column=_answer_column(kind, draft.answer_column),
        dataset_id=dataset.id,
        cursor={},
        columns=[],
        domain=by.domain,
        created_by=by.id,
    )
    _schedule(connection, draft.every_minutes)
    session.add(connection)
    session.flush()
    sealing.keep(home, connection.id, _secrets(options))
    return connection


def change(
    session: Session, home: Home, connection_id: str, wanted: ConnectionChange, *, by: Person
) -> tuple[SourceConnection, bool]:
    """Change a connection; also says whether a password was forgotten because it would go to another place now.

    With other options it is read from the beginning again; what is in already stays, and comes in only once.
    """
    check_operator(by)
    connection = queries.one(session, connection_id, domain=by.domain, for_update=True)
    kind = kinds.one(connection.kind)
    sealed = sealing.read(home, connection.id)
    secret_names = kind.Options.secret_names()
    given = {name: value for name, value in wanted.options.items() if name not in secret_names or value}
    together = {**connection.options, **given}
    is_elsewhere = any(together.get(name) != connection.options.get(name) for name in kind.Options.place_names())
    forgotten = {name for name in sealed if is_elsewhere and name not in given}
    kept = {name: value for name, value in sealed.items() if name not in forgotten}
    options = _checked(kind, {**kept, **together})
    if wanted.name.strip() != connection.name:
        connection.name = _free_name(session, wanted.name, by.domain)
    before, connection.options = connection.options, _without_secrets(options)
    if _what_is_read(connection.options) != _what_is_read(before):
        connection.cursor = {}
        session.execute(delete(SourceGroup).where(SourceGroup.connection_id == connection.id))
    answer_column = _answer_column(kind, wanted.answer_column)
    if answer_column != connection.answer_column:
        connection.has_news = True  # the next sync makes a version that says so
    connection.question_column, connection.answer_column = _column(wanted.question_column), answer_column
    _schedule(connection, wanted.every_minutes)
    session.flush()
    sealing.keep(home, connection.id, _secrets(options))
    return connection, bool(forgotten)


def _what_is_read(options: Mapping[str, Any]) -> Mapping[str, Any]:
    """Without what goes there and how we are told of changes; older connections do not say either."""
    return {name: value for name, value in options.items() if name not in TwoWayOptions.model_fields}


def sync(session: Session, connection_id: str, *, by: Person, is_scheduled: bool = False) -> Job:
    """Queue the reading of a connection; of one that is being read, or waits for it, the job that is at it.

    Raises ConnectionNotFound.
    """
    connection = queries.one(session, connection_id, domain=by.domain, for_update=True)
    job = queries.under_way(session, connection.id)
    if job is not None:
        if job.state == JobState.PAUSED.value:
            queue.again(session, job, f"asked for by {by.name}")
        return job
    new = NewJob(SYNC_JOB, f"Read {connection.name}", {"connection": connection.id}, subject_id=connection.id)
    job = queue.add(session, new, by=by)
    session.add(
        SourceSync(
            id=new_id(Prefix.SYNC),
            connection_id=connection.id,
            job_id=job.id,
            is_scheduled=is_scheduled,
            not_taken=[],
        )
    )
    every = connection.every_minutes
    connection.next_sync_at = clock.now() + timedelta(minutes=every) if every is not None else None
    session.flush()
    return job


def told(session: Session, connection_id: str, *, by: Person) -> SourceConnection:
    """Something has changed there: read it in some seconds, with whatever else is told until then; once more after a
    reading that is under way. Raises ConnectionNotFound.
    """
    connection = queries.one(session, connection_id, domain=by.domain)
    soon = clock.now() + TOLD_WITHIN
    if connection.next_sync_at is None or connection.next_sync_at > soon:
        connection.next_sync_at = soon
    session.flush()
    return connection


def remove(session: Session, home: Home, connection_id: str, *, by: Person) -> SourceConnection:
    """Read it no more, and forget its password. Datasets, stars and where each row came from stay."""
    connection = queries.one(session, connection_id, domain=by.domain, for_update=True)
    connection.removed_at, connection.next_sync_at = clock.now(), None
    job = queries.under_way(session, connection.id)
    if job is not None:
        queue.ask_to_stop(session, job, StopRequest.CANCEL)
    session.flush()
    sealing.forget(home, connection.id)
    return connection


def opened(home: Home, connection: SourceConnection) -> Opened:
    """A connection with its secrets. Raises SourceKindUnknown, SecretNotEntered, SecretNotReadable."""
    kind = kinds.one(connection.kind)
    sealed = sealing.read(home, connection.id)
    try:
        return Opened(kind, kind.Options.model_validate({**connection.options, **sealed}))
    except ValidationError as error:
        fields = {str(each["loc"][0]) for each in error.errors(include_url=False, include_input=False) if each["loc"]}
        if fields & set(kind.Options.secret_names()):
            raise SecretNotEntered(f"{connection.name} needs {', '.join(sorted(fields))}.") from None
        raise ConnectionNotUsable(_sentence(error)) from None


def origin(session: Session, row_id: str, *, by: Person) -> tuple[RowOrigin, SourceConnection]:
    """Where a row came from. Raises RowWithoutSource."""
    found = queries.origin(session, row_id, domain=by.domain)
    if found is None:
        raise RowWithoutSource(f"The row {row_id[:80]} came from no source, or is not here.")
    return found


def has_secrets(home: Home, connection: SourceConnection) -> bool:
    """Whether a password is kept for it. Says nothing more of it."""
    return sealing.path_of(home, connection.id).is_file()


def _checked(kind: SourceKind, options: Mapping[str, Any]) -> SourceOptions:
    try:
        return kind.Options.model_validate(dict(options))
    except ValidationError as error:
        raise ConnectionNotUsable(_sentence(error)) from None


def _sentence(error: ValidationError) -> str:
    """Which field is wrong and why, without what was typed: it may be a password."""
    first = error.errors(include_url=False, include_input=False)[0]
    where = str(first["loc"][0]) if first["loc"] else "the options"
    return f"{where}: {str(first['msg']).removeprefix('Value error, ')}."


def _without_secrets(options: SourceOptions) -> dict[str, Any]:
    return options.model_dump(mode="json", exclude=set(options.secret_names()))


def _secrets(options: SourceOptions) -> dict[str, str]:
    values = {name: getattr(options, name) for name in options.secret_names()}
    texts = {name: value.get_secret_value() for name, value in values.items() if isinstance(value, SecretStr)}
    return {name: text for name, text in texts.items() if text}


def _column(name: str | None) -> str | None:
    return storable(name).strip()[:255] or None if name else None


def _answer_column(kind: SourceKind, named: str | None) -> str | None:
    return _column(named) or kind.Options.good_answers()


def _free_name(session: Session, name: str, domain: str) -> str:
    name = storable(name).strip()[:255]
    if not name:
        raise ConnectionNotUsable("The connection has no name.")
    if any(each.name == name for each in queries.page(session, domain=domain)):
        raise ConnectionNameTaken(f"There is a connection {name!r} already.")
    return name


def check_minutes(every_minutes: int | None) -> None:
    """Raise ConnectionNotUsable for what is no time between two readings; None: only when somebody asks."""
    if every_minutes is not None and not MIN_EVERY_MINUTES <= every_minutes <= MAX_EVERY_MINUTES:
        raise ConnectionNotUsable(
            f"It can be read every {MIN_EVERY_MINUTES} to {MAX_EVERY_MINUTES:,} minutes, not every {every_minutes:,}."
        )


def _schedule(connection: SourceConnection, every_minutes: int | None) -> None:
    """The first time at once, then every so many minutes; None: only when somebody asks."""
    check_minutes(every_minutes)
    if every_minutes != connection.every_minutes or every_minutes is None:
        connection.next_sync_at = clock.now() if every_minutes is not None else None
    connection.every_minutes = every_minutes
