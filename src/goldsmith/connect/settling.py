"""Brings the marks here in line with a source's stars, without touching what a person has said since.

A mark is a source's own while its newest maker is an import or this module. What somebody marked by hand stays.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import insert
from sqlalchemy.orm import Session

from goldsmith.connect import queries
from goldsmith.connect.tables import SourceScope
from goldsmith.people.types import Person
from goldsmith.run.tables import Answer, Run
from goldsmith.stars import queries as star_queries
from goldsmith.stars.service import mark_values
from goldsmith.stars.tables import Mark
from goldsmith.stars.types import MarkKind, MarkState


def settle(session: Session, starred: Collection[str], scope: SourceScope, run: Run | None, *, by: Person) -> int:
    """Star what is in `run`, if anything came; take it from what is no more among `starred`, and from older copies.

    What somebody said about an older copy with the same text holds for the new one. Returns how many answers of the run
    somebody here has marked otherwise, which stay as they are.
    """
    session.flush()
    found = queries.answers_of(session, scope.id)
    marks = star_queries.state_of(session, [answer.id for _, answer in found])
    run_id = run.id if run is not None else None
    current = {external_id for external_id, answer in found if answer.run_id == run_id}
    said = _said(found, marks)
    new, num_own = [], 0
    for external_id, answer in found:
        mark, is_current = marks.get(answer.id), answer.run_id == run_id
        is_wanted = is_current if external_id in current else external_id in starred
        by_hand = said.get((external_id, answer.text))
        if _is_by_hand(mark):
            num_own += is_current and mark is not None and not mark.is_star
        elif is_current and by_hand is not None:
            new.append(_copy(by_hand, answer))
            num_own += not by_hand.is_star
        elif external_id in current or not is_wanted:
            new += _change(answer, mark, is_wanted=is_wanted, by=by)
    if new:
        session.execute(insert(Mark), new)
        session.flush()
    return num_own


def _is_by_hand(mark: Mark | None) -> bool:
    return mark is not None and mark.via not in queries.BY_SOURCE


def _said(found: Sequence[tuple[str, Answer]], marks: Mapping[str, Mark]) -> dict[tuple[str, str], Mark]:
    """The newest mark that somebody made by hand, by id in the source and text."""
    newest: dict[tuple[str, str], Mark] = {}
    for external_id, answer in found:
        mark, key = marks.get(answer.id), (external_id, answer.text)
        if mark is not None and _is_by_hand(mark) and (key not in newest or newest[key].id < mark.id):
            newest[key] = mark
    return newest


def _copy(mark: Mark, answer: Answer) -> dict[str, Any]:
    state = MarkState(mark.is_star, mark.is_bad, mark.correction, mark.note)
    person = Person(mark.created_by, "", mark.domain)
    return mark_values(answer, MarkKind(mark.kind), state, by=person, via=mark.via)


def _change(answer: Answer, mark: Mark | None, *, is_wanted: bool, by: Person) -> list[dict[str, Any]]:
    if is_wanted == (mark is not None and mark.is_star):
        return []
    kind = MarkKind.star if is_wanted else MarkKind.unstar
    state = MarkState(is_wanted, False, mark.correction if mark else None, mark.note if mark else None)
    return [mark_values(answer, kind, state, by=by, via=queries.VIA)]
