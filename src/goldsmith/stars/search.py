"""Where a text stands among a run's answers and their rows, so that a page can be filtered, sorted and paged quickly.

Capitals, spaces and how an accented letter is stored make no difference, as `storage.text.plain` says; accents do.
In a run of many answers all texts are looked through once. What stands in few of them is kept, until the run has more
answers; what stands in many is found quickly wherever one begins to look. Called by `queries`.
"""

from typing import TypeVar

from sqlalchemy import ColumnElement, Select, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from goldsmith.data.tables import Row
from goldsmith.run import counting
from goldsmith.run.tables import Answer, Run
from goldsmith.storage.keeping import Kept
from goldsmith.storage.searching import contains
from goldsmith.storage.text import plain

T = TypeVar("T", str, int)
FEW = 1_000
"""Answers: with no more, in a run or found in one, each of them can be looked at for every page."""
_kept: Kept[tuple[frozenset[int] | None]] = Kept()


def condition(session: Session, run_id: str, search: str | None) -> ColumnElement[bool] | None:
    """What an answer must be for the text to stand in it or in its row; None when nothing is looked for."""
    text = plain(search or "")
    if not text:
        return None
    found = _few(session, run_id, text)
    if found is not None:
        return Answer.position.in_(sorted(found))
    # A value and no EXISTS: PostgreSQL would rather look through all rows there are before the first answer.
    asked = aliased(Row)
    of_row = select(asked.search_text).where(asked.id == Answer.row_id).scalar_subquery()
    return or_(contains(Answer.search_text, text), contains(of_row, text))


def _few(session: Session, run_id: str, text: str) -> frozenset[int] | None:
    """The positions of the answers where the text stands, when they are few."""
    stand = counting.stand(session, run_id)
    version_id = session.scalar(select(Run.dataset_version_id).where(Run.id == run_id))
    if stand[0] <= FEW or version_id is None:
        return None
    name = f"{run_id} {text}"
    return _kept.get(session, name, stand=lambda: stand, make=lambda: (_look(session, run_id, version_id, text),))[0]


def _look(session: Session, run_id: str, version_id: str, text: str) -> frozenset[int] | None:
    """One look at each text, whichever table it is in. None as soon as it is found too often."""
    in_rows = select(Row.id).where(Row.dataset_version_id == version_id, contains(Row.search_text, text))
    row_ids = _up_to_few(session, in_rows, Row.position)
    if row_ids is None:
        return None
    of_run = select(Answer.position).where(Answer.run_id == run_id)
    own = _up_to_few(session, of_run.where(contains(Answer.search_text, text)), Answer.position)
    if own is None:
        return None
    return frozenset([*own, *session.scalars(of_run.where(Answer.row_id.in_(row_ids)))])


def _up_to_few(session: Session, query: Select[T], order: InstrumentedAttribute[int]) -> list[T] | None:
    found = list(session.scalars(query.order_by(order).limit(FEW + 1)))
    return found if len(found) <= FEW else None
