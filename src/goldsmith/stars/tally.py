"""How many stars are in force, by run: counted once, and kept until somebody marks something.

Marks are only ever added, so their number and the newest of them say whether a count still holds. Called by `queries`.
"""

from dataclasses import dataclass

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session, aliased

from goldsmith.stars.tables import Mark

MAX_KEPT = 64


@dataclass(frozen=True)
class StarTally:
    """Stars in force of one run, and how many of them hold a correction."""

    num_stars: int
    num_corrected: int


Tally = dict[str, StarTally]
_kept: dict[tuple[str, str], tuple[tuple[int, int], Tally]] = {}


def tally(session: Session, *, domain: str) -> Tally:
    """Run id → its stars. Only what is committed is kept: a transaction that writes counts anew."""
    connection = session.connection()
    if not connection.get_execution_options().get("goldsmith_reads", False):
        return _count(session, domain)
    place = (str(connection.engine.url), domain)
    stand = session.execute(select(func.count(), func.max(Mark.id)).where(Mark.domain == domain)).one()
    marks = (int(stand[0]), int(stand[1] or 0))
    known = _kept.get(place)
    if known is not None and known[0] == marks:
        return known[1]
    found = _count(session, domain)
    if len(_kept) >= MAX_KEPT:
        _kept.clear()
    _kept[place] = (marks, found)
    return found


def _count(session: Session, domain: str) -> Tally:
    later = aliased(Mark)
    is_newest = ~exists().where(later.answer_id == Mark.answer_id, later.id > Mark.id)
    query = select(Mark.run_id, func.count(), func.count(Mark.correction))
    query = query.where(Mark.domain == domain, Mark.is_star, is_newest).group_by(Mark.run_id)
    return {run_id: StarTally(int(stars), int(corrected)) for run_id, stars, corrected in session.execute(query)}
