"""How many stars are in force, by run: counted once, and kept until somebody marks something.

Marks are only ever added, so their number and the newest of them say whether a count still holds. Called by `queries`.
"""

from dataclasses import dataclass

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session, aliased

from goldsmith.stars.tables import Mark
from goldsmith.storage.keeping import Kept


@dataclass(frozen=True)
class StarTally:
    """Stars in force of one run, and how many of them hold a correction."""

    num_stars: int
    num_corrected: int


Tally = dict[str, StarTally]
_kept: Kept[Tally] = Kept()


def tally(session: Session, *, domain: str) -> Tally:
    """Run id → its stars."""

    def stand() -> tuple[int, int]:
        number, newest = session.execute(select(func.count(), func.max(Mark.id)).where(Mark.domain == domain)).one()
        return int(number), int(newest or 0)

    return _kept.get(session, domain, stand=stand, make=lambda: _count(session, domain))


def _count(session: Session, domain: str) -> Tally:
    later = aliased(Mark)
    is_newest = ~exists().where(later.answer_id == Mark.answer_id, later.id > Mark.id)
    query = select(Mark.run_id, func.count(), func.count(Mark.correction))
    query = query.where(Mark.domain == domain, Mark.is_star, is_newest).group_by(Mark.run_id)
    return {run_id: StarTally(int(stars), int(corrected)) for run_id, stars, corrected in session.execute(query)}
