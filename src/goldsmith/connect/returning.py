"""Takes what people say here back to the source that the answers came from. A replay changes nothing.

What shall be is recorded first, done then, in one transaction of the source, and noted last. What somebody has changed
in the source since is a conflict: it is shown, and nothing is overwritten.
"""

from collections.abc import Mapping, Sequence
from itertools import takewhile
from typing import Any

from sqlalchemy.orm import Session

from goldsmith.connect import queries
from goldsmith.connect.tables import SourceScope, SourceWrite
from goldsmith.connect.types import Said, Scope, TwoWay, WriteState
from goldsmith.people import service as people
from goldsmith.stars.tables import Mark
from goldsmith.storage.database import Database
from goldsmith.storage.ids import Prefix, new_id

CHANGED = "Somebody has changed it there since. Look at both; if what is said here holds, mark the answer again."


def write_back(database: Database, source: TwoWay, scope_id: str) -> dict[str, int]:
    """Write every mark back that was not yet; returns how many came to which end. Raises what the source raises."""
    with database.transaction() as session:
        scope = _scope(session.get_one(SourceScope, scope_id))
        _record(session, scope_id)
    ends: dict[str, int] = {}
    with database.reading() as session:
        writes = [each.id for each in queries.planned(session, scope_id)]
    for write_id in writes:
        state = _do(database, source, scope, write_id)
        ends[state.value] = ends.get(state.value, 0) + 1
    return ends


def _scope(row: SourceScope) -> Scope:
    return Scope(row.philosopher, row.source_domain)


def _record(session: Session, scope_id: str) -> None:
    """Every mark once; of several on one answer the newest counts."""
    found = queries.unwritten(session, scope_id)
    newest = {external_id: mark.id for external_id, mark in found}
    for earlier in queries.planned(session, scope_id):
        if earlier.external_id in newest and earlier.after is None:
            earlier.state = WriteState.superseded.value
    for external_id, mark in found:
        state = WriteState.planned if newest[external_id] == mark.id else WriteState.superseded
        session.add(
            SourceWrite(
                id=new_id(Prefix.SOURCE_WRITE),
                scope_id=scope_id,
                external_id=external_id,
                mark_id=mark.id,
                is_star=mark.is_star,
                state=state.value,
            )
        )
    session.flush()


def _do(database: Database, source: TwoWay, scope: Scope, write_id: str) -> WriteState:
    with database.reading() as session:
        write = session.get_one(SourceWrite, write_id)
        said, earlier = _said(session, write), queries.earlier_writes(session, write.scope_id, write.external_id)
    if write.before is None or write.after is None:
        before = source.standing(scope, write.external_id)
        if before is None:
            return _note(database, write_id, WriteState.gone)
        if earlier and not _is_same(before, _seen(earlier[0])):
            return _conflict(database, write_id, before)
        after = source.wanted(before, said, _before_others(earlier, is_star=said.is_star))
        if _is_same(before, after):
            return _note(database, write_id, WriteState.same)
        _plan(database, write_id, before, after)
    else:
        before, after = write.before, write.after
    state = source.put(scope, write.external_id, before, after)
    if state is WriteState.conflict:
        return _conflict(database, write_id, source.standing(scope, write.external_id) or {})
    return _note(database, write_id, state)


def _seen(write: SourceWrite) -> Mapping[str, Any]:
    """How it stood in the source when this was over: as we left it, or as others had and people were told."""
    return (write.after if write.state == WriteState.done.value else write.before) or {}


def _before_others(earlier: Sequence[SourceWrite], *, is_star: bool) -> Mapping[str, Any] | None:
    """How it stood before the marks that say the contrary, one after the other, up to now."""
    done = takewhile(lambda each: each.state == WriteState.done.value and each.is_star != is_star, earlier)
    contrary = list(done)
    return contrary[-1].before if contrary else None


def _conflict(database: Database, write_id: str, seen: dict[str, Any]) -> WriteState:
    """Show what was found. Whoever marks the answer again has been told of it, so that mark decides."""
    with database.transaction() as session:
        write = session.get_one(SourceWrite, write_id)
        write.before, write.after = seen, None
        write.state, write.message = WriteState.conflict.value, CHANGED
    return WriteState.conflict


def _said(session: Session, write: SourceWrite) -> Said:
    mark = session.get_one(Mark, write.mark_id)
    person = people.one(session, mark.created_by)
    by = person.name if person is not None else mark.created_by
    return Said(write.external_id, mark.is_star, by, mark.created_at, mark.note, mark.correction)


def _is_same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return dict(one) == dict(other)


def _plan(database: Database, write_id: str, before: dict[str, Any], after: dict[str, Any]) -> None:
    with database.transaction() as session:
        write = session.get_one(SourceWrite, write_id)
        write.before, write.after = before, after


def _note(database: Database, write_id: str, state: WriteState) -> WriteState:
    with database.transaction() as session:
        write = session.get_one(SourceWrite, write_id)
        write.state = state.value
    return state
