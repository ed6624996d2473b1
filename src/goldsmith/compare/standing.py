"""Which arm got which row right: worked out once for a comparison with a verdict, and kept while the verdict stands.

A page shows ten rows and counts all of them; measuring thousands of answers anew for each look would take a second.
"""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from goldsmith.compare import asked, queries
from goldsmith.compare.measures import is_nearly_right, is_right
from goldsmith.compare.outcome import measured
from goldsmith.compare.tables import ModelComparison
from goldsmith.storage.keeping import Kept


@dataclass(frozen=True)
class Standing:
    """One row, the names of the arms that got it right, and of those that missed it by capitals or spaces alone."""

    row_id: str
    position: int
    right: frozenset[str]
    nearly: frozenset[str] = frozenset()


_kept: Kept[tuple[Standing, ...]] = Kept()


def standings(session: Session, comparison: ModelComparison) -> tuple[Standing, ...]:
    """Every row in its order; none before there is a verdict."""
    if comparison.verdict is None:
        return ()
    stand = (comparison.completed_at, comparison.verdict)
    return _kept.get(session, comparison.id, stand=lambda: stand, make=lambda: _work_out(session, comparison))


def _work_out(session: Session, comparison: ModelComparison) -> tuple[Standing, ...]:
    arms = queries.arms(session, comparison.id)
    answers = queries.answers(session, [arm.run_id for arm in arms])
    made = []
    for row in asked.of_comparison(session, comparison):
        given = {arm.name: measured(answers.get((arm.run_id, row.row_id))) for arm in arms}
        right = frozenset(name for name, answer in given.items() if is_right(answer, row.expected))
        nearly = frozenset(name for name, answer in given.items() if is_nearly_right(answer, row.expected))
        made.append(Standing(row.row_id, row.position, right, nearly))
    return tuple(made)
