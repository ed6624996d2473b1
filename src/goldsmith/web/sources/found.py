"""Gathers what the pages of sources show."""

from fastapi import Request
from sqlalchemy import orm

from goldsmith.connect.sources import kinds
from goldsmith.connect.sources.types import SourceKind
from goldsmith.connect.syncing import queries, service
from goldsmith.connect.syncing.tables import SourceConflict, SourceConnection
from goldsmith.data import queries as data
from goldsmith.jobs.states import JobState
from goldsmith.jobs.types import JobFailure
from goldsmith.people.types import Person
from goldsmith.storage import sealing
from goldsmith.storage.files import Home
from goldsmith.web.forms import fields_of
from goldsmith.web.job_lines import job_line
from goldsmith.web.listing import with_query
from goldsmith.web.sources import forms
from goldsmith.web.sources.forms import ConnectionFields
from goldsmith.web.sources.offers import offers_part
from goldsmith.web.sources.views import (
    ConflictLine,
    ConnectionFormPage,
    ConnectionPage,
    OriginPart,
    SourcesPage,
    Tested,
    changes,
    connection_line,
    kind_line,
    often,
    origin_part,
    said,
    shown_options,
    sync_line,
)

_LIST = ("Data", "/data"), ("Sources", "/sources")


def sources_page(session: orm.Session, person: Person) -> SourcesPage:
    """The list, and what can be connected."""
    found = queries.page(session, domain=person.domain)
    ids = [each.id for each in found]
    newest, rows, open_ones = (
        queries.newest_syncs(session, ids),
        queries.num_items(session, ids),
        queries.num_conflicts(session, ids),
    )
    installed = kinds.installed()
    return SourcesPage(
        title="Sources",
        connections=tuple(
            connection_line(
                each, title_of(each.kind), newest.get(each.id), rows.get(each.id, 0), open_ones.get(each.id, 0)
            )
            for each in found
        ),
        kinds=tuple(kind_line(kind) for kind in installed.by_name.values()),
        broken=tuple((each.name, each.package, each.reason) for each in installed.broken),
    )


def title_of(kind: str) -> str:
    """How a kind is called; one whose plugin is gone has only its name."""
    known = kinds.installed().by_name.get(kind)
    return known.title if known is not None else kind


def new_page(kind: SourceKind, fields: ConnectionFields, tested: Tested | None = None) -> ConnectionFormPage:
    """A new connection's form."""
    return ConnectionFormPage(
        title=f"Connect {_inside(kind.title)}",
        about=f"{kind.about} Nothing is read before you say so.",
        own=fields.own,
        shared=fields.shared,
        action=f"/sources/new/{kind.name}",
        verb="Add the source",
        crumbs=_LIST,
        tested=tested,
    )


def _inside(title: str) -> str:
    """A title within a sentence: "a database", and names as they are."""
    return f"a{title[1:]}" if title.startswith(("A ", "An ")) else title


def change_page(connection: SourceConnection, fields: ConnectionFields | None = None) -> ConnectionFormPage:
    """The form of a connection that is there."""
    kind = kinds.one(connection.kind)
    shared = {name: getattr(connection, name) for name in forms.ConnectionForm.model_fields}
    shown = fields or forms.kept(kind, connection.options, shared)
    return ConnectionFormPage(
        title=f"Change {connection.name}",
        about="With another place or query it is read from the beginning; no row comes in twice. "
        "A password that you leave empty stays as it is, unless it would go to another place.",
        own=shown.own,
        shared=shown.shared,
        action=f"/sources/{connection.id}/change",
        verb="Keep the changes",
        crumbs=(*_LIST, (connection.name, f"/sources/{connection.id}")),
    )


def sent_change(home: Home, connection: SourceConnection, posted: dict[str, str]) -> ConnectionFields:
    """A changed connection's form as it was sent."""
    return forms.sent(kinds.one(connection.kind), posted, sealing.read(home, connection.id))


def connection_page(
    request: Request,
    session: orm.Session,
    home: Home,
    connection: SourceConnection,
    *,
    row_id: str | None = None,
    tested: Tested | None = None,
) -> ConnectionPage:
    """One connection."""
    syncs = queries.syncs(session, connection.id)
    newest = syncs[0][1] if syncs else None
    is_over = newest is None or JobState(newest.state).is_over
    failure = newest.failure if newest is not None and newest.state == JobState.FAILED.value else None
    kind = kinds.installed().by_name.get(connection.kind)
    offers = offers_part(session, connection)
    return ConnectionPage(
        title=connection.name,
        id=connection.id,
        kind=title_of(connection.kind),
        options=shown_options(connection.options, fields_of(kind.Options) if kind is not None else ()),
        has_secret=service.has_secrets(home, connection),
        dataset_id=connection.dataset_id,
        num_rows=queries.num_items(session, [connection.id]).get(connection.id, 0),
        often=often(connection),
        next_at=connection.next_sync_at,
        answer_column=connection.answer_column,
        is_removed=connection.removed_at is not None,
        job=job_line(newest) if newest is not None and (not is_over or newest.state == "paused") else None,
        failure=JobFailure(**failure) if failure else None,
        syncs=tuple(sync_line(sync, job) for sync, job in syncs),
        conflicts=tuple(_conflict(session, each) for each in queries.conflicts(session, connection.id)),
        tested=tested,
        origin=_origin(session, row_id, connection) if row_id else None,
        offers=offers,
        live=newest.id if newest is not None and not is_over else offers.live if offers is not None else "",
        address=with_query(request) if request.method == "GET" else f"/sources/{connection.id}",
    )


def _conflict(session: orm.Session, conflict: SourceConflict) -> ConflictLine:
    before, after = data.row(session, conflict.row_id), data.row(session, conflict.new_row_id)
    marks = tuple(dict.fromkeys(said(mark) for mark in queries.marks_in_force(session, conflict)))
    differ = changes(before.content, after.content)
    return ConflictLine(conflict.id, conflict.source_id, differ, marks, conflict.created_at)


def _origin(session: orm.Session, row_id: str, connection: SourceConnection) -> OriginPart | None:
    found = queries.origin(session, row_id, domain=connection.domain)
    if found is None or found[1].id != connection.id:
        return None
    return origin_part(found[0], data.row(session, row_id).content)
